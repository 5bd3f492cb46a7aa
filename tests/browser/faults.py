"""Faults that a page shows to nobody: errors in its console, requests that leave the machine."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

from playwright.sync_api import ConsoleMessage, Page, Request, WebError

_HERE = {"127.0.0.1", "localhost"}
_INSIDE = {"about", "blob", "data"}
"""Schemes of what a page makes itself."""
_OF_TRACES = re.compile(
    "^Blocked script execution in '[^']*' because the document's frame is sandboxed"
)
"""Line about a script that Playwright puts into every frame, for its traces."""
_REFUSED = "csp"
"""Chromium's failure of a request that a Content Security Policy refuses: it is never sent."""


class Faults:
    """Faults of all pages of a context.

    Chromium also writes a line for each answer of 400 and above, and for each breach of a Content
    Security Policy. A test that provokes one names it with `expected`.
    """

    def __init__(self, page: Page) -> None:
        self._found: list[str] = []
        self._foreign: list[Request] = []
        self._context = page.context
        self._context.on("console", self._read_console)
        self._context.on("weberror", self._read_exception)
        # At its start, so that one without an end is seen, too.
        self._context.on("request", self._read_request)

    @contextmanager
    def expected(self, pattern: str) -> Iterator[None]:
        """Surrounds steps in which faults are of this pattern, and at least one is there."""
        self.assert_none()
        yield
        found = self._taken()
        assert found, f"no fault like {pattern!r}"
        others = [each for each in found if not re.search(pattern, each)]
        assert not others, "\n".join(others)

    def assert_none(self) -> None:
        found = self._taken()
        assert not found, "\n".join(found)

    def _taken(self) -> list[str]:
        for page in self._context.pages:
            page.evaluate("0")  # its answer comes after the events before it
        found = [*self._found, *map(_told, self._foreign)]
        self._found, self._foreign = [], []
        return found

    def _read_console(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"} and not _OF_TRACES.match(message.text):
            place = message.location.get("url", "")
            self._found.append(f"console {message.type}: {message.text} ({place})")

    def _read_exception(self, error: WebError) -> None:
        self._found.append(f"exception: {error.error.stack or error.error.message}")

    def _read_request(self, request: Request) -> None:
        url = urlsplit(request.url)
        if url.scheme not in _INSIDE and url.hostname not in _HERE:
            self._foreign.append(request)


def _told(request: Request) -> str:
    if request.failure == _REFUSED:
        return f"refused request: {request.url[:200]}"
    end = request.failure or "answered or under way"
    return f"request that leaves the machine ({end}): {request.url[:200]}"
