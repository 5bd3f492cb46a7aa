"""Stand-ins of Twilio, AWS End User Messaging and CAPTCHA providers, which the emulator lacks, in
one server.
"""

import threading
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from infra.local import captcha, end_user_messaging, twilio
from infra.local.captured import Callback, Message, Reply
from infra.local.loopback import HOST, is_loopback

Deliver = Callable[[Message], None]


@contextmanager
def running_stand_ins(deliver: Deliver, port_file: Path | None = None) -> Iterator[str]:
    """Serves on a free port; yields the URL.

    Args:
        deliver: gets each accepted message.
        port_file: keeps the port, which is used again if it is free. The functions know it, so with
            another one the stack has to be updated.
    """
    server = _server(deliver, port_file) if port_file else _Server(deliver)
    thread = threading.Thread(
        target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True
    )
    thread.start()
    try:
        yield f"http://{HOST}:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _server(deliver: Deliver, port_file: Path) -> "_Server":
    try:
        return _Server(deliver, int(port_file.read_text()))
    except (OSError, ValueError, OverflowError):  # the first start, or somebody has the port
        server = _Server(deliver)
        port_file.write_text(str(server.server_port))
        return server


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, deliver: Deliver, port: int = 0) -> None:
        super().__init__((HOST, port), _Handler)
        self.deliver = deliver


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # as in the console's handler

    def do_POST(self) -> None:
        if not is_loopback(self.headers["host"]) or "origin" in self.headers:
            self.close_connection = True
            self.send_error(403, "The stand-ins of providers are not for web pages")
            return
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        reply = self._reply_to(body)
        if reply.message:
            self.server.deliver(reply.message)
        content = reply.content()
        self.send_response_only(reply.status)
        self.send_header("content-type", reply.content_type)
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)
        if reply.callback:
            threading.Thread(target=_call_back, args=(reply.callback,), daemon=True).start()

    def _reply_to(self, body: bytes) -> Reply:
        authorization = self.headers.get("authorization", "")
        if target := self.headers.get("x-amz-target"):
            return end_user_messaging.answer(target, authorization, body)
        return captcha.answer(self.path, body) or twilio.answer(self.path, authorization, body)

    def log_message(self, *_: object) -> None:
        """Logs nothing, as the terminal shows the messages."""


def _call_back(callback: Callback) -> None:
    """Posts a status callback; a failure is silent, as with the provider itself."""
    with suppress(OSError):
        request = urllib.request.Request(callback.url, callback.body, callback.headers)  # noqa: S310 - of our own functions
        urllib.request.urlopen(request, timeout=60).close()  # noqa: S310 - as above
