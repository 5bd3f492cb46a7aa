"""Code in the documents, so that the tests run what the documents tell people to do."""

import re
import shlex
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from infra import sam

Verifier = Callable[..., str]
DOCUMENTS = [
    *(
        sam.ROOT / name
        for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")
        if (sam.ROOT / name).exists()
    ),
    *sorted((sam.ROOT / "docs").rglob("*.md")),
    *sorted((sam.ROOT / ".github").rglob("*.md")),
]


APPROVALS = "docs/how-to/approvals.md"


class Block(NamedTuple):
    """A fenced block of a document."""

    document: Path
    line: int
    """Line of the opening fence, from 1."""
    language: str
    code: str
    """Without the indentation of a list that contains the block."""

    @property
    def place(self) -> str:
        """Place as an editor opens it: `docs/how-to/proofs.md:20`."""
        return f"{self.document.relative_to(sam.ROOT)}:{self.line}"


def blocks(document: Path, language: str | None = None) -> list[Block]:
    """Fenced blocks of a document, of one language or of all languages."""
    text = document.read_text()
    found = [
        Block(document, text[: each.start()].count("\n") + 1, each[2], textwrap.dedent(each[3]))
        for each in re.finditer(r"^( *)```(\w*)\n(.*?)^\1```$", text, re.DOTALL | re.MULTILINE)
    ]
    return [each for each in found if language in (None, each.language)]


def commands(block: Block) -> Iterator[str]:
    """Commands of a console block: each `$ …`, with its continuation lines."""
    lines = iter(block.code.splitlines())
    for line in lines:
        if not line.startswith("$ "):
            continue
        command = line[2:]
        while command.endswith("\\") or not _whole(command):
            command = f"{command}\n{next(lines)}"
        yield command


def _whole(command: str) -> bool:
    """Whether all quotes are closed."""
    try:
        shlex.split(command, comments=True)
    except ValueError:
        return False
    return True


def proof_verifier(issuer: str) -> Verifier:
    """`verified_destination` from the page about proofs, for an issuer."""
    code = _code("docs/how-to/proofs.md")[0].replace("https://backend.example.com", issuer)
    verifier: Verifier = _run(code)["verified_destination"]
    return verifier


def blank_workflow() -> str:
    """Code of the workflow with which the tutorial begins."""
    return _code("docs/tutorials/write-a-workflow.md")[0]


def asking_workflow() -> Callable[[Any, Any], Any]:
    """`lambda_handler` of the tutorial's workflow that reads its caller."""
    handler: Callable[[Any, Any], Any] = _run(_code("docs/tutorials/write-a-workflow.md")[1])[
        "lambda_handler"
    ]
    return handler


def shortest_workflow() -> Callable[[Any, Any], Any]:
    """`lambda_handler` of README's workflow."""
    handler: Callable[[Any, Any], Any] = _run(_code("README.md")[0])["lambda_handler"]
    return handler


def typed_workflows() -> dict[str, str]:
    """All workflows of the page about long work, which a type checker checks: code by name."""
    return {code[3:].partition(":")[0]: code for code in _code("docs/how-to/long-work.md")}


def approval() -> dict[str, str]:
    """The workflows of the page about approvals: code by name."""
    return {code[3:].partition(":")[0]: code for code in _code(APPROVALS)}


def approval_page() -> str:
    """The page that its links open."""
    return blocks(sam.ROOT / APPROVALS, "html")[0].code


def event_reader(key: str) -> Callable[[bytes, dict[str, str]], dict[str, Any]]:
    """`read_event` from the page about events, for a key."""
    reader: Callable[[bytes, dict[str, str]], dict[str, Any]] = _run(
        _code("docs/how-to/events.md")[0].replace("whsec_…", key)
    )["read_event"]
    return reader


def _code(document: str) -> list[str]:
    found = [each.code for each in blocks(sam.ROOT / document, "python")]
    assert found, f"{document} has no Python"
    return found


def _run(code: str) -> dict[str, Any]:
    namespace: dict[str, Any] = {}
    exec(code, namespace)  # noqa: S102 - the documents' own code
    return namespace
