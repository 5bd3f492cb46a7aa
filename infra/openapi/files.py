"""Files that hold the document, made in a process of its own: that imports every function."""

import subprocess
import sys
from pathlib import Path

from infra import sam

COMMITTED = sam.ROOT / "docs/reference/openapi.json"
PLACE = "functions/api/documents/openapi.json"
"""Path of the document in what ships; `documents` serves it from there."""


class NotMade(Exception):
    """The code cannot be imported; the message has the error."""


def begin(server: str, project: Path = sam.ROOT) -> "subprocess.Popen[str]":
    """Begins to make the document for the API at a URL."""
    return subprocess.Popen(  # noqa: S603 - our own command
        [sys.executable, "-m", "infra.openapi", "--print-for", server],
        cwd=project,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,  # the Ctrl-C of `make run` is no error of the code
    )


def made(process: "subprocess.Popen[str]") -> bytes:
    """Waits for the document. Raises `NotMade`."""
    output, errors = process.communicate()
    if process.returncode:
        raise NotMade((errors.strip().splitlines() or ["it ended without an error"])[-1])
    return output.encode()
