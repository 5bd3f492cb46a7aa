"""Workflows for the console: group, summary, options and a sample of parameters."""

import ast
import json
from contextlib import suppress
from pathlib import Path
from typing import Any

from infra.sam import ROOT
from infra.workflows import stated_options, workflows

_GROUPS = {
    "verify_send": "Verify",
    "verify_check": "Verify",
    "verify_status": "Verify",
    "verify_delete": "Verify",
    "send_email_template": "Emails",
    "update_usersnap": "Canvas",
    "check_app_location": "Canvas",
    "record_registration": "Canvas",
    "deliver_event": "Platform",
    "track_delivery": "Platform",
}
"""Groups as in the README; every other workflow is one of the developer's own."""
_OWN = "Your own"
_DEFAULTS = {"publishable": False, "background": True, "public": False}
"""Options of `workflow(…)` and their defaults."""

_ELSEWHERE = "https://app.example.com"
"""Host of links in samples of emails, which is none of `link_hosts`."""
_HERE = "http://localhost:3000"
"""Links to this machine are allowed on the local stack."""


def read_workflows(project: Path = ROOT) -> list[dict[str, Any]]:
    """All workflows in the README's order, then the developer's own."""
    names = workflows(project)
    order = [name for name in _GROUPS if name in names]
    return [_workflow(project, name) for name in dict.fromkeys([*order, *names])]


def _workflow(project: Path, name: str) -> dict[str, Any]:
    tree = _tree(project / f"functions/workflows/{name}/handler.py")
    sample: dict[str, Any] = {"parameters": _sample(project / f"tests/events/{name}.json")}
    if name == "send_email_template":
        sample["templates"] = _templates(project)
    return {
        "name": name,
        "group": _GROUPS.get(name, _OWN),
        "summary": _summary(tree, name),
        **_options(tree),
        "sample": sample,
    }


def _tree(handler: Path) -> ast.Module:
    """The handler's code; empty if it cannot be parsed, which the terminal says."""
    try:
        return ast.parse(handler.read_bytes())
    except (OSError, SyntaxError, ValueError):
        return ast.Module([], [])


def _summary(tree: ast.Module, name: str) -> str:
    """First line of the function's docstring, else of the module's."""
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
    own = [node for node in functions if node.name == name]
    text = (ast.get_docstring(tree) or "").removeprefix(f"{name}: ")
    for function in own if not text else []:
        text = ast.get_docstring(function) or ""
    first = " ".join(text.partition("\n\n")[0].split())
    return first[:1].upper() + first[1:]


def _options(tree: ast.Module) -> dict[str, bool]:
    stated = dict(stated_options(tree))
    return {name: bool(stated.get(name, default)) for name, default in _DEFAULTS.items()}


def _sample(event: Path) -> dict[str, Any]:
    """Parameters of a sample event, over HTTP or direct; empty without one."""
    with suppress(OSError, ValueError, AttributeError):
        value = json.loads(event.read_text())
        found = value.get("parameters") or json.loads(value.get("body") or "{}")
        return found if isinstance(found, dict) else {}
    return {}


def _templates(project: Path) -> dict[str, Any]:
    """Data by template of emails, with links that the local stack accepts."""
    found = {}
    for path in sorted((project / "functions/core/messages/templates").glob("*/sample.json")):
        with suppress(OSError, ValueError):
            found[path.parent.name] = json.loads(path.read_text().replace(_ELSEWHERE, _HERE))
    return found
