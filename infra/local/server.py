"""Local server: the API on one port, and the console with its reads below /_local/.

Everybody knows the development tokens. So this server refuses pages of other sites, which AWS
leaves to CORS. Pages of this machine may call the API from any port.
"""

import json
import threading
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from http import HTTPStatus

import urllib3

from infra.console.handler import ConsoleHandler, ConsoleServer
from infra.console.local_reads import local_reads
from infra.console.recording import HEADER, Answered, Sent, is_poll, record
from infra.console.request_log import RequestLog
from infra.local import origins
from infra.local.deploy import Deployment
from infra.local.gate import Gate
from infra.local.guard import KEY_HEADER
from infra.local.import_problem import FindMistake, import_problem, unimportable_folder
from infra.local.inbox import Inbox
from infra.local.loopback import HOST
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
    HEADER,
}
_API_SECONDS = 60
_CALLS_AT_ONCE = 24
"""Most calls at once; each may start a process, and more would wait for the processor."""

_ALLOWED = "access-control-allow-origin"

_pool = urllib3.PoolManager(maxsize=64, retries=False)


class LocalServer(ConsoleServer):
    """Serves a deployment on the loopback interface."""

    deployment: Deployment
    inbox: Inbox
    """Served messages. Must be set before `serve_forever`, as the deployment."""

    def __init__(self, port: int, report: Report) -> None:
        """Binds the port (0 for any); raises `OSError` if it is in use.

        `report` gets a line for each request.
        """
        super().__init__((HOST, port), _Handler)
        self.report = report
        self.settings: Mapping[str, str] = {}
        self.started_at = datetime.now(UTC)
        self.requests = RequestLog()
        self.reads = local_reads(self)
        self.calls = threading.Semaphore(_CALLS_AT_ONCE)
        self.answered = threading.Event()
        """Set after each request, when its log lines are there."""
        self._refused: set[str] = set()

        self.gate = Gate()
        self.find_mistake: FindMistake = lambda _: None

    @property
    def url(self) -> str:
        """URL of the API and of the console."""
        return f"http://{HOST}:{self.server_port}"

    @property
    def uploads(self) -> str:
        """Origin of the emulator's S3."""
        return self.deployment.emulator.url

    def refusal(self, origin: str | None) -> str | None:
        """Reason to refuse a page of this origin, reported once for each origin."""
        text = origins.refusal(origin, self.deployment.origins)
        if text and origin not in self._refused:
            self._refused.add(str(origin))
            self.report(text)
        return text


class _Handler(ConsoleHandler):
    server: LocalServer

    def _refusal(self, path: str) -> str | None:
        return self.server.refusal(self.headers["origin"]) or super()._refusal(path)

    def _elsewhere(self, path: str) -> None:
        """Passes a request on to the API."""
        started = time.monotonic()
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        sent = {name.lower(): value for name, value in self.headers.items()}
        try:
            reply = self._ask(sent, body)
        except urllib3.exceptions.HTTPError as error:
            self._refuse(502, f"The emulator did not answer: {error}")
            return
        status, headers, answer = self._named_mistake(reply.status, self._kept(reply), reply.data)
        self._reply(status, headers, answer)
        if not is_poll(sent):
            seconds = time.monotonic() - started
            answered = Answered(status, _by_name(headers), answer, seconds)
            self._note(path, Sent(self.command, self.path, sent, body), answered)

    def _ask(self, sent: dict[str, str], body: bytes) -> urllib3.BaseHTTPResponse:
        deployment, origin = self.server.deployment, self.headers["origin"]
        headers = {name: value for name, value in sent.items() if name not in _HOP_BY_HOP}
        # Without it, the guard refuses what a page sends.
        headers[KEY_HEADER] = deployment.emulator.key
        if origin:
            headers["origin"] = origins.known(origin, deployment.origins)
        with self.server.gate.call(), self.server.calls:
            url = self.server.deployment.api_url + self.path
            return _pool.request(
                self.command, url, body=body, headers=headers, timeout=_API_SECONDS
            )

    def _kept(self, reply: urllib3.BaseHTTPResponse) -> list[tuple[str, str]]:
        """Headers of the answer; a page compares the allowed origin with its own."""
        origin = self.headers["origin"]
        return [
            (name, origin if name.lower() == _ALLOWED and value != "*" else value)
            for name, value in reply.headers.items()
            if name.lower() not in _HOP_BY_HOP
        ]

    def _note(self, path: str, sent: Sent, answered: Answered) -> None:
        """Records a call and prints its line."""
        if self.command != "OPTIONS":
            self.server.requests.add(record(sent, answered))
        line = f"{self.command} {path} {answered.status}{_problem_text(answered)}"
        self.server.answered.set()
        self.server.report(line, _tone(path, answered.status))

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


def _tone(path: str, status: int) -> Tone:
    """Tone of a request's line. A refused webhook stands out, as its sender cannot be seen."""
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return "error"
    return (
        "warning" if status >= HTTPStatus.BAD_REQUEST and path.startswith("/webhooks/") else "plain"
    )


def _by_name(headers: list[tuple[str, str]]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers}


def _problem_text(answered: Answered) -> str:
    """Code and detail of a problem; empty for another answer."""
    is_problem = answered.status >= HTTPStatus.BAD_REQUEST
    try:
        problem = json.loads(answered.body) if is_problem else None
    except ValueError:
        return ""
    return (
        f" {problem['code']}: {problem['detail']}"
        if isinstance(problem, dict) and "code" in problem
        else ""
    )
