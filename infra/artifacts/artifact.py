"""A function's artifact: what its handler can reach, ready for a short cold start.

The same code makes the same bytes. `sam deploy` names an upload after its content, so it uploads
only functions whose code changed.
"""

import json
import os
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from functions.core.definition import names
from functions.core.messages.rendering import render
from infra import sam
from infra.artifacts.aws_calls import AwsCalls, aws_calls
from infra.artifacts.prune import prune
from infra.artifacts.reach import Reach
from infra.artifacts.tree import Tree
from infra.openapi.files import PLACE
from infra.settings import write_ready

_DOCUMENTS = "functions.api.documents"
_SAME_TIME = 315_619_200
"""1980-01-02: a zip knows no time before 1980, in any time zone."""
_MEGABYTE = 1_000_000


class Artifact(NamedTuple):
    """A folder that is deployed."""

    folder: Path
    reach: Reach
    calls: AwsCalls
    gone: frozenset[str]
    """Modules that were there and do not ship."""


def make_artifact(
    folder: Path, handlers: Iterable[str], python: str, document: bytes, version: bytes = b""
) -> Artifact:
    """Makes an artifact of a folder that holds all of the project and of its packages.

    Args:
        folder: the folder, which is changed.
        handlers: the functions, such as `functions.workflows.verify_check.handler.lambda_handler`.
        python: interpreter of Lambda's version.
        document: openapi.json.
        version: what makes another version of the function, where the code is the same.
    """
    reach = Reach(Tree(folder), *(each.rpartition(".")[0] for each in handlers))
    calls = aws_calls(reach)
    workflows = names.names_in(folder / "functions/workflows")
    gone = prune(folder, reach, calls)
    write_ready(folder)
    if names.__name__ in reach.modules:
        _write(folder / names.READY_FILE.relative_to(sam.ROOT), json.dumps(workflows).encode())
    if render.__name__ in reach.modules:
        render.compile_templates(folder / render.COMPILED.relative_to(sam.ROOT))
    if _DOCUMENTS in reach.modules:
        _write(folder / PLACE, document)
    if version:
        _write(folder / "version", version)
    _compile(folder, python)
    for path in folder.rglob("*"):
        os.utime(path, (_SAME_TIME, _SAME_TIME))
    return Artifact(folder, reach, calls, gone)


def _write(file: Path, content: bytes) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)


def megabytes(folder: Path) -> float:
    """Size of a folder's files."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / _MEGABYTE


def _compile(folder: Path, python: str) -> None:
    """Compiles a folder to bytecode.

    The bytecode is unchecked, because the deployed zip has no times. It carries Lambda's paths, so
    that the same source is the same bytes in every folder.
    """
    options = ["-q", "--invalidation-mode", "unchecked-hash", "-s", str(folder), "-p", "/var/task"]
    subprocess.run([python, "-m", "compileall", *options, str(folder)], check=True)  # noqa: S603 - our own command
