"""README's own code, so that what it tells people to do is what is tested."""

import re
from collections.abc import Callable
from typing import Any

from infra import sam

Verifier = Callable[..., str]


def readme_verifier(issuer: str) -> Verifier:
    """`verified_destination` of the section Proof, for an issuer."""
    verifier: Verifier = _run(_code("Proof").replace("https://backend.example.com", issuer))[
        "verified_destination"
    ]
    return verifier


def readme_blank() -> str:
    """Code of the workflow that the section Write your own workflow begins with."""
    return _code("Write your own workflow")


def readme_workflow() -> Callable[[Any, Any], Any]:
    """`lambda_handler` of the workflow in that section which asks who calls."""
    handler: Callable[[Any, Any], Any] = _run(_blocks("Write your own workflow")[1])[
        "lambda_handler"
    ]
    return handler


def readme_steps() -> dict[str, str]:
    """The workflows of the section Long work: code by name."""
    return {code[3:].partition(":")[0]: code for code in _blocks("Long work")}


def readme_event_reader(key: str) -> Callable[[bytes, dict[str, str]], dict[str, Any]]:
    """`read_event` of the section Events, for a key."""
    reader: Callable[[bytes, dict[str, str]], dict[str, Any]] = _run(
        _code("Events").replace("whsec_…", key)
    )["read_event"]
    return reader


def _code(section: str) -> str:
    return _blocks(section)[0]


def _blocks(section: str) -> list[str]:
    text = (
        (sam.ROOT / "README.md").read_text().partition(f"\n## {section}\n")[2].partition("\n## ")[0]
    )
    found = re.findall(r"^```python\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    assert found
    return found


def _run(code: str) -> dict[str, Any]:
    namespace: dict[str, Any] = {}
    exec(code, namespace)  # noqa: S102 - README's code
    return namespace
