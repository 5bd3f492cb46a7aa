"""Items of runs that leave the execution of their run to wait, and their ends."""

from typing import Any

import msgspec
import pytest

from functions.api.runs import ending
from functions.api.runs.handler import lambda_handler as runs_api
from functions.core.aws import s3, step_functions
from functions.core.clock import rfc3339, utc
from functions.core.errors import Conflict
from functions.core.http.problems import problem
from functions.core.runs import cancellation, execution, files
from functions.core.runs.files import ITEMS_KEPT_SECONDS, park_item
from functions.core.runs.items import event_box, leaving, outcomes
from functions.core.runs.items.attempts import Attempt, claim
from functions.core.runs.records import Counts
from functions.core.runs.retry import retry
from functions.core.runs.run import Run, describe, find
from functions.core.runs.start import start
from functions.core.runs.states import begun_as
from tests.builders import Context
from tests.builders.run_records import close
from tests.workflows.conftest import Clock

LATER = 1_900_000_000


@pytest.fixture(autouse=True)
def clock(cloud: None, clock: Clock) -> Clock:  # noqa: ARG001 - the account comes first
    return clock


def begin(items: int) -> Run:
    return start("greet", [{"name": str(number)} for number in range(items)], token_id=None)


def state_of(run: Run, index: int, *, number: int = 1) -> dict[str, Any]:
    """State of a child whose item has answered that it waits."""
    begun = msgspec.to_builtins(begun_as(find(run.run_id)))
    answer = {"status": "waiting", "until": "2030-01-01T00:00:00Z", "seconds": 9, "leaves": number}
    return {**begun, "reference": {"index": index}, "item": {"answer": answer}}


def wait(run: Run, index: int, until: str = "2030-01-01T00:00:00Z") -> Attempt:
    """Suspends an item, as its function does."""
    attempt = claim(run.run_id, index, LATER)
    assert isinstance(attempt, Attempt)
    park_item(run.run_id, index, b'{"name": "kept"}')
    attempt.park(until, None, LATER)
    return attempt


def leave(run: Run, index: int, **until: str) -> dict[str, Any]:
    """Lets an item leave; returns the input of its own execution."""
    wait(run, index, **until)
    state = state_of(run, index)
    told({"trigger": "leave", "execution": state})
    _, about = own_execution(run, index)
    return dict(msgspec.json.decode(about["input"]))


def own_execution(run: Run, index: int, number: int = 1) -> tuple[str, dict[str, Any]]:
    name = leaving._name(run.run_id, index, number)
    return name, step_functions.describe(execution._machine(), name)


def told(event: dict[str, Any]) -> dict[str, Any]:
    return dict(runs_api(event, Context()))


def ends(run: Run, index: int, *, failed: bool = False, **more: Any) -> None:
    """Ends an item in its own execution."""
    attempt = claim(run.run_id, index, LATER)
    assert isinstance(attempt, Attempt)
    status = attempt.fail(problem(Conflict("No."), "r")) if failed else attempt.succeed("1")
    answer = {"status": status, "waited": True}
    state = state_of(run, index) | {"left": True, "item": {"answer": answer}} | more
    assert told({"trigger": "end", "execution": state}) == {"status": "ended"}


def of_map(monkeypatch: pytest.MonkeyPatch, **counted: int) -> None:
    monkeypatch.setattr(execution, "count_items", lambda _: counted)


def test_its_own_execution_begins_with_its_wait_in_the_branch_for_one_item() -> None:
    run = begin(3)
    given = leave(run, 1)
    assert (given["branch"], given["left"], given["reference"]["index"]) == ("one", True, 1)
    assert given["run_id"] == run.run_id
    assert given["item"]["answer"]["status"] == "waiting"
    assert "leaves" not in given["item"]["answer"], "it would leave again at once"


def test_leaving_twice_is_leaving_once() -> None:
    run = begin(3)
    leave(run, 1)
    told({"trigger": "leave", "execution": state_of(run, 1)})
    assert outcomes.tally(run.run_id).left == 1
    told({"trigger": "leave", "execution": state_of(run, 1, number=250)})
    assert outcomes.tally(run.run_id).left == 1
    assert own_execution(run, 1, 250)[0] != own_execution(run, 1)[0]


