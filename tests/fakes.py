"""Stand-ins that are real servers, so clients meet what a real network does."""

import http.client
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

Script = Callable[[BaseHTTPRequestHandler, bytes], None]


@contextmanager
def server(script: Script, tls: ssl.SSLContext | None = None) -> Iterator[str]:
    """Serves a script on loopback, over HTTPS with `tls` and otherwise HTTP; yields the URL."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True  # else a body waits 40 ms

        def do_POST(self) -> None:
            script(self, self.rfile.read(int(self.headers["content-length"])))

        def do_GET(self) -> None:
            script(self, b"")

        def do_DELETE(self) -> None:
            script(self, b"")

        def log_message(self, *_: Any) -> None:
            pass

    running = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    running.daemon_threads = True
    if tls:
        running.socket = tls.wrap_socket(running.socket, server_side=True)
    thread = threading.Thread(
        target=running.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
    )
    thread.start()
    try:
        yield f"{'https' if tls else 'http'}://127.0.0.1:{running.server_port}"
    finally:
        running.shutdown()
        running.server_close()
        thread.join()


def answers(status: int, body: bytes, **headers: str) -> Script:
    """Gives every request this answer."""

    def script(request: BaseHTTPRequestHandler, _: bytes) -> None:
        reply(request, status, body, headers)

    return script


def hangs(request: BaseHTTPRequestHandler, _: bytes) -> None:
    """Accepts the request and sends nothing until the client gives up."""
    request.close_connection = True
    request.connection.settimeout(30)
    request.connection.recv(1)


def never_ends(beginning: bytes, piece: bytes, pause_seconds: float = 0) -> Script:
    """Begins an answer, and sends pieces of it until the client is gone."""

    def script(request: BaseHTTPRequestHandler, _: bytes) -> None:
        request.close_connection = True
        with suppress(OSError):
            request.wfile.write(beginning)
            while not threading.Event().wait(pause_seconds):
                request.wfile.write(piece)

    return script


def loses_first_answers(upstream: str, count: int) -> Script:
    """Forwards every request; breaks the connection instead of the first `count` answers."""
    lost = iter(range(count))

    def script(request: BaseHTTPRequestHandler, body: bytes) -> None:
        connection = http.client.HTTPConnection(urlsplit(upstream).netloc, timeout=30)
        connection.request("POST", request.path, body, dict(request.headers))
        answer = connection.getresponse()
        content = answer.read()
        if next(lost, None) is not None:
            request.close_connection = True
            request.connection.shutdown(socket.SHUT_RDWR)
            return
        kept = {
            name: value
            for name, value in answer.getheaders()
            if name.lower() in {"content-type", "x-amz-crc32"}
        }
        reply(request, answer.status, content, kept)

    return script


_TAKEN: list[socket.socket] = []


def nobody() -> str:
    """URL where no server listens while this process lives: its port is taken."""
    taken = socket.socket()
    taken.bind(("127.0.0.1", 0))
    _TAKEN.append(taken)
    return f"http://127.0.0.1:{taken.getsockname()[1]}"


def reply(
    request: BaseHTTPRequestHandler, status: int, body: bytes, headers: dict[str, str]
) -> None:
    request.send_response(status)
    for name, value in headers.items():
        request.send_header(name.replace("_", "-"), value)
    request.send_header("content-length", str(len(body)))
    request.end_headers()
    request.wfile.write(body)
