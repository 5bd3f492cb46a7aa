"""Names of the stack's workflows: the folders that ship, so that a new one edits nothing else."""

from pathlib import Path

from functions.core import config

_FOLDER = Path(__file__).parents[2] / "workflows"


@config.cached(lasting=True)
def workflow_names() -> frozenset[str]:
    """Read once: what ships does not change while a process lives."""
    return frozenset(path.parent.name for path in _FOLDER.glob("*/handler.py"))
