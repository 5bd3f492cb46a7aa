"""Local server: the API on one port, and the local inbox below /_local/.

Everybody knows the development tokens. So this server refuses pages of other sites, which AWS
leaves to CORS. Pages of this machine may call the API from any port.
"""

import json
import threading
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit

import urllib3

from infra.local import origins
from infra.local.deploy import Deployment
from infra.local.gate import Gate
from infra.local.guard import KEY_HEADER
from infra.local.import_problem import FindMistake, import_problem, unimportable_folder
from infra.local.inbox import Inbox
from infra.local.loopback import HOST, is_loopback
from infra.local.terminal import Report
from infra.logs.text import Tone

_HOP_BY_HOP = {
    "connection",
    "content-length",
    "date",
    "host",
    "keep-alive",
    "server",
    "transfer-encoding",
}
_CALLS_AT_ONCE = 24
"""Most calls at once; each may start a process, and more would wait for the processor."""

_ALLOWED = "access-control-allow-origin"
_OTHER_PAGES = {"cross-site", "same-site"}
"""Fetch Metadata of requests by pages of other origins."""

_pool = urllib3.PoolManager(maxsize=64, retries=False)


class LocalServer(ThreadingHTTPServer):
    """Serves a deployment on the loopback interface."""

    daemon_threads = True
    request_queue_size = 128

    deployment: Deployment
    inbox: Inbox
    """Served messages. Must be set before `serve_forever`, as the deployment."""

    def __init__(self, port: int, report: Report) -> None:
        """Binds the port (0 for any); raises `OSError` if it is in use.

        `report` gets a line for each request.
        """
        super().__init__((HOST, port), _Handler)
        self.report = report
        self.calls = threading.Semaphore(_CALLS_AT_ONCE)
        self.answered = threading.Event()
        """Set after each request, when its log lines are there."""
        self._refused: set[str] = set()

        self.gate = Gate()
        self.find_mistake: FindMistake = lambda _: None

    def refusal(self, origin: str | None) -> str | None:
        """Reason to refuse a page of this origin, reported once for each origin."""
        text = origins.refusal(origin, self.deployment.origins)
        if text and origin not in self._refused:
            self._refused.add(str(origin))
            self.report(text)
        return text


class _Handler(BaseHTTPRequestHandler):
    server: LocalServer
    protocol_version = "HTTP/1.1"

    def _serve(self) -> None:
        url = urlsplit(self.path)
        if not self._is_local():
            self._json(
                403,
                {"message": "The local stack answers only to a loopback Host, such as 127.0.0.1."},
            )
        elif not self._is_plain(url.path):
            self._json(
                400,
                {"message": "The path, the content-length or the transfer-encoding is malformed."},
            )
        elif refusal := self.server.refusal(self.headers["origin"]):
            self._json(403, {"message": refusal})
        elif url.path.startswith("/_local/"):
            self._local(url.path, url.query)
        else:
            self._api(url.path)

    def _is_local(self) -> bool:
        """True if there is one Host header and it names this machine."""
        return len(self.headers.get_all("host", [])) == 1 and is_loopback(self.headers["host"])

    def _is_plain(self, path: str) -> bool:
        """True for a path without dot segments and a body of one length.

        Dot segments would lead into the emulator.
        """
        segments = {unquote(segment) for segment in path.split("/")}
        lengths = self.headers.get_all("content-length", ["0"])
        measured = (
            len(lengths) == 1 and lengths[0].isdecimal() and "transfer-encoding" not in self.headers
        )
        return self.path.startswith("/") and not segments & {".", ".."} and measured

    def __getattr__(self, name: str) -> object:
        """Serves every method (`do_GET`, `do_POST`, …) alike."""
        if name.startswith("do_"):
            return self._serve
        raise AttributeError(name)

    def _api(self, path: str) -> None:
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        deployment, origin = self.server.deployment, self.headers["origin"]
        headers = {
            name.lower(): value
            for name, value in self.headers.items()
            if name.lower() not in _HOP_BY_HOP
        }
        # Without it, the guard refuses what a page sends.
        headers[KEY_HEADER] = deployment.emulator.key
        if origin:
            headers["origin"] = origins.known(origin, deployment.origins)
        try:
            with self.server.gate.call(), self.server.calls:
                url = self.server.deployment.api_url + self.path
                reply = _pool.request(
                    self.command, url, body=body, headers=headers, timeout=deployment.api_seconds
                )
        except urllib3.exceptions.HTTPError as error:
            self._json(502, {"message": f"The emulator did not answer: {error}"})
            return
        kept = [
            (name, value)
            for name, value in reply.headers.items()
            if name.lower() not in _HOP_BY_HOP
        ]
        # A page compares it with its own origin.
        kept = [
            (name, origin if name.lower() == _ALLOWED and value != "*" else value)
            for name, value in kept
        ]
        status, kept, body = self._named_mistake(reply.status, kept, reply.data)
        self._reply(status, kept, body)
        line = f"{self.command} {path} {status}{_problem_text(status, body)}"
        self.server.answered.set()
        self.server.report(line, _tone(path, status))

    def _named_mistake(
        self, status: int, headers: list[tuple[str, str]], body: bytes
    ) -> tuple[int, list[tuple[str, str]], bytes]:
        """The answer, or a problem with the mistake if the function cannot be imported."""
        folder = unimportable_folder(status, self.path, body)
        mistake = self.server.find_mistake(folder) if folder else None
        if not (folder and mistake):
            return status, headers, body
        request_id = next(
            (value for name, value in headers if name.lower() == "apigw-requestid"), ""
        )
        kept = [
            (name, value) for name, value in headers if name.lower().startswith("access-control-")
        ]
        headers = [
            ("content-type", "application/problem+json"),
            ("cache-control", "no-store"),
            *kept,
        ]
        return 500, headers, import_problem(folder, mistake, request_id)

    def _local(self, path: str, query: str) -> None:
        if self.headers["sec-fetch-site"] in _OTHER_PAGES:
            self._json(
                403,
                {"message": "Pages cannot read the inbox. Open it in its own tab, or use curl."},
            )
        elif path == "/_local/inbox" and self.command == "GET":
            # An unencoded + in a query is a space, and no destination has one.
            to = parse_qs(query).get("to", [""])[0].replace(" ", "+")
            self._json(200, self.server.inbox.messages(to or None))
        else:
            self._json(404, {"message": "There is GET /_local/inbox?to=<destination>."})

    def _json(self, status: int, value: object) -> None:
        # An unread body must not become the next request: a page may have hidden one in it.
        self.close_connection = True
        body = json.dumps(value, ensure_ascii=False, indent=1).encode()
        self._reply(
            status, [("content-type", "application/json"), ("cache-control", "no-store")], body
        )

    def _reply(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        self.send_response_only(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("content-length", str(len(body)))
        if self.close_connection:
            self.send_header("connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Logs nothing, as `report` gets all requests, without their query."""


def _tone(path: str, status: int) -> Tone:
    """Tone of a request's line. A refused webhook stands out, as its sender cannot be seen."""
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return "error"
    return (
        "warning" if status >= HTTPStatus.BAD_REQUEST and path.startswith("/webhooks/") else "plain"
    )


def _problem_text(status: int, body: bytes) -> str:
    """Code and detail of a problem; empty for another answer."""
    try:
        problem = json.loads(body) if status >= HTTPStatus.BAD_REQUEST else None
    except ValueError:
        return ""
    return (
        f" {problem['code']}: {problem['detail']}"
        if isinstance(problem, dict) and "code" in problem
        else ""
    )
