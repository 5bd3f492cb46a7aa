"""`Prefer: respond-async, wait=10`: the answer waits for the outcome of its run."""

import json
import time
from collections.abc import Callable
from typing import Any

import pytest

from functions.core.errors import Conflict, Unavailable
from functions.core.http.problems import problem
from functions.core.runs.items.attempts import Attempt, claim
from functions.core.workflow import Parameters, Result, workflow
from tests.builders import Reply, call
from tests.builders.run_records import started_runs
from tests.workflows.conftest import Clock, admin

pytestmark = pytest.mark.usefixtures("cloud")

SCOPES = ("workflow:greet", "runs:write")
KEY = "8e03978e-40d5-43dd-bc93-6894a57f9324"


class Greeting(Parameters):
    name: str
    title: str | None = None


class Greeted(Result):
    text: str


def greet(greeting: Greeting) -> Greeted:
    return Greeted(text=f"Hello, {greeting.name}")


def succeed(attempt: Attempt) -> None:
    attempt.succeed(json.dumps({"text": "Hello, Ana"}))


def fail(attempt: Attempt) -> None:
    attempt.fail(problem(Conflict("It is so."), "an-item"))


def fail_for_now(attempt: Attempt) -> None:
    attempt.give_up(problem(Unavailable("Not now."), "an-item"), 0)


def park(attempt: Attempt) -> None:
    attempt.park("2026-11-27T12:00:05Z", None, 1_900_000_000)


class Pauses:
    """Sleep, in which the run goes on: after some pauses its item ends."""

    def __init__(self, clock: Clock, end: Callable[[Attempt], None], after: int) -> None:
        self.slept: list[float] = []
        self._clock, self._end, self._after = clock, end, after
        self._began = time.monotonic()

    def slept_of(self, seconds: float) -> bool:
        """Whether it slept for a wait of so long, less what its own work took of it."""
        worked = time.monotonic() - self._began
        return seconds - worked - 0.1 <= sum(self.slept) <= seconds + 0.1

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self._clock.advance(seconds)
        if len(self.slept) == self._after:
            (run_id,) = started_runs()
            attempt = claim(run_id, 0, 1_900_000_000)
            assert isinstance(attempt, Attempt)
            self._end(attempt)


@pytest.fixture
def pauses(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Pauses]:
    def begin(end: Callable[[Attempt], None] = succeed, after: int = 3) -> Pauses:
        made = Pauses(clock, end, after)
        monkeypatch.setattr(time, "sleep", made.sleep)
        return made

    return begin


def ask(prefer: str = "respond-async, wait=10", **headers: str) -> Reply:
    about = {"prefer": prefer} | {name.replace("_", "-"): text for name, text in headers.items()}
    return call(workflow(greet), {"name": "Ana"}, scopes=SCOPES, headers=about)


def test_a_run_that_ends_in_time_is_answered_with_its_result(
    pauses: Callable[..., Pauses], dynamodb_requests: list[str]
) -> None:
    waited = pauses(after=3)
    reply = ask()
    assert (reply.status, reply.body) == (200, {"text": "Hello, Ana"})
    assert reply.headers["preference-applied"] == "wait=10"
    assert reply.headers["location"].startswith("/runs/greet.")
    assert waited.slept == pytest.approx([0.1, 0.15, 0.225])
    assert dynamodb_requests.count("GetItem") == 3


def test_a_run_that_fails_in_time_is_answered_with_its_problem(
    pauses: Callable[..., Pauses],
) -> None:
    pauses(fail)
    reply = ask()
    assert (reply.status, reply.body["code"], reply.body["detail"]) == (
        409,
        "conflict",
        "It is so.",
    )
    assert reply.body["request_id"] == "request-1"
    assert reply.headers["preference-applied"] == "wait=10"
    assert reply.headers["location"].startswith("/runs/greet.")


@pytest.mark.parametrize("end", [fail_for_now, park, lambda _: None])
def test_a_run_that_takes_longer_is_answered_as_a_run(
    end: Callable[[Attempt], None], pauses: Callable[..., Pauses]
) -> None:
    waited = pauses(end)
    reply = ask()
    assert (reply.status, reply.body["status"]) == (202, "running")
    assert reply.headers["preference-applied"] == "respond-async, wait=10"
    assert waited.slept_of(10)
    assert max(waited.slept) == 1


def test_nobody_waits_longer_than_the_request_can(pauses: Callable[..., Pauses]) -> None:
    waited = pauses(lambda _: None)
    assert ask("respond-async, wait=3600").headers["preference-applied"] == "respond-async, wait=20"
    assert waited.slept_of(20)


@pytest.mark.parametrize(
    "prefer", ["respond-async", "respond-async, wait=ten", "respond-async, wait=0"]
)
def test_without_a_valid_wait_the_answer_is_the_run_at_once(
    prefer: str, pauses: Callable[..., Pauses]
) -> None:
    waited = pauses()
    reply = ask(prefer)
    assert (reply.status, reply.headers["preference-applied"]) == (202, "respond-async")
    assert waited.slept == []


def test_a_wait_alone_is_ignored_because_the_call_waits_anyway() -> None:
    reply = ask("wait=10")
    assert (reply.status, reply.body) == (200, {"text": "Hello, Ana"})
    assert "preference-applied" not in reply.headers
    assert started_runs() == []


@pytest.mark.parametrize(("end", "status"), [(succeed, 200), (fail, 409)])
def test_a_repetition_with_the_same_key_is_the_same_run(
    end: Callable[[Attempt], None], status: int, pauses: Callable[..., Pauses]
) -> None:
    pauses(end)
    replies = [ask(idempotency_key=KEY) for _ in range(2)]
    assert [reply.status for reply in replies] == [status, status]
    assert replies[0].body == replies[1].body
    assert len(started_runs()) == 1


def forget_answers() -> None:
    """A day later the answers are gone, and the run stays the same."""
    table = admin("dynamodb")
    for each in table.scan(TableName="local-idempotency")["Items"]:
        table.delete_item(TableName="local-idempotency", Key={"call": each["call"]})


def test_null_and_absent_parameters_are_the_same_run() -> None:
    headers = {"prefer": "respond-async", "idempotency-key": KEY}
    options: dict[str, Any] = {"scopes": SCOPES, "headers": headers}
    bodies: list[dict[str, object]] = [
        {"name": "Ana"},
        {"name": "Ana", "title": None},
        {"name": "Ana", "title": ""},
    ]
    replies = []
    for body in bodies:
        replies.append(call(workflow(greet), body, **options))
        forget_answers()
    assert [reply.status for reply in replies] == [202, 202, 202]
    assert len({reply.body["run_id"] for reply in replies}) == 1
