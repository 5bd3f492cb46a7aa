"""States of runs: the status and counts of a run, while it runs and at its end."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple, cast

import msgspec

from functions.core import clock
from functions.core.errors import NotFound, RunFailed, Unavailable
from functions.core.http.problems import Problem, problem
from functions.core.runs import execution
from functions.core.runs.cancellation import is_cancelled
from functions.core.runs.execution import Execution
from functions.core.runs.items import outcomes
from functions.core.runs.items.outcomes import ItemOutcome
from functions.core.runs.records import Counts, RunRecord, RunStatus

_START_SECONDS = 60
"""Time after which an execution that is not there was never started."""
_ITEM_RUN: dict[str, RunStatus] = {
    "succeeded": "succeeded",
    "skipped": "succeeded",
    "failed": "failed",
}
"""Status of a run over one item, by the status of that item."""


class State(NamedTuple):
    """State of a run."""

    status: RunStatus
    counts: Counts
    finished_at: float | None = None
    """Seconds since the epoch."""
    problem: Problem | None = None
    """Problem of a run that failed as a whole."""


def begun_as(record: RunRecord) -> Execution:
    """Input of a run's execution."""
    return msgspec.json.decode(record.execution, type=Execution)


def item_of(record: RunRecord) -> ItemOutcome | None:
    """The outcome of a run over one item; null for others, and before it starts."""
    begun = begun_as(record)
    if begun.branch != "one":
        return None
    return outcomes.find_outcome(record.run_id, begun.reference.index)


def state_of(record: RunRecord, item: ItemOutcome | None) -> State:
    """The present state of a run.

    Args:
        record: of the run.
        item: as `item_of` has it.

    Raises:
        Unavailable
    """
    if record.status == "cancelled":
        return State("cancelled", _counts_of_cancelled(record, item), record.finished_at)
    if record.ended:
        return _closed(record)
    if item and item.finished_at:
        return _of_item(item)
    try:
        _, about = execution.read(record.run_id)
    except NotFound:
        return _not_started(record)
    if about["status"] == "RUNNING":
        return State("running", _counts_now(record, item))
    return over(record, item, about)


def over(record: RunRecord, item: ItemOutcome | None, about: Mapping[str, Any]) -> State:
    """State of a run whose execution is over, as Step Functions describes it."""
    finished_at = about["stopDate"].timestamp()
    if about["status"] == "ABORTED":
        return State("cancelled", _counts_of_cancelled(record, item), finished_at)
    error = "" if about["status"] == "SUCCEEDED" else str(about.get("error") or about["status"])
    return at_end(record, item, error, finished_at)


def at_end(
    record: RunRecord,
    item: ItemOutcome | None,
    error: str,
    finished_at: float,
    *,
    last: bool = True,
) -> State:
    """State of a run that ends.

    Args:
        record: of the run.
        item: as `item_of` has it.
        error: of Step Functions, where the run failed as a whole; else empty.
        finished_at: seconds since the epoch.
        last: whether counts that do not add up yet are the last ones.

    Raises:
        Unavailable: the counts do not add up yet.
    """
    if item and item.finished_at:
        return _of_item(item)
    if is_cancelled(record.run_id, begun_as(record).lineage.ancestors):
        counts = _counts_of_cancelled(record, item)
        if counts.ended < record.total:
            return State("cancelled", counts, finished_at)
        return _with_counts(record, counts, error, finished_at)
    counts = _counts_now(record, item)
    if counts.ended < record.total and not (error or last):
        raise Unavailable("Step Functions has not counted all items yet.", retry_after=1)
    return _with_counts(record, counts, error, finished_at)


def _with_counts(record: RunRecord, counts: Counts, error: str, finished_at: float) -> State:
    still = msgspec.structs.replace(counts, running=0, waiting=0)
    if counts.ended < record.total:
        sentence = f"Step Functions ended the run: {error or 'without saying why'}."
        return State("failed", still, finished_at, problem(RunFailed(sentence), record.run_id))
    if not counts.failed:
        return State("succeeded", still, finished_at)
    status: RunStatus = "failed" if counts.failed == record.total else "partly_failed"
    return State(status, still, finished_at)


def _of_item(item: ItemOutcome) -> State:
    finished_at = datetime.fromisoformat(str(item.finished_at)).timestamp()
    return State(_ITEM_RUN[item.status], _counts_of_item(item), finished_at)


def _closed(record: RunRecord) -> State:
    counts = Counts(
        succeeded=int(record.succeeded or 0),
        failed=int(record.failed or 0),
        skipped=int(record.skipped or 0),
    )
    told = msgspec.json.decode(record.problem, type=Problem) if record.problem else None
    return State(cast("RunStatus", record.status), counts, record.finished_at, told)


def _not_started(record: RunRecord) -> State:
    if clock.now() < record.started_at + _START_SECONDS:
        return State("running", Counts())
    sentence = "The run was never started. Start a new one."
    return State("failed", Counts(), record.started_at, problem(RunFailed(sentence), record.run_id))


def _counts_now(record: RunRecord, item: ItemOutcome | None) -> Counts:
    """Counts of the Map Run, or of the one item."""
    if begun_as(record).branch == "one":
        return _counts_of_item(item)
    counted = execution.count_items(record.run_id)
    tally = outcomes.tally(record.run_id)
    # The Map Run counts an item that has left or was skipped as succeeded, and may do so later than
    # we count it.
    done = counted.get("succeeded", 0)
    left = min(tally.left, done)
    ended = min(tally.left_ended, left)
    failed = min(tally.left_failed, ended)
    well = done - left + ended - failed
    skipped = min(tally.skipped, well)
    in_map = sum(counted.get(state, 0) for state in ("failed", "timedOut", "aborted"))
    return Counts(
        running=counted.get("running", 0),
        waiting=left - ended,
        succeeded=well - skipped,
        failed=in_map + failed,
        skipped=skipped,
    )


def _counts_of_cancelled(record: RunRecord, item: ItemOutcome | None) -> Counts:
    """Counts of a cancelled run.

    Its Map Run counts interrupted items as failed or aborted; the outcomes know better.
    """
    counts = _counts_now(record, item)
    if begun_as(record).branch != "one":
        failed = outcomes.count_failed(record.run_id)
        counts = msgspec.structs.replace(counts, failed=failed)
    return msgspec.structs.replace(counts, running=0, waiting=0)


def _counts_of_item(item: ItemOutcome | None) -> Counts:
    begun = item is not None and item.status != "pending"
    return Counts(**{item.status: 1}) if item and begun else Counts()
