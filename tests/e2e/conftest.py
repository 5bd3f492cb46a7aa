"""The local stack as `make run` starts it, on a port and a state of its own, so that it does not meet one that is up."""

import io
import json
import re
import signal
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import httpx
import pytest
from botocore.exceptions import ClientError

from functions.core import aws, table
from functions.core.runs import settings
from functions.core.runs.run import Run, describe
from infra import sam
from infra.local.deploy import zipped_functions
from infra.local.emulator import Emulator
from infra.local.state import Running, read_running

START_SECONDS = 120
T = TypeVar("T")


class LocalStack:
    """A running `python -m infra.local`, and what it printed."""

    def __init__(self, state: Path, project: Path = sam.ROOT, /, **settings: object) -> None:
        self.state = state
        self.output: list[str] = []
        words = [f"{name}={value}" for name, value in ({"PORT": 0} | settings).items()]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "infra.local", f"STATE={state}", *words],
            cwd=project,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        eventually(lambda: self.exited or "Ctrl-C stops it" in self.text, START_SECONDS)

    def _read(self) -> None:
        assert self.process.stdout is not None
        with self.process.stdout as lines:
            for line in lines:
                self.output.append(line)

    @property
    def text(self) -> str:
        return "".join(self.output)

    @property
    def exited(self) -> bool:
        return self.process.poll() is not None

    def printed(self, name: str) -> str:
        found = re.search(rf"^  {name} +(\S+)$", self.text, re.MULTILINE)
        assert found, self.text
        return found[1]

    @property
    def running(self) -> Running:
        return read_running(self.state)

    @property
    def emulator(self) -> Emulator:
        return Emulator(self.running.emulator_url)

    @property
    def url(self) -> str:
        return self.printed("url")

    @property
    def api_url(self) -> str:
        """The API as the emulator serves it, without the local server's limit of calls at once."""
        running = self.running
        return f"{running.emulator_url}/_aws/execute-api/{running.outputs['ApiId']}/$default"

    def api(self, token: str | None = None) -> httpx.Client:
        headers = {"authorization": f"Bearer {token or self.printed('secret')}"}
        return httpx.Client(base_url=self.url, headers=headers, timeout=120)

    def inbox(self, to: str | None = None) -> list[dict[str, Any]]:
        query = {"to": to} if to else {}
        messages: list[dict[str, Any]] = httpx.get(f"{self.url}/_local/inbox", params=query, timeout=60).json()
        return messages

    def code(self, to: str) -> str:
        """The code in the newest message to a destination."""
        found = re.search(r"(?<!\d)\d{6,10}(?!\d)", self.inbox(to)[0]["text"])
        assert found
        return found[0]

    def logs(self) -> list[str]:
        """Every log line of every function."""
        functions = self.emulator.client("lambda").get_paginator("list_functions").paginate()
        names = [each["FunctionName"] for page in functions for each in page["Functions"]]
        return [line for name in names for line in self._logs(f"/aws/lambda/{name}")]

    def _logs(self, group: str) -> list[str]:
        """By group, without listing the groups: the emulator fails at that while any of them gets a new stream."""
        pages = self.emulator.client("logs").get_paginator("filter_log_events")
        for last in [False] * 20 + [True]:
            try:
                return [event["message"] for page in pages.paginate(logGroupName=group) for event in page["events"]]
            except ClientError as error:
                if error.response["Error"]["Code"] == "ResourceNotFoundException":
                    return []
                if last:
                    raise
        raise AssertionError

    def leaks(self) -> list[str]:
        """Codes, tokens and whole destinations that stand in a log line."""
        everything, messages = "\n".join(self.logs()), self.inbox()
        # Timestamps and ids have digits too: a code counts where it stands alone.
        codes = {code for message in messages for code in re.findall(r"(?<!\d)\d{6,10}(?!\d)", message["text"])}
        found = [code for code in codes if re.search(rf"(?<![\w.:-]){code}(?![\w.:-])", everything)]
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

    def add_workflow(self, name: str, code: str) -> None:
        """One more workflow beside the stack's own, with the rights and the environment of verify_delete."""
        client = self.emulator.client("lambda")
        like = client.get_function_configuration(FunctionName="local-wf-verify_delete")
        archive = io.BytesIO(zipped_functions())
        with zipfile.ZipFile(archive, "a") as added:
            added.writestr(f"{name}.py", code)
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
        """As Ctrl-C does."""
        leaks = [] if self.exited else self.leaks()
        if not self.exited:
            self.process.send_signal(signal.SIGINT)
        self.process.wait(60)
        self._reader.join()
        assert leaks == []


def eventually(condition: Callable[[], T], seconds: float = 60) -> T:
    """Waits for a condition to become true, and returns what it gave."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, "it did not become true in time"
        time.sleep(0.05)
    return found


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStack]:
    """The one stack that all tests share whose settings are the template's."""
    running = LocalStack(tmp_path_factory.mktemp("stack"))
    assert not running.exited, running.text
    yield running
    running.stop()


@pytest.fixture
def api(stack: LocalStack) -> Iterator[httpx.Client]:
    """A client with the secret development token."""
    with stack.api() as client:
        yield client


_numbers = iter(range(10_000))


@pytest.fixture
def email() -> str:
    """An address that no other test has."""
    return f"person{next(_numbers)}@example.com"


@pytest.fixture
def phone() -> str:
    """A number that no other test has, from the range reserved for fiction."""
    return f"+1415555{next(_numbers) + 100:04d}"


@pytest.fixture(scope="module")
def in_stack(stack: LocalStack) -> Iterator[None]:
    """Lets this process start and read runs of the stack, as an operator's command would."""
    cached = [aws.client, aws.session, table.connection, settings.settings]
    with pytest.MonkeyPatch.context() as patch:
        outputs = stack.running.outputs
        patch.setenv("AWS_ENDPOINT_URL", stack.running.emulator_url)
        patch.setenv("RUNS_BUCKET", outputs["RunsBucket"])
        patch.setenv("RUN_WORKFLOW", outputs["RunWorkflowArn"])
        for each in cached:
            each.cache_clear()
        yield
    for each in cached:
        each.cache_clear()


def ended(run: Run, seconds: float = 90) -> Run:
    """The run once it has ended."""
    eventually(lambda: describe(run.run_id).status != "running", seconds)
    return describe(run.run_id)
