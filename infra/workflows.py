"""The workflows that there are: one folder each."""

from pathlib import Path

from infra.sam import ROOT


def workflows(project: Path = ROOT) -> list[str]:
    """Their names, in alphabetical order."""
    return sorted(path.parent.name for path in (project / "functions/workflows").glob("*/handler.py"))
