"""Local server: the API on one port, and the console with its reads below /_local/.

Everybody knows the development tokens. So this server refuses pages of other sites, which AWS
leaves to CORS. Pages of this machine may call the API from any port.
"""

import json
import threading
import time
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from http import HTTPStatus

import urllib3

from infra.console.answer import json_answer
from infra.console.body import LONGEST
from infra.console.handler import ConsoleHandler, ConsoleServer
from infra.console.recording import is_poll, record
from infra.console.request_log import RequestLog
from infra.local import origins
from infra.local.api import Reply, Sent, ask
from infra.local.deploy import Deployment
from infra.local.gate import LONGEST_CALL_SECONDS, Gate
from infra.local.import_problem import FindMistake, named_mistake
from infra.local.inbox import Inbox
from infra.local.loopback import HOST
from infra.local.terminal import Report
from infra.logs.text import Tone

_CALLS_AT_ONCE = 24
"""Most calls at once; each may start a process, and more would wait for the processor."""


class LocalServer(ConsoleServer):
    """Serves a deployment on the loopback interface."""

    deployment: Deployment
    inbox: Inbox
    """Served messages. Must be set before `serve_forever`, as the deployment and the reads."""

    def __init__(self, port: int, report: Report) -> None:
        """Binds the port (0 for any); raises `OSError` if it is in use.

        `report` gets a line for each request.
        """
        super().__init__((HOST, port), _Handler)
        self.report = report
        self.settings: Mapping[str, str] = {}
        self.started_at = datetime.now(UTC)
        self.requests = RequestLog()
        self.calls = threading.Semaphore(_CALLS_AT_ONCE)
        self.answered = threading.Event()
        """Set after each request, when its log lines are there."""
        self._refused: set[str] = set()

        self.gate = Gate()
        self.authorizer_ready = threading.Event()
        """Calls with a token wait for it; public ones need no authorizer."""
        self.authorizer_ready.set()
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
        """Passes a request on to the API; records and prints it before the sender can ask."""
        started = time.monotonic()
        body = self._body(LONGEST)
        if body is None:
            return
        headers = _joined(self.headers.items())
        sent = Sent(self.command, self.path, headers, body)
        reply = named_mistake(self._ask(sent), self.path, self.server.find_mistake)
        if not is_poll(headers) and self.command != "OPTIONS":
            self.server.requests.add(record(sent, reply, time.monotonic() - started))
        self._reply(*reply)
        self.server.answered.set()
        if not is_poll(headers):
            line = f"{self.command} {path} {reply.status}{_problem_text(reply.status, reply.body)}"
            self.server.report(line, _tone(path, reply.status))

    def _ask(self, sent: Sent) -> Reply:
        if "authorization" in sent.headers:
            self.server.authorizer_ready.wait(LONGEST_CALL_SECONDS)
        try:
            with self.server.gate.call(), self.server.calls:
                return ask(self.server.deployment, sent)
        except urllib3.exceptions.HTTPError as error:
            return _unreachable(error)


def _joined(lines: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Headers by name in lower case. Lines of one name are one list (RFC 9110, 5.2)."""
    headers: dict[str, str] = {}
    for line, value in lines:
        name = line.lower()
        between = "; " if name == "cookie" else ", "
        headers[name] = f"{headers[name]}{between}{value}" if name in headers else value
    return headers


def _unreachable(error: Exception) -> Reply:
    answer = json_answer({"message": f"The emulator did not answer: {error}"}, 502)
    return Reply(answer.status, list(answer.headers.items()), answer.body)


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
        f" {problem['code']}: {problem.get('detail', '')}"
        if isinstance(problem, dict) and "code" in problem
        else ""
    )
