"""wake(): a workflow's code sends an event to the items that wait, or decides once."""

from datetime import UTC, datetime
from typing import Any

import pytest

from functions.core.aws import step_functions
from functions.core.errors import InvalidParameters
from functions.core.runs.items import event_box
from functions.core.runs.items.event_box import KeyedEvent, key_address
from functions.core.runs.items.suspension import Suspended
from functions.core.runs.items.work import Work
from functions.core.workflow import wake
from tests.builders.steps import Steps
from tests.workflows.conftest import Clock

pytestmark = pytest.mark.usefixtures("cloud")

PAID = key_address("order.paid", "o1")
UNTIL = 2_000_000_000.0


@pytest.fixture
def waiting(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Task tokens of the tasks that wait."""
    tokens = set[str]()

    def succeed(token: str) -> bool:
        waited = token in tokens
        tokens.discard(token)
        return waited

    monkeypatch.setattr(step_functions, "succeed_task", succeed)
    return tokens


def listen(waiting: set[str], token: str = "token-1", item_id: str = "sell.a/0") -> None:
    waiting.add(token)
    event_box.listen([PAID], 0.0, item_id, token, UNTIL)


def found() -> Any:
    event = event_box.find([PAID], 1.0)
    return event.data if event else None


def test_it_wakes_all_items_that_wait_with_the_key(waiting: set[str]) -> None:
    listen(waiting)
    listen(waiting, "token-2", "sell.b/0")
    assert wake("order.paid", key="o1", data={"cents": 100}) == 2
    assert (found(), waiting) == ({"cents": 100}, set())


def test_another_key_wakes_nobody(waiting: set[str]) -> None:
    listen(waiting)
    assert wake("order.paid", key="o2") == 0
    assert waiting == {"token-1"}


def test_an_item_that_waits_later_finds_it(waiting: set[str]) -> None:
    assert wake("order.paid", key="o1") == 0
    listen(waiting)
    assert (found(), waiting) == ({}, set())


def test_data_are_as_json_has_them(waiting: set[str]) -> None:
    listen(waiting)
    wake("order.paid", key="o1", data={"at": datetime(2026, 11, 27, tzinfo=UTC), "of": ("a",)})
    assert found() == {"at": "2026-11-27T00:00:00Z", "of": ["a"]}


@pytest.mark.parametrize(
    ("about", "pointer"),
    [
        ({"event": "paid", "key": "o1"}, "/type"),
        ({"event": "order.paid", "key": ""}, "/key"),
        ({"event": "order.paid", "key": "k" * 257}, "/key"),
        ({"event": "order.paid", "key": "o1", "data": {"text": "x" * 200_000}}, "/data"),
    ],
)
def test_what_is_not_valid_is_refused(about: dict[str, Any], pointer: str) -> None:
    with pytest.raises(InvalidParameters) as told:
        wake(about.pop("event"), **about)
    assert [each.pointer for each in told.value.errors] == [pointer]


def test_an_item_that_waits_again_at_once_is_woken_by_the_next_event(
    waiting: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    listen(waiting)

    def goes_on(token: str) -> bool:
        monkeypatch.undo()
        event_box.listen([PAID], UNTIL - 1, "sell.a/0", "token-2", UNTIL)
        return token == "token-1"

    with monkeypatch.context() as patch:
        patch.setattr(step_functions, "succeed_task", goes_on)
        assert wake("order.paid", key="o1") == 1
    woken: list[str] = []

    def note(token: str) -> bool:
        woken.append(token)
        return True

    monkeypatch.setattr(step_functions, "succeed_task", note)
    assert (wake("order.paid", key="o1"), woken) == (1, ["token-2"])


# --- a decision -----------------------------------------------------------------------------------


def decide(decision: str) -> int:
    return wake("order.paid", key="o1", data={"decision": decision}, once=True)


def test_a_decision_counts_once(waiting: set[str]) -> None:
    listen(waiting)
    assert [decide("yes"), decide("no"), decide("yes")] == [1, 0, 0]
    assert found() == {"decision": "yes"}


def test_without_an_item_that_waits_a_decision_is_not_kept(waiting: set[str]) -> None:
    assert decide("yes") == 0
    assert found() is None
    listen(waiting)
    assert waiting == {"token-1"}


def test_a_decision_after_the_end_of_the_wait_wakes_none(waiting: set[str]) -> None:
    listen(waiting)
    waiting.clear()
    assert decide("yes") == 0


def test_of_two_decisions_at_once_the_first_that_is_kept_is_what_the_item_gets(
    waiting: set[str], clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other one has looked for listeners, and an earlier time, before that."""
    listen(waiting)
    began = clock()

    def meanwhile(address: str) -> list[Any]:
        monkeypatch.undo()
        monkeypatch.setattr(step_functions, "succeed_task", lambda _: True)
        clock.advance(5)
        assert decide("yes") == 1
        return [address]

    monkeypatch.setattr(event_box, "_listeners", meanwhile)
    assert decide("no") == 0
    assert (found(), began < clock()) == ({"decision": "yes"}, True)


def test_a_decision_whose_sender_died_is_sent_again(
    waiting: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    listen(waiting)

    def dies(*_: object) -> int:
        raise RuntimeError

    with monkeypatch.context() as patch:
        patch.setattr(event_box, "send", dies)
        with pytest.raises(RuntimeError):
            decide("yes")
    assert decide("no") == 0
    assert (found(), waiting) == ({"decision": "yes"}, set())


def test_a_decision_that_is_repeated_while_the_item_waits_counts(
    waiting: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    listen(waiting)
    with monkeypatch.context() as patch:
        patch.setattr(event_box, "send", lambda *_: 0)  # its answer was lost
        decide("yes")
    assert decide("yes") == 1


def test_a_later_wait_does_not_take_the_same_event_again(clock: Clock) -> None:
    """At this time a float's next microsecond has the place of this one."""
    moment = 1_795_796_991.099583
    event_box.wake(KeyedEvent(type="order.paid", key="o1"), moment)
    about: Any = {"run_id": "sell.a", "item_id": "sell.a/0", "began": lambda: moment - 1}
    work = Work(Steps(), **about, request_id="request-1", suspends=True, seconds_left=lambda: 200.0)
    assert work.wait_for("first", "order.paid", "o1", lambda: clock() + 60)
    with pytest.raises(Suspended):
        work.wait_for("second", "order.paid", "o1", lambda: clock() + 60)
