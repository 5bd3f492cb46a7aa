"""`schedule` and `cancel`: workflows that run others later."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from functions.core.auth.caller import Caller
from functions.core.auth.tokens import issue_token
from functions.core.aws import s3, scheduler
from functions.core.definition.call import Call, CallInProgress, in_progress
from functions.core.errors import InvalidParameters, TooDeep, Unavailable
from functions.core.runs import records
from functions.core.runs.lineage import Lineage
from functions.core.schedules.schedule import Schedule
from functions.core.workflow import cancel, schedule
from tests.workflows.conftest import Clock, Settings, admin
from tests.workflows.scheduled import (
    DUE,
    NOBODY,
    SCOPES,
    change,
    created,
    existing,
    fire,
    fire_entry,
    input_of,
    items_of,
    kept,
    pause,
    read,
    runs,
    schedules_of_a_stack,
    told,
)

ITEM = "cart.0123456789abcdefghijklmnop/7"
ONE, OTHER = {"verification_id": "k1.one"}, {"verification_id": "k1.other"}
HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def stack(cloud: None, settings: Settings) -> Iterator[None]:  # noqa: ARG001 - which comes first
    with schedules_of_a_stack(settings):
        yield


def called(
    do: Callable[[], Any], *, item_id: str | None = ITEM, starts: str = "verify_delete"
) -> Any:
    """What a workflow's function does, in a call of it."""
    call = Call(request_id="r", trigger="run", item_id=item_id, run_token_id=NOBODY)
    token = in_progress.set(CallInProgress(call, "cart", frozenset(), frozenset({starts})))
    try:
        return do()
    finally:
        in_progress.reset(token)


def scheduled(*, item_id: str | None = ITEM, **options: Any) -> Schedule:
    wanted: dict[str, Any] = {"parameters": ONE, "after": HOUR} | options
    made: Schedule = called(lambda: schedule("verify_delete", **wanted), item_id=item_id)
    return made


def test_a_workflow_runs_another_later(clock: Clock) -> None:
    made = scheduled()
    assert made.next_at is not None
    assert abs(made.next_at.timestamp() - clock() - 3600) < 60
    clock.advance(3600)
    assert fire_entry(made.schedule_id, DUE) == made.run_id
    assert items_of(str(made.run_id)) == [ONE]
    assert (existing(), kept()) == ([], [])


def test_its_runs_are_the_workflows_and_no_tokens() -> None:
    made = scheduled()
    fire(made.schedule_id)
    about = input_of(str(made.run_id))
    assert (about["started_by"], about["token_id"]) == ("workflow:cart", None)


def test_its_runs_are_the_schedules() -> None:
    made = scheduled()
    fire(made.schedule_id)
    record = records.find(str(made.run_id))
    assert record is not None
    assert record.schedule_id == made.schedule_id
    assert json.loads(record.started_by)["kind"] == "schedule"


def test_what_starts_itself_at_once_without_an_end_is_too_deep() -> None:
    below = Lineage(depth=99)
    call = Call(request_id="r", trigger="run", item_id=ITEM, below=below)
    token = in_progress.set(CallInProgress(call, "cart", frozenset(), frozenset({"verify_delete"})))
    try:
        with pytest.raises(TooDeep):
            schedule("verify_delete", ONE, after=timedelta(0))
    finally:
        in_progress.reset(token)


def test_a_time_can_be_given() -> None:
    made = scheduled(after=None, at=datetime(2030, 1, 1, 9, tzinfo=UTC))
    assert told(made.schedule_id)["ScheduleExpression"] == "at(2030-01-01T09:00:00)"


@pytest.mark.parametrize(
    "options",
    [
        {"after": None},
        {"at": datetime(2030, 1, 1, tzinfo=UTC)},
        {"after": None, "at": datetime(2030, 1, 1)},  # noqa: DTZ001 - which is refused
    ],
)
def test_a_time_must_be_clear(options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"exactly one of at and after|needs a time zone"):
        scheduled(**options)
    assert existing() == []


def test_a_near_time_starts_at_once() -> None:
    made = scheduled(after=timedelta(0))
    assert (runs(), existing()) == ([made.run_id], [])


def test_an_undeclared_workflow_is_not_scheduled() -> None:
    with pytest.raises(RuntimeError, match=r"starts=\['verify_send'\]"):
        called(lambda: schedule("verify_send", {}, after=HOUR))


def test_a_group_that_is_no_name_is_refused() -> None:
    with pytest.raises(InvalidParameters, match="/group"):
        scheduled(group="a b")


def test_an_item_that_is_tried_again_makes_the_same_schedules(clock: Clock) -> None:
    def twice() -> list[Schedule]:
        return [schedule("verify_delete", ONE, after=HOUR) for _ in range(2)]

    first = called(twice)
    clock.advance(120)
    assert called(twice) == first  # their times, too
    ids = {each.schedule_id for each in first}
    assert (set(existing()), len(ids)) == (ids, 2)


def test_another_try_after_it_has_fired_runs_nothing_twice(clock: Clock) -> None:
    made = scheduled()
    clock.advance(3600)
    run_id = fire(made.schedule_id)
    again = scheduled()
    assert (again.schedule_id, fire(again.schedule_id)) == (made.schedule_id, run_id)
    assert runs() == [run_id]


def test_another_try_completes_what_the_first_left(monkeypatch: pytest.MonkeyPatch) -> None:
    made = scheduled()
    admin("scheduler").delete_schedule(Name=made.schedule_id, GroupName="schedules")

    def die(_: object) -> None:
        raise Unavailable("no")

    with monkeypatch.context() as patched:
        patched.setattr(scheduler, "create", die)
        with pytest.raises(Unavailable):
            scheduled()
    assert scheduled().schedule_id == made.schedule_id
    assert existing() == [made.schedule_id]


