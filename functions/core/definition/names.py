"""Names of the stack's workflows: the folders that ship, so that a new one edits nothing else."""

from pathlib import Path

import msgspec

from functions.core import config

_FOLDER = Path(__file__).parents[2] / "workflows"
READY_FILE = _FOLDER / "names.json"
"""The names, made by `make build`: an artifact has only the folders that its function reaches."""


@config.cached(lasting=True)
def workflow_names() -> frozenset[str]:
    """Read once: what ships does not change while a process lives."""
    if READY_FILE.exists():
        return msgspec.json.decode(READY_FILE.read_bytes(), type=frozenset[str])
    return frozenset(names_in(_FOLDER))


def names_in(folder: Path) -> list[str]:
    """Names of the workflows in a folder."""
    return sorted(path.parent.name for path in folder.glob("*/handler.py"))
