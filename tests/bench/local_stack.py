"""Seconds in which `make run` starts, and the local stack's own share of a call (Linux only).

.venv/bin/python -m tests.bench.local_stack
"""

import http.client
import json
import statistics
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from infra.local.development import SECRET
from infra.local.emulator import free_port
from infra.local.guard import KEY_HEADER
from tests.bench.page import Machine
from tests.e2e.conftest import LocalStack

STARTS = 5
CALLS = 60
_TICKS = 100
"""Ticks of a second in /proc (USER_HZ)."""


class Job(NamedTuple):
    """A call of the API."""

    name: str
    method: str
    path: str
    body: Callable[[], str | None] = lambda: None


def _address() -> str:
    return json.dumps({"channel": "email", "to": f"{uuid.uuid4().hex}@example.com"})


def _guess() -> str:
    return json.dumps({"verification_id": uuid.uuid4().hex, "code": "000000"})


SEND = Job("verify_send", "POST", "/workflows/verify_send", _address)
JOBS = (
    Job("no such route", "GET", "/nothing"),
    Job("verify_check", "POST", "/workflows/verify_check", _guess),
    SEND,
)


def main() -> None:
    """Prints both tables."""
    print(f"{Machine.now().described}\n")
    with tempfile.TemporaryDirectory() as folder:
        state, port = Path(folder) / "state", free_port()
        print("| start | ready, s | first verify_send, s | CPU until then, s |")
        print("| --- | ---: | ---: | ---: |")
        print(_row("first, on a new state", [_start(state, port)]), flush=True)
        print(_row(f"later, median of {STARTS}", [_start(state, port) for _ in range(STARTS)]))
        stack = LocalStack.start(state, PORT=port)
        print("\n| call | through the server, ms | straight to the emulator, ms |")
        print("| --- | ---: | ---: |")
        for job in JOBS:
            print(f"| {job.name} | {_through(stack, job):.1f} | {_straight(stack, job):.1f} |")
        stack.end()


def _row(name: str, starts: list[tuple[float, ...]]) -> str:
    middle = [statistics.median(each) for each in zip(*starts, strict=True)]
    return f"| {name} | " + " | ".join(f"{value:.1f}" for value in middle) + " |"


def _start(state: Path, port: int) -> tuple[float, ...]:
    """Seconds to the line `ready` and to the first code, and CPU seconds of all processes."""
    began = time.monotonic()
    stack = LocalStack.start(state, PORT=port)
    ready = time.monotonic() - began
    _call(http.client.HTTPConnection(urlsplit(stack.url).netloc, timeout=120), SEND, {})
    first = time.monotonic() - began
    assert stack.process
    cpu = sum(_cpu_seconds(each) for each in _tree(stack.process.pid))
    stack.end()
    return ready, first, cpu


def _through(stack: LocalStack, job: Job) -> float:
    return _median_ms(http.client.HTTPConnection(urlsplit(stack.url).netloc), job, {})


def _straight(stack: LocalStack, job: Job) -> float:
    url = urlsplit(stack.api_url)
    straight = job._replace(path=url.path + job.path)
    key = {KEY_HEADER: stack.running.emulator_key}
    return _median_ms(http.client.HTTPConnection(url.netloc), straight, key)


def _median_ms(connection: http.client.HTTPConnection, job: Job, headers: dict[str, str]) -> float:
    """Median of calls on one connection, after the first has started the function."""
    _call(connection, job, headers)
    return 1000 * statistics.median(_call(connection, job, headers) for _ in range(CALLS))


def _call(connection: http.client.HTTPConnection, job: Job, headers: dict[str, str]) -> float:
    began = time.monotonic()
    headers = {"authorization": f"Bearer {SECRET}", "content-type": "application/json"} | headers
    connection.request(job.method, job.path, job.body(), headers)
    answer = connection.getresponse()
    answer.read()
    assert answer.status in {200, 404}, f"{job.name}: {answer.status}"
    return time.monotonic() - began


def _tree(process: int) -> Iterator[int]:
    """A process and all that it has started."""
    yield process
    for tasks in Path(f"/proc/{process}/task").glob("*/children"):
        for child in tasks.read_text().split():
            yield from _tree(int(child))


def _cpu_seconds(process: int) -> float:
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return sum(int(ticks) for ticks in fields[11:15]) / _TICKS


if __name__ == "__main__":
    main()
