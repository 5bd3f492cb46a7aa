"""Work of an item over a store in memory: steps, sleeps and waits, through every interruption."""

import io
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from itertools import pairwise
from threading import Barrier
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec import Struct

from functions.core.definition.call import Call
from functions.core.errors import (
    Changed,
    Conflict,
    ProviderUnavailable,
    StepFailed,
    TooSlow,
    Unavailable,
    WorkflowError,
)
from functions.core.runs.items.event_box import StoredEvent, item_address, key_address
from functions.core.runs.items.steps import Step
from functions.core.runs.items.suspension import Suspended
from functions.core.runs.items.work import Work
from tests.clock import Clock

ITEM = "onboard.a/0"


class Died(BaseException):
    """The process has died."""


class Store:
    """Records in memory, which may lose the process at a write: before it or after it."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}
        self.dies_at: dict[int, str] = {}
        self.writes = 0

    def all(self) -> dict[str, Step]:
        return {name: msgspec.json.decode(text, type=Step) for name, text in self.kept.items()}

    def keep(self, step: Step) -> None:
        self.writes += 1
        when = self.dies_at.get(self.writes)
        if when == "before":
            raise Died
        self.kept[step.name] = msgspec.json.encode(step)
        if when == "after":
            raise Died


class Item:
    """An item of a long workflow, called again and again as RunWorkflow does."""

    def __init__(self, clock: Clock, function: Callable[[Work], Any]) -> None:
        self.clock = clock
        self.function = function
        self.store = Store()
        self.events: list[tuple[str, StoredEvent]] = []
        self.calls = 0
        self.began = clock()
        self.seconds_left = 240.0
        self.fresh = True

    def work(self, run_id: str = "onboard.a", *, suspends: bool = True) -> Work:
        return Work(
            self.store,
            run_id=run_id,
            item_id=ITEM,
            request_id=f"request-{self.calls}",
            began=lambda: self.began,
            suspends=suspends,
            seconds_left=lambda: self.seconds_left,
            fresh=self.fresh,
            find_event=self.find,
        )

    def find(self, addresses: tuple[str, ...], since: float) -> StoredEvent | None:
        came = [event for place, event in self.events if place in addresses]
        return min(
            (each for each in came if each.received_at >= since),
            key=lambda each: each.received_at,
            default=None,
        )

    def call(self, run_id: str = "onboard.a") -> Any:
        self.calls += 1
        return self.function(self.work(run_id))

    def to_end(self, run_id: str = "onboard.a") -> Any:
        """Result after all calls; time passes as far as the item asks."""
        for _ in range(200):
            try:
                return self.call(run_id)
            except Suspended as pause:
                self.clock.advance(max(pause.until - self.clock(), 0))
            except Died:
                self.store.dies_at.clear()
        raise AssertionError("the item never ends")


def noted(notes: list[Any], note: object) -> int:
    """Notes something; returns how much is noted."""
    notes.append(note)
    return len(notes)


def step(work: Work, name: str, do: Callable[[], Any], **options: Any) -> Any:
    return Call(request_id="r", trigger="run", work=work).step(name, do, **options)


def test_a_step_is_done_once_and_gives_the_same_result_at_every_call(clock: Clock) -> None:
    done: list[int] = []

    def function(work: Work) -> Any:
        number = step(work, "count", lambda: noted(done, 1))
        work.sleep("a day", lambda: clock() + 86_400)
        return number

    item = Item(clock, function)
    assert item.to_end() == 1
    assert (done, item.calls) == ([1], 2)


def test_a_sleep_lasts_as_long_as_it_says_and_is_never_cut_short(clock: Clock) -> None:
    item = Item(clock, lambda work: work.sleep("nap", lambda: clock() + 100.4))
    began = clock()
    with pytest.raises(Suspended) as pause:
        item.call()
    assert pause.value.until >= began + 100.4
    assert pause.value.until == int(pause.value.until)
    clock.advance(50)
    with pytest.raises(Suspended) as again:
        item.call()
    assert again.value.until == pause.value.until
    item.to_end()
    assert clock() >= began + 100.4


def test_a_step_that_fails_pauses_longer_each_time_and_then_gives_up(clock: Clock) -> None:
    times: list[float] = []

    def fails() -> None:
        times.append(clock())
        raise OSError("Away.")

    item = Item(clock, lambda work: step(work, "call", fails, retries=3, first=2, longest=5))
    with pytest.raises(StepFailed) as failed:
        item.to_end()
    pauses = [round(b - a) for a, b in pairwise(times)]
    assert [
        asked <= pause <= asked * 1.1 + 1 for asked, pause in zip((2, 4, 5), pauses, strict=True)
    ] == [True] * 3, "up to a tenth longer, and rounded up to whole seconds"
    assert failed.value.problem.code == "internal_error"
    told = failed.value.problem
    assert told.request_id == "request-4", "the call whose log has its traceback"
    assert told.detail.endswith("make logs REQUEST=request-4")
    with pytest.raises(StepFailed):
        item.call()
    assert len(times) == 4, "a step that has failed is not tried again in the same run"


def test_a_step_with_pauses_of_its_own_keeps_to_them_and_then_gives_up(clock: Clock) -> None:
    times: list[float] = []

    def fails() -> None:
        times.append(clock())
        raise Unavailable("Away.", retry_after=1)

    item = Item(clock, lambda work: step(work, "call", fails, pauses=(5, 300, 36_000, 36_000)))
    with pytest.raises(StepFailed, match="attempt 5"):
        item.to_end()
    pauses = [round(b - a) for a, b in pairwise(times)]
    assert [
        asked <= pause <= asked * 1.1 + 1
        for asked, pause in zip((5, 300, 36_000, 36_000), pauses, strict=True)
    ] == [True] * 4


def test_items_whose_steps_fail_together_do_not_come_back_together(clock: Clock) -> None:
    def fails() -> None:
        raise ProviderUnavailable("Busy.", retry_after=600)

    def comes_back() -> int:
        item = Item(clock, lambda work: step(work, "call", fails, pauses=(300,)))
        with pytest.raises(Suspended) as pause:
            item.call()
        return pause.value.until

    began = clock()
    times = [comes_back() - began for _ in range(100)]
    assert min(times) >= 600, "none comes before the time that was asked for"
    assert max(times) <= 600 * 1.1 + 2
    assert len({round(each) for each in times}) > 20, "they are spread over a minute"


def test_a_retry_goes_on_at_the_step_that_failed(clock: Clock) -> None:
    done: list[str] = []
    away = [True]

    def second() -> str:
        if away[0]:
            raise Conflict("It is so.")
        done.append("second")
        return "second"

    def function(work: Work) -> Any:
        return step(work, "first", lambda: noted(done, "first") and "first"), step(
            work, "second", second
        )

    item = Item(clock, function)
    with pytest.raises(StepFailed, match="It is so"):
        item.to_end()
    away[0] = False
    assert item.to_end("onboard.b") == ("first", "second")
    assert done == ["first", "second"]


@pytest.mark.parametrize(
    ("asked", "kept"), [(7200, 7200), (86_400, 86_400), (10 * 366 * 86_400, 86_400)]
)
def test_a_longer_retry_after_is_kept_to_up_to_a_day(clock: Clock, asked: int, kept: int) -> None:
    def fails() -> None:
        raise ProviderUnavailable("Busy.", retry_after=asked)

    item = Item(clock, lambda work: step(work, "call", fails, first=1, longest=60))
    with pytest.raises(Suspended) as pause:
        item.call()
    assert clock() + kept <= pause.value.until <= clock() + 1.1 * kept


def test_an_authors_handler_of_exceptions_lets_suspending_pass(clock: Clock) -> None:
    def function(work: Work) -> str:
        try:
            work.sleep("nap", lambda: clock() + 10)
        except Exception:  # noqa: BLE001 - as authors write it
            return "swallowed"
        return "slept"

    assert Item(clock, function).to_end() == "slept"


def test_with_little_time_left_the_next_step_begins_in_another_call(clock: Clock) -> None:
    def function(work: Work) -> Any:
        item.seconds_left = 59
        first = step(work, "first", lambda: 1)
        return first + step(work, "second", lambda: 2)

    item = Item(clock, function)
    with pytest.raises(Suspended):
        item.call()
    assert set(item.store.kept) == {"first"}
    assert item.call() == 3


def test_each_call_does_a_step_also_where_all_of_them_are_short(clock: Clock) -> None:
    """Of a workflow with timeout=30, say; or if the code before the step takes long."""
    item = Item(clock, lambda work: [step(work, f"{n}", lambda: 1) for n in range(5)])
    item.seconds_left = 30
    assert (item.to_end(), item.calls) == ([1] * 5, 5)


def test_a_later_try_of_a_call_leaves_the_step_to_one_that_has_more_time(clock: Clock) -> None:
    item = Item(clock, lambda work: step(work, "call", lambda: "done"))
    item.seconds_left, item.fresh = 20, False
    with pytest.raises(Suspended):
        item.call()
    assert item.store.kept == {}
    item.fresh = True
    assert item.to_end() == "done"


def test_a_step_that_other_steps_left_too_little_time_is_tried_again(clock: Clock) -> None:
    tries: list[float] = []

    def slow() -> str:
        tries.append(item.calls)
        if len(tries) == 1:
            raise TooSlow("The call took too long.")
        return "done"

    item = Item(clock, lambda work: (step(work, "a", lambda: 1), step(work, "slow", slow))[1])
    assert (item.to_end(), tries) == ("done", [1, 2])


def test_a_step_that_takes_longer_than_a_whole_call_fails(clock: Clock) -> None:
    def slow() -> None:
        raise TooSlow("The call took too long.")

    with pytest.raises(StepFailed):
        Item(clock, lambda work: step(work, "slow", slow)).call()


def test_an_event_from_before_the_wait_counts_and_one_from_before_the_item_does_not(
    clock: Clock,
) -> None:
    def function(work: Work) -> Any:
        step(work, "begin", lambda: None)
        work.sleep("nap", lambda: clock() + 100)
        return work.wait_for("confirm", "user.confirmed", "u1", lambda: clock() + 1000)

    def send(number: int) -> None:
        event = StoredEvent(type="user.confirmed", data={"number": number}, received_at=clock())
        item.events.append((key_address("user.confirmed", "u1"), event))

    item = Item(clock, function)
    send(1)
    clock.advance(1)
    item.began = clock()
    with pytest.raises(Suspended):
        item.call()
    clock.advance(10)
    send(2)
    came = item.to_end()
    assert came.data == {"number": 2}


def test_two_waits_for_one_event_take_two_events(clock: Clock) -> None:
    def function(work: Work) -> Any:
        step(work, "begin", lambda: None)
        return [
            work.wait_for(name, "expense.approved", None, lambda: clock() + 1000)
            for name in ("first", "second")
        ]

    item = Item(clock, function)
    with pytest.raises(Suspended):
        item.call()
    for number in range(2):
        clock.advance(1)
        event = StoredEvent(type="expense.approved", data={"n": number}, received_at=clock())
        item.events.append((item_address("expense.approved", ITEM), event))
    assert [came.data["n"] for came in item.to_end()] == [0, 1]


def test_a_wait_that_nothing_ends_gives_null(clock: Clock) -> None:
    item = Item(clock, lambda w: w.wait_for("confirm", "x.y", None, lambda: clock() + 60))
    assert item.to_end() is None
    item.events.append(("item x.y " + ITEM, StoredEvent(type="x.y", data={}, received_at=clock())))
    assert item.to_end() is None, "what was decided stays"


def test_a_name_that_is_used_twice_or_for_another_kind_is_refused(clock: Clock) -> None:
    def twice(work: Work) -> None:
        step(work, "a", lambda: 1)
        step(work, "a", lambda: 2)

    with pytest.raises(RuntimeError, match="used twice"):
        Item(clock, twice).call()
    item = Item(clock, lambda work: step(work, "a", lambda: 1))
    item.call()
    item.function = lambda work: work.sleep("a", lambda: clock() + 1)
    with pytest.raises(Changed, match=r"'a' of the item onboard.a/0 is a sleep now .* was a step"):
        item.call()


def test_a_step_that_new_code_lacks_is_logged_and_one_that_it_adds_is_done(
    clock: Clock, log: io.StringIO
) -> None:
    done: list[Any] = []

    def before(work: Work) -> None:
        step(work, "old", lambda: noted(done, "old"))
        work.sleep("night", lambda: clock() + 60)

    item = Item(clock, before)
    with pytest.raises(Suspended):
        item.call()

    def after(work: Work) -> None:
        step(work, "new", lambda: noted(done, "new"))
        work.sleep("night", lambda: clock() + 60)
        work.warn_of_unused()

    item.function = after
    item.to_end()
    assert done == ["old", "new"]
    assert clock() >= 60, "the sleep keeps its end"
    assert '"steps":["old"]' in log.getvalue().replace(" ", "")


def test_a_workflow_that_is_not_long_records_steps_and_cannot_sleep(clock: Clock) -> None:
    item = Item(clock, lambda _: None)
    assert step(item.work(suspends=False), "a", lambda: 1) == 1
    assert step(item.work(suspends=False), "a", lambda: 2) == 1

    def fails() -> None:
        raise Unavailable("Later.")

    with pytest.raises(Unavailable):
        step(item.work(suspends=False), "b", fails)
    with pytest.raises(RuntimeError, match="long=True"):
        item.work(suspends=False).sleep("c", lambda: clock() + 1)


@pytest.mark.parametrize(
    ("result", "told"),
    [
        (object(), "no JSON value"),
        ((number for number in range(3)), "no JSON value"),
        ("\ud800", "no JSON value"),
        ("x" * 200_001, "200,000"),
    ],
)
def test_a_step_whose_result_cannot_be_kept_fails_at_once_and_is_not_repeated(
    clock: Clock, result: object, told: str
) -> None:
    done: list[int] = []
    item = Item(clock, lambda work: step(work, "a", lambda: noted(done, 1) and result))
    with pytest.raises(StepFailed, match=told):
        item.to_end()
    with pytest.raises(WorkflowError, match=told):
        step(item.work(suspends=False), "b", lambda: result)
    assert done == [1]


class Point(Struct):
    """A result that JSON has otherwise."""

    x: int


@pytest.mark.parametrize(
    "result",
    [
        datetime(2026, 11, 27, tzinfo=UTC),
        Point(1),
        (1, 2),
        {1: "a"},
        {"a", "b"},
        float("nan"),
        Decimal("1.5"),
        b"bytes",
        None,
    ],
)
@pytest.mark.parametrize("suspends", [True, False])
def test_a_result_is_the_same_when_the_step_is_done_and_at_every_later_call(
    clock: Clock, result: object, *, suspends: bool
) -> None:
    item = Item(clock, lambda _: None)
    first = step(item.work(suspends=suspends), "a", lambda: result)
    later = step(item.work(suspends=suspends), "a", lambda: 1)
    assert (type(first), first) == (type(later), later)


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    deaths=st.dictionaries(st.integers(1, 14), st.sampled_from(["before", "after"]), max_size=3),
    failures=st.lists(st.integers(0, 2), min_size=3, max_size=3),
)
def test_whenever_the_process_dies_no_step_that_was_recorded_is_done_again(
    deaths: dict[int, str], failures: list[int], clock: Clock
) -> None:
    recorded: list[str] = []
    left = dict(enumerate(failures))

    def do(number: int) -> str:
        name = f"step {number}"
        assert name not in {
            each.name for each in item.store.all().values() if each.status == "succeeded"
        }, "done again although it was recorded"
        if left[number]:
            left[number] -= 1
            raise Unavailable("Later.")
        recorded.append(name)
        return name

    def function(work: Work) -> list[str]:
        results = []
        for number in range(3):
            results.append(step(work, f"step {number}", partial(do, number)))
            work.sleep(f"nap {number}", lambda: clock() + 5)
        return results

    item = Item(clock, function)
    item.store.dies_at = dict(deaths)
    died = [False]

    def to_end() -> Any:
        for _ in range(100):
            try:
                return item.call()
            except Suspended as pause:
                clock.advance(max(pause.until - clock(), 0))
            except Died:
                died[0] = True
                clock.advance(15)
        raise AssertionError("the item never ends")

    assert to_end() == ["step 0", "step 1", "step 2"]
    orders = [each.order for each in item.store.all().values()]
    assert sorted(orders) == list(range(6)), "each record has a place of its own"
    assert json.dumps(sorted(item.store.kept))
    assert len(recorded) >= 3
    assert died[0] or recorded == ["step 0", "step 1", "step 2"]


def test_steps_in_threads_and_in_other_steps_have_places_of_their_own(clock: Clock) -> None:
    done: list[str] = []
    together = Barrier(4)

    def do(name: str) -> str:
        together.wait(5)
        done.append(name)
        return name

    def inner(work: Work) -> Any:
        return step(work, "inner", lambda: noted(done, "inner"))

    def function(work: Work) -> Any:
        with ThreadPoolExecutor(4) as pool:
            names = [f"step {number}" for number in range(4)]
            list(pool.map(lambda name: step(work, name, lambda: do(name)), names))
        return step(work, "outer", lambda: inner(work))

    item = Item(clock, lambda _: None)
    for suspends in (False, True):
        item.store.kept.clear()
        function(item.work(suspends=suspends))
        assert len({each.order for each in item.store.all().values()}) == 6
    function(item.work())
    assert len(done) == 2 * 5


@pytest.mark.parametrize("name", ["", "x" * 257, 5])
def test_a_name_that_cannot_be_kept_is_refused(clock: Clock, name: Any) -> None:
    with pytest.raises(ValueError, match="1 to 256"):
        Item(clock, lambda work: step(work, name, lambda: 1)).call()


@pytest.mark.parametrize(
    ("event", "key"), [("Approved", None), ("a b.c", None), ("a.b", ""), ("a.b", "x" * 257)]
)
def test_a_wait_for_what_no_event_can_be_is_refused(
    clock: Clock, event: str, key: str | None
) -> None:
    with pytest.raises(ValueError, match="No event can be"):
        Item(clock, lambda w: w.wait_for("name", event, key, lambda: clock() + 60)).call()