def test_calls_that_are_no_items_make_a_schedule_each() -> None:
    assert scheduled(item_id=None).schedule_id != scheduled(item_id=None).schedule_id
    assert len(existing()) == 2


# --- groups ---------------------------------------------------------------------------------------


def test_a_group_is_cancelled_and_counted() -> None:
    for number in range(3):
        scheduled(group="order-1", item_id=f"{ITEM}{number}")
    other = scheduled(group="order-11").schedule_id
    assert called(lambda: cancel(group="order-1")) == 3
    assert existing() == [other]
    assert called(lambda: cancel(group="order-1")) == 0


def test_schedules_of_undeclared_workflows_stay() -> None:
    schedule_id = created(after_seconds=3600, group="order-1")
    assert called(lambda: cancel(group="order-1"), starts="verify_send") == 0
    assert existing() == [schedule_id]


# --- keys -----------------------------------------------------------------------------------------


def test_the_same_key_moves_the_one_schedule(clock: Clock) -> None:
    first = scheduled(key="ana", item_id="a/1")
    clock.advance(600)
    moved = scheduled(key="ana", item_id="a/2", parameters=OTHER)
    assert moved.schedule_id == first.schedule_id
    assert moved.next_at is not None
    assert first.next_at is not None
    assert moved.next_at - first.next_at >= timedelta(seconds=599)
    assert existing() == [first.schedule_id]
    clock.advance(3600)
    run_id = fire_entry(moved.schedule_id, DUE)
    assert (run_id, items_of(str(run_id))) == (moved.run_id, [OTHER])
    assert kept() == []  # also the key


def test_after_it_has_fired_the_key_makes_another_schedule() -> None:
    first = scheduled(key="ana", item_id="a/1")
    fire(first.schedule_id)
    second = scheduled(key="ana", item_id="a/2")
    assert second.schedule_id != first.schedule_id
    assert existing() == [second.schedule_id]
    fire(second.schedule_id)
    assert len(runs()) == 2


def test_after_it_was_cancelled_the_key_makes_another_schedule() -> None:
    scheduled(key="ana", group="carts", item_id="a/1")
    assert called(lambda: cancel(group="carts")) == 1
    assert kept() == []
    again = scheduled(key="ana", group="carts", item_id="a/2")
    assert existing() == [again.schedule_id]


def test_keys_count_within_workflow_and_group() -> None:
    ids = {
        scheduled(key=key, group=group, item_id=f"a/{key}{group}").schedule_id
        for key in ("ana", "bo")
        for group in (None, "g")
    }
    assert len(ids) == 4


def test_a_near_time_with_a_key_is_a_minute_ahead(clock: Clock) -> None:
    """Otherwise the first of many calls would start the run, and debounce nothing."""
    made = scheduled(key="ana", after=timedelta(seconds=5))
    assert made.next_at is not None
    assert made.next_at.timestamp() - clock() > 50
    assert runs() == []


def test_of_calls_at_the_same_moment_one_makes_the_schedule_and_the_others_move_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    reading = s3.read_tagged
    first: list[str] = []

    def be_late(key: str) -> Any:
        found = reading(key)
        monkeypatch.setattr(s3, "read_tagged", reading)
        first.append(scheduled(key="ana", item_id="a/1").schedule_id)
        return found

    monkeypatch.setattr(s3, "read_tagged", be_late)
    late = scheduled(key="ana", item_id="a/2", parameters=OTHER)
    assert [late.schedule_id] == first == existing()
    assert sum(key.endswith(".json") for key in kept()) == 1
    assert read(late.schedule_id).body["parameters"] == OTHER


def test_a_move_that_died_half_way_runs_at_the_new_time(
    monkeypatch: pytest.MonkeyPatch, clock: Clock
) -> None:
    made = scheduled(key="ana", item_id="a/1")

    def die(_: object) -> None:
        raise Unavailable("no")

    with monkeypatch.context() as patched:
        patched.setattr(scheduler, "put", die)
        with pytest.raises(Unavailable):
            scheduled(key="ana", item_id="a/2", after=2 * HOUR)
    clock.advance(3600)
    assert fire_entry(made.schedule_id, DUE) is None
    clock.advance(3600)
    assert fire_entry(made.schedule_id, DUE) is not None


# --- clients --------------------------------------------------------------------------------------


def test_clients_see_and_pause_what_code_has_made() -> None:
    made = scheduled()
    shown = read(made.schedule_id).body
    assert (shown["token_id"], shown["parameters"]) == (None, ONE)
    assert pause(made.schedule_id).body["paused"] is True


def test_what_a_client_changes_is_the_clients_and_not_the_workflows() -> None:
    """Otherwise a client could send events of the platform's own types."""
    made = scheduled()
    token_id = issue_token("server", "secret", SCOPES).token.token_id
    assert (
        change(made.schedule_id, parameters=OTHER, token_id=token_id).body["token_id"] == token_id
    )
    about = input_of(str(fire(made.schedule_id)))
    assert (about["started_by"], about["token_id"]) == ("schedule", token_id)


def test_a_callers_token_is_not_asked_for() -> None:
    caller = Caller(token_id=NOBODY, kind="publishable", scopes=frozenset())
    call = Call(request_id="r", trigger="http", caller=caller)
    token = in_progress.set(CallInProgress(call, "cart", frozenset(), frozenset({"verify_delete"})))
    try:
        made = schedule("verify_delete", ONE, after=HOUR)
    finally:
        in_progress.reset(token)
    assert fire(made.schedule_id) == made.run_id
