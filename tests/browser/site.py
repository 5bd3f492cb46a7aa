"""An app's own site: pages of another origin on this machine."""

from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler
from typing import Self

from tests import fakes

_HEAD = "<!doctype html><html lang=en><meta charset=utf-8><title>An app</title>"


class Site:
    """Serves the pages that a test writes."""

    def __init__(self) -> None:
        self._pages: dict[str, tuple[bytes, dict[str, str]]] = {}
        self._running = ExitStack()
        self._url = ""

    def __enter__(self) -> Self:
        self._url = self._running.enter_context(fakes.server(self._answer))
        return self

    def __exit__(self, *_: object) -> None:
        self._running.close()

    def page(self, body: str, **headers: str) -> str:
        """URL of a page with this body."""
        path = f"/{len(self._pages)}"
        told = {"content_type": "text/html; charset=utf-8"} | headers
        self._pages[path] = (f"{_HEAD}<main><h1>An app</h1>{body}</main>".encode(), told)
        return self._url + path

    def _answer(self, request: BaseHTTPRequestHandler, _: bytes) -> None:
        path = request.path.partition("?")[0]
        answer = self._pages.get(path, (b"", {"content_type": "text/html"}))
        fakes.reply(request, 200, *answer)
