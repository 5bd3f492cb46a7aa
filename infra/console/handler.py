"""HTTP handler of a server on the loopback interface that serves the console.

It checks Host, path and length before anything else, for a server's other paths as well.
"""

from contextlib import suppress
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote

from infra.console import access, static
from infra.console.answer import Answer, Refused, json_answer, refused, tagged
from infra.console.body import Malformed, TooLong, is_measured, read_body
from infra.console.routes import Request, Routes, read_query
from infra.local.loopback import is_loopback

_LONGEST_BODY = 1_000_000
"""Bytes of the longest body of a request to the console."""


class ConsoleServer(ThreadingHTTPServer):
    """Serves the console."""

    daemon_threads = True
    request_queue_size = 128
    reads: Routes

    @property
    def uploads(self) -> str:
        """Origin to which pages upload lists; empty for none."""
        return ""


class ConsoleHandler(BaseHTTPRequestHandler):
    """Answers paths of the console, and refuses what does not come from this machine."""

    server: ConsoleServer
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # else a body waits 40 ms for the headers' acknowledgement

    def _serve(self) -> None:
        path = self.path.partition("?")[0]
        if not self._is_local():
            self._refuse(403, "The local stack answers only to a loopback Host, such as 127.0.0.1.")
        elif not self._is_plain(path):
            self._refuse(400, "The path, the content-length or the transfer-encoding is malformed.")
        elif refusal := self._refusal(path):
            self._refuse(403, refusal)
        elif access.is_of_console(path):
            self._console(path)
        else:
            self._elsewhere(path)

    def _is_local(self) -> bool:
        """True if there is one Host header and it names this machine."""
        return len(self.headers.get_all("host", [])) == 1 and is_loopback(self.headers["host"])

    def _is_plain(self, path: str) -> bool:
        """True for a path without dot segments and a body with one end.

        Dot segments would lead into the emulator.
        """
        segments = {unquote(segment) for segment in path.split("/")}
        dotted = bool(segments & {".", ".."})
        return path.startswith("/") and not dotted and is_measured(self.headers)

    def __getattr__(self, name: str) -> object:
        """Serves every method (`do_GET`, `do_POST`, …) alike."""
        if name.startswith("do_"):
            return self._serve
        raise AttributeError(name)

    def _refusal(self, path: str) -> str | None:
        """Reason to refuse a request; none if it may pass."""
        return access.refusal(path, self.headers) if access.is_of_console(path) else None

    def _elsewhere(self, path: str) -> None:
        """Answers a path that is not the console's."""
        self._refuse(404, f"There is no {path} here.")

    def _console(self, path: str) -> None:
        body = self._body(_LONGEST_BODY)
        if body is None:
            return
        query = read_query(self.path.partition("?")[2])
        try:
            answer = self._answer(Request(self.command, path, query, self.headers, body))
        except Refused as error:
            answer = refused(error)
        if self.command in {"GET", "HEAD"} and path.startswith((access.READS, access.ASSETS)):
            answer = tagged(answer, self.headers["if-none-match"])
        self._send(answer)

    def _body(self, longest: int) -> bytes | None:
        """The request's body; null where it was refused, and answered so."""
        try:
            return read_body(self.headers, self.rfile, longest)
        except TooLong as error:
            self._refuse(413, str(error))
        except Malformed as error:
            self._refuse(400, str(error))
        return None

    def _answer(self, request: Request) -> Answer:
        if request.path.startswith(access.READS):
            return self.server.reads.answer(request)
        if request.method not in {"GET", "HEAD"}:
            raise Refused(HTTPStatus.METHOD_NOT_ALLOWED, "Pages can only be read.")
        if request.path.startswith(access.ASSETS):
            return static.asset(request.path)
        return static.page(self.server.uploads)

    def _refuse(self, status: int, message: str) -> None:
        # An unread body must not become the next request: a page may have hidden one in it.
        self.close_connection = True
        self._send(json_answer({"message": message}, status))

    def _send(self, answer: Answer) -> None:
        self._reply(answer.status, list(answer.headers.items()), answer.body)

    def _reply(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        self.send_response_only(status)
        for name, value in headers:
            self.send_header(name, value)
        if status not in {HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED}:
            self.send_header("content-length", str(len(body)))
        if self.close_connection:
            self.send_header("connection", "close")
        with suppress(BrokenPipeError, ConnectionResetError):  # the page was closed
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Logs nothing, as a server reports requests itself, without their query."""
