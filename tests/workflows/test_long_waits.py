"""Items that wait for months: nothing that they need expires before them."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from functions.core import clock as times
from functions.core.clock import DAY_SECONDS
from functions.core.runs import cancellation, files
from functions.core.runs.items import event_box, leaving, outcomes
from functions.core.runs.items.event_box import KeyedEvent
from functions.core.runs.items.outcomes import CANCELLED, Outcome
from functions.core.runs.start import start
from functions.core.workflow import Call, Parameters, Result, workflow
from tests.builders import Context
from tests.builders.run_items import RUN_ID, delivery
from tests.workflows.conftest import Clock


class Greeting(Parameters):
    name: str = "nobody"


class Greeted(Result):
    done: bool = True


@pytest.fixture(autouse=True)
def clock(cloud: None, clock: Clock) -> Clock:  # noqa: ARG001 - the account comes first
    return clock


def expire(now: float) -> None:
    """Deletes what DynamoDB's TTL would have deleted by then."""
    for each in list(Outcome.scan()):
        if each.delete_at and each.delete_at < now:
            each.delete()


class Item:
    """An item of a long workflow, called whenever its wait is over."""

    def __init__(self, clock: Clock, do: Callable[[Call], object], **options: Any) -> None:
        def greet(_: Greeting, call: Call) -> Greeted:
            do(call)
            return Greeted()

        self.handler = workflow(greet, long=True, **options)
        self.clock = clock
        self.run_id = RUN_ID
        self.delete_at = str(int(clock()) + outcomes.OUTCOMES_KEPT_SECONDS)

    def call(self) -> dict[str, Any]:
        started_at = datetime.fromtimestamp(times.now(), UTC).isoformat()
        about: dict[str, Any] = {"run_id": self.run_id, "origin_run_id": self.run_id}
        event = delivery(delete_at=self.delete_at, started_at=started_at, **about)
        return dict(self.handler(event, Context(245_000)))

    def to_end(self) -> str:
        for _ in range(40):
            answer = self.call()
            if answer["status"] != "waiting":
                return str(answer["status"])
            self.clock.advance(answer["seconds"])
            expire(self.clock())
        raise AssertionError("the item never ends")


def test_a_step_is_not_done_again_after_months_of_waits(clock: Clock) -> None:
    done: list[str] = []

    def do(call: Call) -> None:
        call.step("welcome", lambda: done.append("welcome"))
        call.sleep("two months", days=60)
        call.step("remind", lambda: done.append("remind"))
        for month in range(5):
            call.sleep(f"month {month}", days=31)

    began = clock()
    assert Item(clock, do).to_end() == "succeeded"
    assert done == ["welcome", "remind"]
    assert clock() - began == pytest.approx((60 + 5 * 31) * DAY_SECONDS, abs=60)


def test_short_waits_rewrite_no_step(clock: Clock, dynamodb_requests: list[str]) -> None:
    def do(call: Call) -> None:
        call.step("first", lambda: 1)
        call.step("second", lambda: 2)
        call.sleep("a week", days=7)

    item = Item(clock, do)
    item.call()
    dynamodb_requests.clear()
    clock.advance(7 * DAY_SECONDS)
    item.call()
    assert dynamodb_requests.count("UpdateItem") == 2, "the claim and the end of the item"


def test_items_that_have_left_are_counted_as_long_as_they_wait(clock: Clock) -> None:
    run = start("greet", [{"name": "a"}, {"name": "b"}], token_id=None)
    leaving._count_left(run.run_id, 0)
    clock.advance(300 * DAY_SECONDS)
    expire(clock())
    assert outcomes.tally(run.run_id).waiting == 1


def test_a_cancelled_item_stays_cancelled_when_it_wakes_after_months(clock: Clock) -> None:
    done: list[str] = []

    def do(call: Call) -> None:
        call.sleep("four months", days=120)
        done.append("after")

    item = Item(clock, do)
    assert item.call()["status"] == "waiting"
    cancellation.cancel(RUN_ID)
    assert Outcome.get(RUN_ID, CANCELLED)
    clock.advance(121 * DAY_SECONDS)
    expire(clock())
    assert (item.call(), done) == ({"status": "cancelled"}, [])


def test_an_event_that_is_sent_before_the_item_begins_counts(clock: Clock) -> None:
    came: list[object] = []
    run = start("greet", [{"name": "a"}], token_id=None)
    clock.advance(0.01)
    event_box.wake(KeyedEvent(type="user.activated", key="u1", data={"n": 1}), clock())
    clock.advance(5)
    item = Item(clock, lambda call: came.append(call.wait_for("user.activated", key="u1", days=1)))
    item.run_id = run.run_id
    assert item.to_end() == "succeeded"
    assert came[0] is not None


def test_a_cancelled_item_that_waited_gives_its_key_back(clock: Clock) -> None:
    first = Item(clock, lambda call: call.sleep("month", days=30), one_per="name")
    second = Item(clock, lambda _: None, one_per="name")
    second.run_id = f"greet.{'1' * 26}"
    assert first.call()["status"] == "waiting"
    assert second.call()["status"] == "skipped"
    cancellation.cancel(first.run_id)
    third = Item(clock, lambda _: None, one_per="name")
    third.run_id = f"greet.{'2' * 26}"
    assert third.call()["status"] == "succeeded"


def test_a_cancelled_item_keeps_its_key_while_it_works(clock: Clock) -> None:
    other = Item(clock, lambda _: None, one_per="name")
    other.run_id = f"greet.{'1' * 26}"
    statuses: list[str] = []

    def do(_: Call) -> None:
        cancellation.cancel(RUN_ID)
        statuses.append(other.call()["status"])

    Item(clock, do, one_per="name").call()
    assert statuses == ["skipped"]


def test_an_item_whose_parameters_are_gone_does_not_run_with_none(clock: Clock) -> None:
    done: list[str] = []

    def do(call: Call) -> None:
        call.sleep("a day", days=1)
        done.append("after")

    item = Item(clock, do)
    assert item.call()["status"] == "waiting"
    files.free_item(RUN_ID, 1)
    clock.advance(2 * DAY_SECONDS)
    assert (item.call()["status"], done) == ("failed", [])
    found = outcomes.find_outcome(RUN_ID, 1)
    assert found
    assert found.problem
    assert found.problem.code == "conflict"
