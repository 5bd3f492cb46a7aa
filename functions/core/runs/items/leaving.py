"""Items that leave the execution of their run, because they wait.

A child of a Map cannot wait, and the history of an execution is limited. Such an item goes on in an
execution of its own. The run's counters know how many have left and how many of them have ended.
"""

import hashlib
from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Any

from functions.core import clock
from functions.core.aws.transactions import repeat, transaction
from functions.core.errors import ItemCrashed
from functions.core.http.problems import problem
from functions.core.runs import execution
from functions.core.runs.cancellation import cancel, is_cancelled
from functions.core.runs.items import event_box, outcomes
from functions.core.runs.items.outcomes import (
    LONGEST_KEPT_SECONDS,
    Outcome,
    as_json,
    counter,
    get,
    now_text,
    tally,
)
from functions.core.runs.items.suspension import MOST_WAITS

_LATE_SECONDS = 3600
"""Time that an execution may be late: all tries of an item take less."""
_MOST_LOST = 100
"""Items that one look asks about; the next one goes on."""
_NAME_DIGITS = 48
_EARLIER_SECONDS = 5.0
"""Most seconds by which the clocks of two functions differ."""

State = Mapping[str, Any]
"""Input of an execution, with what its states have added."""


def leave(state: State) -> None:
    """Starts the execution in which an item goes on, and counts the item. Idempotent.

    Args:
        state: of the execution that it leaves; `item` has its answer.

    Raises:
        Unavailable
    """
    answer = dict(state["item"]["answer"])
    index, number = int(state["reference"]["index"]), answer.pop("leaves")
    going_on = {**state, "branch": "one", "left": True, "item": {"answer": answer}}
    execution.begin_as(_name(state["run_id"], index, number), going_on)
    _count_left(state["run_id"], index)


def waits_since(run_id: str, ancestors: Sequence[str]) -> float | None:
    """Time from which an event counts that tells of the end of the items that wait elsewhere.

    Null if there are none, or if the run is cancelled.
    """
    since = clock.now() - _EARLIER_SECONDS
    if tally(run_id).waiting <= 0 or is_cancelled(run_id, ancestors):
        return None
    return since


def end_lost(run_id: str, ancestors: Sequence[str]) -> None:
    """Counts the ends of items whose own executions have ended, which nobody told.

    EventBridge tells of executions that break off, but not for certain. It reads all outcomes of
    the run, and asks Step Functions about those that are an hour late.

    Raises:
        Unavailable
    """
    late = outcomes.overdue(run_id, clock.now() - _LATE_SECONDS)
    for index, waits in islice(late, _MOST_LOST):
        began_at = waits - waits % MOST_WAITS or 1
        if not execution.is_running(_name(run_id, index, began_at)):
            end_left(run_id, index, ancestors, crashed=True)


def stop_left(run_id: str) -> None:
    """Keeps items of a run that broke off from going on: a retry of the run does their work."""
    if tally(run_id).waiting > 0:
        cancel(run_id)


def end_left(run_id: str, index: int, ancestors: Sequence[str], *, crashed: bool) -> None:
    """Counts the end of an item that has left; wakes its run if none is left. Idempotent.

    Of an item that goes on in another execution, nothing has ended.

    Args:
        run_id: of the run.
        index: of the item.
        ancestors: of the run.
        crashed: whether the item's execution broke off.

    Raises:
        Unavailable
    """
    if is_cancelled(run_id, ancestors):
        _wake_run(run_id)
        return
    if crashed:
        _record_crash(run_id, index)
    outcome = get(run_id, index)
    if outcome is None or not outcome.done:
        return
    if not outcome.counted:
        _count_end(outcome)
    if tally(run_id).waiting <= 0:
        _wake_run(run_id)


def is_left(name: str) -> bool:
    """Whether an execution is one of an item that has left, by its name."""
    return name.startswith(_PREFIX)


_PREFIX = "item-"
"""No run's id has a hyphen."""


def _wake_run(run_id: str) -> None:
    event_box.tell(event_box.left_address(run_id), "items.ended")


def _name(run_id: str, index: int, number: int) -> str:
    """Name of an item's execution, the same at each repetition."""
    seed = f"{run_id}/{index}/{number}"
    return _PREFIX + hashlib.sha256(seed.encode()).hexdigest()[:_NAME_DIGITS]


def _count_left(run_id: str, index: int) -> None:
    """Counts an item that leaves, once. The counter outlasts the wait of any item."""
    first = [Outcome.left.set(True)]
    delete_at = int(clock.now()) + LONGEST_KEPT_SECONDS
    counted = [Outcome.left_items.add(1), Outcome.delete_at.set(delete_at)]
    _once(run_id, index, "left", first, counted)


def _count_end(outcome: Outcome) -> None:
    """Counts an item that has left and has ended, once."""
    failed = 1 if outcome.status == "failed" else 0
    counted = [Outcome.left_ended.add(1), Outcome.left_failed.add(failed)]
    _once(outcome.run_id, int(outcome.index), "counted", [Outcome.counted.set(True)], counted)


def _once(run_id: str, index: int, mark: str, first: list[Any], counted: list[Any]) -> None:
    def write(_: int) -> None:
        found = get(run_id, index)
        if found is not None and getattr(found, mark):
            return
        with transaction() as made:
            made.update(
                Outcome(run_id, index), first, condition=getattr(Outcome, mark).does_not_exist()
            )
            made.update(counter(run_id, index), counted)

    repeat(write)


def _record_crash(run_id: str, index: int) -> None:
    told = problem(ItemCrashed("The item's execution broke off."), f"{run_id}/{index}")
    ended = [
        Outcome.status.set("failed"),
        Outcome.failed.set(index),
        Outcome.finished_at.set(now_text()),
        Outcome.problem.set(as_json(told)),
    ]
    under_way = (Outcome.status == "running") | (Outcome.status == "waiting")
    Outcome.update_if(run_id, ended, under_way, range_key=index)
