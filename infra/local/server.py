"""The local server: the API on one port, and what is local only under /_local/."""

import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit

import urllib3

from infra.local.broken import FindMistake, broken_folder, problem
from infra.local.deploy import Deployment
from infra.local.gate import Gate
from infra.local.inbox import Inbox
from infra.local.loopback import HOST, is_loopback

_HOP_BY_HOP = {"connection", "content-length", "date", "host", "keep-alive", "server", "transfer-encoding"}
_API_SECONDS = 60
_CALLS_AT_ONCE = 24
"""The emulator starts a process for each call that finds none idle; more at once would only wait for the processor."""

_pool = urllib3.PoolManager(maxsize=64, retries=False)

Report = Callable[[str], None]


class LocalServer(ThreadingHTTPServer):
    """Serves a deployment on the loopback interface."""

    daemon_threads = True
    request_queue_size = 128

    deployment: Deployment
    inbox: Inbox
    """What is served; both to be set before `serve_forever`."""

    def __init__(self, port: int, report: Report) -> None:
        """Takes the port (0 is any). `report` gets one line for each request. Raises `OSError` when the port is taken."""
        super().__init__((HOST, port), _Handler)
        self.report = report
        self.calls = threading.Semaphore(_CALLS_AT_ONCE)
        self.gate = Gate()
        self.find_mistake: FindMistake = lambda _: None


class _Handler(BaseHTTPRequestHandler):
    server: LocalServer
    protocol_version = "HTTP/1.1"

    def _serve(self) -> None:
        url = urlsplit(self.path)
        if not is_loopback(self.headers["host"]):
            self._json(403, {"message": "The local stack answers only to a loopback Host, such as 127.0.0.1."})
        elif not self._is_plain(url.path):
            self.close_connection = True
            self._json(400, {"message": "The path or the content-length is malformed."})
        elif url.path.startswith("/_local/"):
            self._local(url.path, url.query)
        else:
            self._api(url.path)

    def _is_plain(self, path: str) -> bool:
        """No dot segments, which would lead out of the API into the emulator, and a length that is one."""
        segments = {unquote(segment) for segment in path.split("/")}
        return not segments & {".", ".."} and (self.headers.get("content-length") or "0").isdecimal()

    def __getattr__(self, name: str) -> object:
        """`do_GET` and its like: every method is served alike."""
        if name.startswith("do_"):
            return self._serve
        raise AttributeError(name)

    def _api(self, path: str) -> None:
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        headers = {name: value for name, value in self.headers.items() if name.lower() not in _HOP_BY_HOP}
        try:
            with self.server.gate.call(), self.server.calls:
                url = self.server.deployment.api_url + self.path
                reply = _pool.request(self.command, url, body=body, headers=headers, timeout=_API_SECONDS)
        except urllib3.exceptions.HTTPError as error:
            self._json(502, {"message": f"The emulator did not answer: {error}"})
            return
        kept = [(name, value) for name, value in reply.headers.items() if name.lower() not in _HOP_BY_HOP]
        status, kept, body = self._named_mistake(reply.status, kept, reply.data)
        self._reply(status, kept, body)
        self.server.report(f"{self.command} {path} {status}")

    def _named_mistake(
        self, status: int, headers: list[tuple[str, str]], body: bytes
    ) -> tuple[int, list[tuple[str, str]], bytes]:
        """The answer as it is, or a problem instead, where the function cannot be imported."""
        folder = broken_folder(status, self.path, body)
        mistake = self.server.find_mistake(folder) if folder else None
        if not (folder and mistake):
            return status, headers, body
        request_id = next((value for name, value in headers if name.lower() == "apigw-requestid"), "")
        headers = [("content-type", "application/problem+json"), ("cache-control", "no-store")]
        return 500, headers, problem(folder, mistake, request_id)

    def _local(self, path: str, query: str) -> None:
        if path == "/_local/inbox" and self.command == "GET":
            # An unencoded + in a query is a space, and no destination has one.
            to = parse_qs(query).get("to", [""])[0].replace(" ", "+")
            self._json(200, self.server.inbox.messages(to or None))
        else:
            self._json(404, {"message": "There is GET /_local/inbox?to=<destination>."})

    def _json(self, status: int, value: object) -> None:
        body = json.dumps(value, ensure_ascii=False, indent=1).encode()
        self._reply(status, [("content-type", "application/json"), ("cache-control", "no-store")], body)

    def _reply(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        self.send_response_only(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Requests are reported by `report`, without their query."""
