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
    """True if the code says `publishable=True`; importing every handler would take a second."""
    options = [
        option
        for node in ast.walk(ast.parse(handler.read_text()))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "workflow"
        for option in node.keywords
    ]
    return any(
        each.arg == "publishable" and getattr(each.value, "value", False) is True
        for each in options
    )