def test_items_that_have_left_are_waiting_and_all_counts_add_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run = begin(20)
    for index in range(12):
        leave(run, index)
    of_map(monkeypatch, succeeded=15, failed=2, running=3)
    ends(run, 3)
    ends(run, 4, failed=True)
    shown = describe(run.run_id)
    assert (shown.waiting, shown.succeeded, shown.failed) == (10, 4, 3)
    assert (shown.running, shown.pending) == (3, 0)


def test_an_item_that_has_just_left_is_counted_once_while_its_child_still_runs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run = begin(3)
    leave(run, 0)
    of_map(monkeypatch, running=1)
    shown = describe(run.run_id)
    assert (shown.running, shown.waiting, shown.pending) == (1, 0, 2)


def test_the_run_waits_for_those_that_left_and_ends_with_the_last_one(
    monkeypatch: pytest.MonkeyPatch, clock: Clock
) -> None:
    run = begin(2)
    leave(run, 0)
    leave(run, 1)
    of_map(monkeypatch, succeeded=2)
    end = {"trigger": "end", "execution": msgspec.to_builtins(begun_as(find(run.run_id)))}
    answer = told(end)
    assert (answer["status"], answer["seconds"]) == ("waiting", 12 * 3600)
    clock.advance(60)
    ends(run, 0)
    assert event_box.find(answer["listens"]["addresses"], answer["listens"]["since"]) is None
    assert told(end)["status"] == "waiting"
    ends(run, 1, failed=True)
    assert event_box.find(answer["listens"]["addresses"], answer["listens"]["since"])
    assert told(end) == {"status": "partly_failed"}
    assert describe(run.run_id).failed == 1


def looks_again(run: Run) -> dict[str, Any]:
    """The run's end, when its execution has waited already."""
    begun = msgspec.to_builtins(begun_as(find(run.run_id)))
    return told({"trigger": "end", "execution": begun | {"end": {"answer": {}}}})


def breaks_off(run: Run, index: int) -> None:
    """Ends the execution of an item; nobody is told."""
    step_functions.stop(execution._machine(), own_execution(run, index)[0])


def test_an_item_whose_execution_broke_off_untold_has_crashed_an_hour_after_its_wait(
    monkeypatch: pytest.MonkeyPatch, clock: Clock
) -> None:
    run = begin(3)
    for index in range(3):
        leave(run, index, until=rfc3339(utc(clock() + 60)))
    of_map(monkeypatch, succeeded=3)
    breaks_off(run, 1)
    clock.advance(60 + 3500)
    assert looks_again(run)["status"] == "waiting"
    assert outcomes.tally(run.run_id).waiting == 3
    clock.advance(200)
    assert looks_again(run)["status"] == "waiting"
    assert outcomes.tally(run.run_id)[1:] == (3, 1, 1)
    lost = outcomes.find_outcome(run.run_id, 1)
    assert lost
    assert (lost.status, lost.problem and lost.problem.code) == ("failed", "item_crashed")
    breaks_off(run, 0)
    breaks_off(run, 2)
    assert looks_again(run) == {"status": "failed"}


def test_an_item_that_ended_in_an_execution_that_did_not_tell_so_is_counted(
    monkeypatch: pytest.MonkeyPatch, clock: Clock
) -> None:
    run = begin(1)
    leave(run, 0, until=rfc3339(utc(clock() + 60)))
    of_map(monkeypatch, succeeded=1)
    attempt = claim(run.run_id, 0, LATER)
    assert isinstance(attempt, Attempt)
    attempt.succeed("1")
    breaks_off(run, 0)
    clock.advance(2 * 3600)
    assert looks_again(run) == {"status": "succeeded"}
    assert outcomes.tally(run.run_id)[1:] == (1, 1, 0)


def test_the_execution_that_an_item_has_now_decides_after_hundreds_of_waits(
    monkeypatch: pytest.MonkeyPatch, clock: Clock
) -> None:
    run = begin(1)
    leave(run, 0, until=rfc3339(utc(clock() + 60)))
    told({"trigger": "leave", "execution": state_of(run, 0, number=250)})
    outcomes.Outcome(run.run_id, 0).update([outcomes.Outcome.waits.set(307)])
    of_map(monkeypatch, succeeded=1)
    breaks_off(run, 0)
    clock.advance(2 * 3600)
    assert looks_again(run)["status"] == "waiting"
    step_functions.stop(execution._machine(), own_execution(run, 0, 250)[0])
    assert looks_again(run) == {"status": "failed"}


