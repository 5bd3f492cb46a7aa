"""The local stack as `make run` starts it, on a port and state of its own.

Tests speak HTTP to it. Through `LocalStack` they read from the emulator what HTTP cannot show, such
as a log or the record of a verification.
"""

import fcntl
import io
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
import uuid
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any, TypeVar

import httpx
import pytest
from botocore.exceptions import ClientError
from standardwebhooks.webhooks import Webhook

from infra import sam
from infra.local.deploy import zipped_functions
from infra.local.emulator import Emulator
from infra.local.state import Running, read_running
from tests import fakes
from tests.builders.codes import stands_in
from tests.sizes import SOAK

START_SECONDS = 120
WAIT_SECONDS = 120
"""Generous: a slow machine with four workers takes several times as long as usual."""
DAY_SECONDS = 86_400
LONGEST_SHOWN = 3000
WAIT_SCALE = 0.1
"""Scale of waits and pauses in the emulator's Step Functions; `make soak` keeps their full length.
"""
T = TypeVar("T")
Json = dict[str, Any]


def eventually(
    what: str,
    look: Callable[[], T],
    until: Callable[[T], object] = bool,
    seconds: float = WAIT_SECONDS,
    every: float = 0.05,
) -> T:
    """Polls until the condition holds, and returns the value.

    Args:
        what: the condition in words, for the failure message.
        look: returns the current value.
        until: whether a value meets the condition; by default, whether it is true.
        seconds: longest wait.
        every: seconds between two looks; longer where a look costs much.
    """
    deadline = time.monotonic() + seconds
    while not until(seen := look()):
        assert time.monotonic() < deadline, (
            f"after {seconds} s still waiting until {what}; seen last: {shortened(repr(seen))}"
        )
        time.sleep(every)
    return seen


def wait_for_room_before_midnight(seconds: float = 15) -> None:
    """Waits if midnight (UTC) is near, when daily limits start again."""
    left = DAY_SECONDS - time.time() % DAY_SECONDS
    if left < seconds:
        time.sleep(left)


def shortened(text: str) -> str:
    """End of a long text."""
    return text if len(text) <= LONGEST_SHOWN else f"…{text[-LONGEST_SHOWN:]}"


