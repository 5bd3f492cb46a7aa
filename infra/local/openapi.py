"""openapi.json of the running stack. Code that cannot be imported keeps the earlier document."""

import subprocess
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from infra import sam
from infra.local.terminal import Report
from infra.openapi.files import COMMITTED, PLACE, NotMade, begin, made


class OpenApi:
    """The document for the API at a URL."""

    def __init__(self, server: str, report: Report, project: Path = sam.ROOT) -> None:
        """Begins to make it, which takes a second while other parts start."""
        self._server, self._report, self._project = server, report, project
        self._begun: subprocess.Popen[str] | None = begin(server, project)
        self._document = b""

    def files(self) -> Mapping[str, bytes]:
        """The present document, by its place in the functions' code."""
        if self._begun:
            self._finish(self._begun)
        return {PLACE: self._document} if self._document else {}

    def make_again(self) -> bool:
        """Makes it from changed code; returns whether it is another one."""
        before = self.files()
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
