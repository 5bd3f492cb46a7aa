"""Workflows of a project: one folder each."""

import ast
from collections.abc import Iterator
from pathlib import Path

from infra.sam import ROOT


def workflows(project: Path = ROOT) -> list[str]:
    """Names of the workflows, in alphabetical order."""
    return [path.parent.name for path in _handlers(project)]


def publishable_scopes(project: Path = ROOT) -> frozenset[str]:
    """Scopes of workflows with `workflow(…, publishable=True)`, for publishable tokens."""
    return frozenset(
        f"workflow:{path.parent.name}"
        for path in _handlers(project)
        if _states(path, "publishable", stated=True)
    )


def background_workflows(project: Path = ROOT) -> frozenset[str]:
    """Names of workflows without `workflow(…, background=False)`."""
    return frozenset(
        path.parent.name
        for path in _handlers(project)
        if not _states(path, "background", stated=False)
    )


def _handlers(project: Path) -> list[Path]:
    return sorted((project / "functions/workflows").glob("*/handler.py"))


def _states(handler: Path, option: str, *, stated: bool) -> bool:
    """True if a call says so; importing every handler would take a second.

    The name of the function does not count, as it may be imported by another. The workflow itself
    refuses all the same what its options do not allow.
    """
    try:
        tree = ast.parse(handler.read_bytes())
    except (SyntaxError, ValueError):  # told by whoever runs or imports it
        return False
    return any(name == option and value is stated for name, value in stated_options(tree))


def stated_options(tree: ast.AST) -> Iterator[tuple[str | None, object]]:
    """Names and values of the keyword arguments that calls in a handler state as constants."""
    for node in ast.walk(tree):
        for option in node.keywords if isinstance(node, ast.Call) else []:
            if isinstance(option.value, ast.Constant):
                yield option.arg, option.value.value
