"""openapi.json of the running stack. Code that cannot be imported keeps the earlier document."""

import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from infra import sam
from infra.local.deploy import read_sources
from infra.local.kept import Kept, contents
from infra.local.terminal import Report
from infra.openapi.files import COMMITTED, PLACE, NotMade, begin, made

_ELSEWHERE = (
    "template.yaml",
    "requirements.txt",
    "infra/*.py",
    "infra/openapi/**/*.py",
    "tests/events/*.json",
)
"""Files besides those of functions/ of which it is made."""


class OpenApi:
    """The document for the API at a URL."""

    def __init__(self, server: str, report: Report, kept: Kept, project: Path = sam.ROOT) -> None:
        """Begins to make it, which takes a second while other parts start.

        If it is kept and nothing has changed since, it is there at once.
        """
        self._server, self._report, self._project, self._kept = server, report, project, kept
        self._made_of = self._sources()
        found = kept.find(self._made_of)
        self._document = found or b""
        self._begun: subprocess.Popen[str] | None = None if found else begin(server, project)

    def files(self) -> Mapping[str, bytes]:
        """The present document, by its place in the functions' code."""
        if self._begun:
            self._finish(self._begun)
        return {PLACE: self._document} if self._document else {}

    def make_again(self) -> bool:
        """Makes it from changed code; returns whether it is another one."""
        before = self.files()
        self._made_of = self._sources()
        self._finish(begin(self._server, self._project))
        return self.files() != before

    def _finish(self, process: "subprocess.Popen[str]") -> None:
        self._begun = None
        try:
            self._document = made(process)
        except NotMade as error:
            self._report(f"openapi.json stays as it was: {error}", "warning")
            with suppress(FileNotFoundError):
                self._document = self._document or COMMITTED.read_bytes()
        else:
            if self._sources() == self._made_of:  # not edited meanwhile
                self._kept.keep(self._made_of, self._document)

    def _sources(self) -> list[bytes]:
        files = read_inputs(self._project)
        return [self._server.encode(), sys.version.encode(), *contents(files)]


def read_inputs(project: Path) -> dict[str, bytes]:
    """Contents of the files of which the document is made, by path in the project."""
    files = read_sources(project)
    for pattern in _ELSEWHERE:
        for path in sorted(project.glob(pattern)):
            files[path.relative_to(project).as_posix()] = path.read_bytes()
    return files