class LocalStack:
    """A running `python -m infra.local`, perhaps started by another process, and its output."""

    def __init__(self, state: Path, process: "subprocess.Popen[bytes] | None" = None) -> None:
        self.state = state
        self.process = process
        self._log = _log(state)

    @classmethod
    def start(
        cls, state: Path, project: Path = sam.ROOT, /, *, check: bool = True, **settings: object
    ) -> "LocalStack":
        """Starts a local stack and waits until it is up or has exited.

        Args:
            state: its state folder.
            project: folder of the code and the template that it runs.
            check: whether it must come up.
            settings: as on make's command line.
        """
        state.mkdir(parents=True, exist_ok=True)
        log = state.with_name(f"{state.name}-printed-{time.monotonic_ns():020}.log")
        words = [f"{name}={value}" for name, value in ({"PORT": 0} | settings).items()]
        command = [sys.executable, "-m", "infra.local", f"STATE={state}", *words]
        waits = {} if SOAK else {"SFN_WAIT_SCALE": str(WAIT_SCALE)}
        with log.open("w") as file:
            process = subprocess.Popen(
                command, cwd=project, env=os.environ | waits, stdout=file, stderr=file
            )
        stack = cls(state, process)
        eventually(
            "the stack is up, or has ended",
            lambda: stack.text,
            lambda text: stack.exited or "Ctrl-C stops it" in text,
            START_SECONDS,
        )
        assert not (check and stack.exited), stack.text
        return stack

    @property
    def text(self) -> str:
        return self._log.read_text()

    def wait_for_text(self, text: str) -> str:
        """Waits until the output contains the text; returns all output."""
        return eventually(f"{text!r} is printed", lambda: self.text, lambda seen: text in seen)

    @property
    def exited(self) -> bool:
        return self.process is not None and self.process.poll() is not None

    @property
    def exit_status(self) -> int:
        """Waits until the started process has exited."""
        assert self.process
        return self.process.wait(WAIT_SECONDS)

    def printed(self, name: str) -> str:
        found = re.search(rf"^  {name} +(\S+)$", self.text, re.MULTILINE)
        assert found, self.text
        return found[1]

    @property
    def running(self) -> Running:
        return read_running(self.state)

    @property
    def emulator(self) -> Emulator:
        running = self.running
        return Emulator(running.emulator_url, running.emulator_key)

    @property
    def url(self) -> str:
        return self.printed("url")

    @property
    def api_url(self) -> str:
        """URL of the API at the emulator, which bypasses the local server's limit of parallel
        calls.
        """
        running = self.running
        return f"{running.emulator_url}/_aws/execute-api/{running.outputs['ApiId']}/$default"

    def api(self, token: str | None = None) -> httpx.Client:
        headers = {"authorization": f"Bearer {token or self.printed('secret')}"}
        return httpx.Client(base_url=self.url, headers=headers, timeout=120)

    def inbox(self, to: str | None = None) -> list[dict[str, Any]]:
        query = {"to": to} if to else {}
        messages: list[dict[str, Any]] = httpx.get(
            f"{self.url}/_local/inbox", params=query, timeout=60
        ).json()
        return messages

    def code(self, to: str) -> str:
        """Code in the newest message to a destination."""
        messages = self.inbox(to)
        assert messages, f"no message to {to} has arrived"
        found = re.search(r"(?<!\d)\d{6,10}(?!\d)", messages[0]["text"])
        assert found, messages[0]
        return found[0]

    def logs(self) -> list[str]:
        """Every log line of every function."""
        functions = self.emulator.client("lambda").get_paginator("list_functions").paginate()
        names = [each["FunctionName"] for page in functions for each in page["Functions"]]
        return [line for name in names for line in self._logs(f"/aws/lambda/{name}")]

    def _logs(self, group: str) -> list[str]:
        """Lines of a log group.

        The groups are not listed: the emulator fails to list them while one gets a new stream.
        """
        pages = self.emulator.client("logs").get_paginator("filter_log_events")
        for last in [False] * 20 + [True]:
            try:
                return [
                    event["message"]
                    for page in pages.paginate(logGroupName=group)
                    for event in page["events"]
                ]
            except ClientError as error:
                if error.response["Error"]["Code"] == "ResourceNotFoundException":
                    return []
                if last:
                    raise
        raise AssertionError

    def leaks(self, lines: list[str]) -> list[str]:
        """Codes, tokens and whole destinations found in log lines."""
        everything, messages = "\n".join(lines), self.inbox() if lines else []
        # Timestamps and ids have digits too, so only a code that stands alone counts.
        codes = {
            code
            for message in messages
            for code in re.findall(r"(?<!\d)\d{6,10}(?!\d)", message["text"])
        }
        found = [code for code in codes if stands_in(code, everything)]
        found += [message["to"] for message in messages if message["to"] in everything]
        return found + re.findall(r"wf_[A-Za-z0-9_-]{20,}", everything)

    def token(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Runs infra.tokens, as `make token` does."""
        return self._command("infra.tokens", *words)

    def operate(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Runs infra.operate, as `make unlock` and `make rotate-keys` do."""
        return self._command("infra.operate", *words)

    def _command(self, module: str, *words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", module, "--state", str(self.state), *words]
        return subprocess.run(command, cwd=sam.ROOT, capture_output=True, text=True, check=False)

    def new_token(self, kind: str, scopes: str) -> dict[str, str]:
        done = self.token("issue", "--name", "test", "--kind", kind, "--scopes", scopes, "--json")
        assert done.returncode == 0, done.stderr
        issued: dict[str, str] = json.loads(done.stdout)
        return issued

    def new_api(self, scopes: str) -> httpx.Client:
        """Client with a new token of these scopes."""
        return self.api(self.new_token("secret", scopes)["token"])

    def secret(self, output: str) -> str:
        """Text of a secret that the stack's outputs name, as an operator reads it."""
        arn = self.running.outputs[output]
        secrets = self.emulator.client("secretsmanager")
        return str(secrets.get_secret_value(SecretId=arn)["SecretString"])

    def verification(self, verification_id: str) -> Json | None:
        """Record of a verification; null if there is none."""
        key = {"verification_id": {"S": verification_id}}
        table = self.emulator.client("dynamodb")
        record: Json | None = table.get_item(TableName="local-verifications", Key=key).get("Item")
        return record

    def answer(self, workflow: str, **parameters: Any) -> Json:
        """Answer of a workflow without a route to a `direct` call: a result or a problem."""
        event = json.dumps({"trigger": "direct", "parameters": parameters})
        function = {"FunctionName": f"local-wf-{workflow}", "Payload": event}
        answer: Json = json.load(self.emulator.client("lambda").invoke(**function)["Payload"])
        return answer

    def invoke(self, workflow: str, **parameters: Any) -> Json:
        """Result of a `direct` call."""
        answer = self.answer(workflow, **parameters)
        assert answer.get("result"), answer
        result: Json = answer["result"]
        return result

    def make_due(self, name: str, group: str, expression: str | None = None) -> None:
        """Changes only a schedule's time, to now; the emulator looks every 10 s."""
        scheduler = self.emulator.client("scheduler")
        about = scheduler.get_schedule(Name=name, GroupName=group)
        kept = ("State", "Target", "FlexibleTimeWindow", "ActionAfterCompletion")
        scheduler.update_schedule(
            Name=name,
            GroupName=group,
            ScheduleExpression=expression or f"at({datetime.now(UTC):%Y-%m-%dT%H:%M:%S})",
            **{each: about[each] for each in kept},
        )

    def add_workflow(self, name: str, code: str) -> None:
        """Adds a workflow with the rights and the environment of verify_delete.

        Another worker may have added it already.
        """
        client = self.emulator.client("lambda")
        like = client.get_function_configuration(FunctionName="local-wf-verify_delete")
        archive = io.BytesIO(zipped_functions())
        with zipfile.ZipFile(archive, "a") as added:
            added.writestr(f"{name}.py", code)
        with suppress(client.exceptions.ResourceConflictException):
            client.create_function(
                FunctionName=f"local-wf-{name}",
                Runtime=like["Runtime"],
                Role=like["Role"],
                Handler=f"{name}.lambda_handler",
                Code={"ZipFile": archive.getvalue()},
                Environment={"Variables": like["Environment"]["Variables"]},
                Timeout=like["Timeout"],
            )

    def stop(self) -> None:
        """Stops it as Ctrl-C does, and checks the logs for codes, tokens and whole destinations."""
        lines = [] if self.exited else self.logs()
        leaks = self.leaks(lines)
        self.end()
        assert leaks == [], "the logs hold codes, tokens or whole destinations"
        # A function that was called has written a line, be it only that the call is refused.
        assert not lines or any('"level":' in line for line in lines), "no function's log was read"

    def end(self) -> None:
        """Stops the process, whoever started it, and waits until its state is saved."""
        if self.process is not None:
            if not self.exited:
                self.process.send_signal(signal.SIGINT)
            self.process.wait(WAIT_SECONDS)
            return
        pid = int((self.state / "pid").read_text())
        os.kill(pid, signal.SIGINT)
        eventually(f"process {pid} has ended", lambda: _runs(pid), lambda runs: not runs)


def keys_of(secret: str) -> list[str]:
    """Keys in a secret's text, the current one first: one key, or a JSON list of two."""
    listed: list[str] = json.loads(secret) if secret.startswith("[") else [secret.strip()]
    return listed


def _log(state: Path) -> Path:
    """Output file of the last start on a state."""
    return max(state.parent.glob(f"{state.name}-printed-*.log"))


def _runs(pid: int) -> bool:
    """Whether a process runs. A zombie, another process's ended child, does not count."""
    said = subprocess.run(
        ["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False
    ).stdout
    return said.strip()[:1] not in {"", "Z"}


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Iterator[LocalStack]:
    """The stack with the template's settings, shared by all tests of all workers."""
    if worker_id == "master":
        running = LocalStack.start(tmp_path_factory.mktemp("stack"))
        yield running
        running.stop()
        return
    shared = tmp_path_factory.getbasetemp().parent
    yield join(shared, worker_id)
    leave(shared, worker_id)


def join(shared: Path, worker_id: str) -> LocalStack:
    """Returns the stack of all workers; the first worker starts it."""
    state, users = shared / "stack", shared / "stack-users"
    with lock(shared):
        if users.exists() and any(users.iterdir()):
            running = LocalStack(state)
        else:
            running = LocalStack.start(state)
            assert running.process
            (state / "pid").write_text(str(running.process.pid))
            users.mkdir(exist_ok=True)
        (users / worker_id).touch()
    return running


def leave(shared: Path, worker_id: str) -> None:
    """Leaves the shared stack; the last worker stops it, which checks the logs of all tests."""
    with lock(shared):
        (shared / "stack-users" / worker_id).unlink()
        if not any((shared / "stack-users").iterdir()):
            LocalStack(shared / "stack").stop()


class Receiver:
    """Backend of an app: keeps each delivery, and fails those that it is told to fail."""

    def __init__(self) -> None:
        self.arrived: list[tuple[str, dict[str, str], bytes]] = []
        self._failing: list[bytes] = []
        self._lock = threading.Lock()

    def __call__(self, request: BaseHTTPRequestHandler, body: bytes) -> None:
        with self._lock:
            self.arrived.append((request.path, dict(request.headers.items()), body))
            failing = [each for each in self._failing if each in body]
            self._failing = [each for each in self._failing if each not in failing]
        fakes.reply(request, 503 if failing else 204, b"", {})

    def fail_once(self, part: bytes) -> None:
        """Fails the first delivery that contains this text; other deliveries are unaffected."""
        self._failing.append(part)

    def arrived_with(self, part: bytes) -> list[tuple[bytes, dict[str, str]]]:
        """Bodies and headers of the deliveries that contain this text."""
        return [(body, headers) for _, headers, body in list(self.arrived) if part in body]

    def events(self, path: str, key: str, kind: str, **data: Any) -> list[Json]:
        """Verified events of a type that arrived there with this data.

        Other events are not verified: after five minutes they are too old for that.
        """
        return [
            Webhook(key).verify(body, headers)
            for at, headers, body in list(self.arrived)
            if at == path and _is(json.loads(body), kind, data)
        ]

    def wait_for_event(self, path: str, key: str, kind: str, **data: Any) -> Json:
        """Waits for the first such event."""
        eventually(
            f"{path} has the event {kind} with {data}",
            lambda: [json.loads(body) for at, _, body in list(self.arrived) if at == path],
            lambda seen: any(_is(each, kind, data) for each in seen),
        )
        return self.events(path, key, kind, **data)[0]


def _is(event: Json, kind: str, data: Json) -> bool:
    return bool(event["type"] == kind and event["data"].items() >= data.items())


@pytest.fixture(scope="session")
def receiver() -> Receiver:
    return Receiver()


@pytest.fixture(scope="session")
def receiver_url(receiver: Receiver) -> Iterator[str]:
    with fakes.server(receiver) as url:
        yield url


@pytest.fixture(scope="session")
def special(receiver_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStack]:
    """The one stack on which every option is switched on.

    Its tests are on one worker (tests/scheduling.py).
    """
    running = LocalStack.start(
        tmp_path_factory.mktemp("special"),
        DELIVERY_STATUS="true",
        EVENTS_URL=f"{receiver_url}/events",
        EVENT_TYPES="verification.*,usersnap.*,order.*",
        PROOFS="true",
        RESEND_AFTER_SECONDS=1,
        SMS_PROVIDERS="end_user_messaging,twilio",
        TWILIO_CHANNELS="whatsapp,voice",
    )
    yield running
    running.stop()


@contextmanager
def lock(folder: Path) -> Iterator[None]:
    """Lock that one process holds at a time."""
    with (folder / "stack.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@pytest.fixture
def api(stack: LocalStack) -> Iterator[httpx.Client]:
    """Client with the secret development token."""
    with stack.api() as client:
        yield client


@pytest.fixture
def email() -> str:
    """Address that no other test uses."""
    return f"person-{uuid.uuid4().hex[:12]}@example.com"


_lines = iter(range(100))


@pytest.fixture
def phone(worker_id: str) -> str:
    """Number that no other test uses.

    Each worker has an area code. In each of them, 555-0100 to 555-0199 are reserved for fiction.
    """
    areas = (212, 213, 310, 312, 415, 503, 617, 702, 808, 907)
    area = areas[int(worker_id.removeprefix("gw")) if worker_id != "master" else 0]
    return f"+1{area}55501{next(_lines):02d}"
