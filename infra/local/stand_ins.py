"""Stand-ins of Twilio, AWS End User Messaging and CAPTCHA providers, which the emulator lacks, in
one server.
"""

import threading
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from infra.local import captcha, end_user_messaging, twilio
from infra.local.captured import Callback, Message, Reply
from infra.local.loopback import HOST, is_loopback

Deliver = Callable[[Message], None]


@contextmanager
def running_stand_ins(deliver: Deliver) -> Iterator[str]:
    """Serves on a free port; yields the URL. `deliver` gets each accepted message."""
    server = _Server(deliver)
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


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, deliver: Deliver) -> None:
        super().__init__((HOST, 0), _Handler)
        self.deliver = deliver


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"

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
