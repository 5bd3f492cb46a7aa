"""Workflows of a project: one folder each."""

import ast
from pathlib import Path

from infra.sam import ROOT


def workflows(project: Path = ROOT) -> list[str]:
    """Names of the workflows, in alphabetical order."""
    return [path.parent.name for path in _handlers(project)]


def publishable_scopes(project: Path = ROOT) -> frozenset[str]:
    """Scopes of workflows with `workflow(…, publishable=True)`, for publishable tokens."""
    return frozenset(
        f"workflow:{path.parent.name}" for path in _handlers(project) if _is_publishable(path)
    )


def _handlers(project: Path) -> list[Path]:
    return sorted((project / "functions/workflows").glob("*/handler.py"))


def _is_publishable(handler: Path) -> bool:
    """True if a call says `publishable=True`; importing every handler would take a second.

    The name of the function does not count, as it may be imported by another. The workflow itself
    refuses a publishable token all the same, unless it is publishable.
    """
    try:
        tree = ast.parse(handler.read_bytes())
    except (SyntaxError, ValueError):  # told by whoever runs or imports it
        return False
    options = [
        option for node in ast.walk(tree) if isinstance(node, ast.Call) for option in node.keywords
    ]
    return any(
        each.arg == "publishable" and getattr(each.value, "value", False) is True
        for each in options
    )