def test_an_end_that_is_told_again_counts_once(monkeypatch: pytest.MonkeyPatch) -> None:
    run = begin(2)
    leave(run, 0)
    of_map(monkeypatch, succeeded=2)
    ends(run, 0, failed=True)
    state = state_of(run, 0) | {"left": True, "item": {"answer": {"status": "failed"}}}
    told({"trigger": "end", "execution": state})
    assert outcomes.tally(run.run_id)[1:] == (1, 1, 1)


def test_an_item_whose_own_execution_breaks_off_has_crashed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run = begin(2)
    given = leave(run, 0)
    of_map(monkeypatch, succeeded=2)
    name, _ = own_execution(run, 0)
    detail = {"name": name, "status": "TIMED_OUT", "input": msgspec.json.encode(given).decode()}
    event = {"source": "aws.states", "detail": detail}
    assert ending.answer(event) == {"closed": 0}
    item = outcomes.find_outcome(run.run_id, 0)
    assert item
    assert item.problem
    assert (item.status, item.problem.code) == ("failed", "item_crashed")
    assert outcomes.tally(run.run_id)[1:] == (1, 1, 1)


def test_an_item_that_goes_on_in_a_further_execution_has_not_ended() -> None:
    run = begin(2)
    leave(run, 0)
    told({"trigger": "end", "execution": state_of(run, 0) | {"left": True}})
    assert outcomes.tally(run.run_id).left_ended == 0


def test_a_cancelled_run_does_not_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    run = begin(2)
    leave(run, 0)
    of_map(monkeypatch, succeeded=2)
    cancellation.cancel(run.run_id)
    end = {"trigger": "end", "execution": msgspec.to_builtins(begun_as(find(run.run_id)))}
    assert told(end) == {"status": "cancelled"}
    state = state_of(run, 0) | {"left": True, "item": {"answer": {"status": "cancelled"}}}
    told({"trigger": "end", "execution": state})
    assert outcomes.tally(run.run_id).left_ended == 0


@pytest.mark.parametrize("error", ["States.DataLimitExceeded", ""])
def test_items_of_a_run_that_broke_off_do_not_go_on_beside_its_retry(
    monkeypatch: pytest.MonkeyPatch, error: str
) -> None:
    run = begin(2)
    leave(run, 0)
    of_map(monkeypatch, succeeded=1)
    if error:
        begun = msgspec.to_builtins(begun_as(find(run.run_id)))
        told({"trigger": "end", "execution": begun | {"failure": {"Error": error}}})
    else:
        execution.stop(run.run_id)  # as an operator does in AWS's console
        told({"source": "aws.states", "detail": {"name": run.run_id, "status": "ABORTED"}})
    assert describe(run.run_id).status == ("failed" if error else "cancelled")
    again = retry(run.run_id, token_id=None)
    assert cancellation.is_cancelled(run.run_id)
    assert not cancellation.is_cancelled(again.run_id)


def test_parameters_are_freed_at_a_good_end_and_kept_for_a_retry_after_a_bad_one() -> None:
    run = begin(2)
    leave(run, 0)
    leave(run, 1)
    ends(run, 0)
    ends(run, 1, failed=True)
    assert s3.read(files._parked_key(run.run_id, 0)) is None
    assert s3.read(files._parked_key(run.run_id, 1)) is not None


def test_a_single_item_that_has_waited_is_freed_at_its_end() -> None:
    run = begin(1)
    wait(run, 0)
    attempt = claim(run.run_id, 0, LATER)
    assert isinstance(attempt, Attempt)
    attempt.succeed("1")
    begun = msgspec.to_builtins(begun_as(find(run.run_id)))
    answer = {"status": "succeeded", "waited": True}
    told({"trigger": "end", "execution": begun | {"item": {"answer": answer}}})
    assert s3.read(files._parked_key(run.run_id, 0)) is None


def test_what_has_waited_can_be_retried_after_the_files_of_the_run_are_deleted(
    clock: Clock,
) -> None:
    run = begin(3)
    for index in range(3):
        leave(run, index)
    ends(run, 0)
    ends(run, 1, failed=True)
    ends(run, 2, failed=True)
    close(run.run_id, Counts(succeeded=1, failed=2))
    clock.advance(ITEMS_KEPT_SECONDS + 1)
    again = begun_as(find(retry(run.run_id, token_id=None).run_id))
    assert (again.total, again.reference.index, again.reference.length) == (2, 1, 0)
    claimed = claim(again.run_id, 1, LATER, parked=True)
    assert isinstance(claimed, Attempt)
    assert claimed.parked
