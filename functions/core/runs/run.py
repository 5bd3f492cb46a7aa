"""Runs as clients see them, read from their records; and their cancellation."""

from datetime import datetime
from typing import Any, NamedTuple, cast

import msgspec

from functions.core import clock
from functions.core.clock import utc
from functions.core.errors import NotFound
from functions.core.http.problems import Problem
from functions.core.runs import cancellation, execution, records
from functions.core.runs.execution import RunId
from functions.core.runs.items.outcomes import ItemOutcome, as_json
from functions.core.runs.records import Counts, RunRecord, RunStatus, StartedBy
from functions.core.runs.states import State, at_end, begun_as, item_of, state_of


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """One background execution of a workflow. The counts always add up to `total`."""

    run_id: RunId
    """Id of the run."""
    workflow: str
    """Name of the workflow that runs."""
    status: RunStatus
    """`succeeded`: no item failed. `failed`: every item did, or the run itself. `partly_failed`:
    some did. `cancelled`: a client ended it.
    """
    started_by: StartedBy
    """Starter of the run."""
    retry_of: RunId | None
    """Id of the run whose items this one retries or continues; null for others."""
    total: int
    """Number of items."""
    pending: int
    """Items not started; in a cancelled run, interrupted ones too."""
    running: int
    """Items being worked on."""
    waiting: int
    """Items that sleep, wait for an event, or pause between the tries of a step."""
    succeeded: int
    """Items that ended with a result."""
    failed: int
    """Items that ended with a problem."""
    skipped: int
    """Items that did not run, because another one with the same key was under way (`one_per`)."""
    started_at: datetime
    """Start of the run."""
    finished_at: datetime | None = None
    """End of the run; null while it runs."""
    result: Any = None
    """Result of a run over one item; null for others, whose outcomes have the results."""
    problem: Problem | None = None
    """Problem of a run over one item, or of a run that failed as a whole."""
    waiting_for: str | None = None
    """Type of the event for which the only item waits; null while it sleeps or pauses."""
    waiting_until: str | None = None
    """Time at which the only item goes on at the latest; null unless it waits."""


class Ended(NamedTuple):
    """A run that has ended."""

    run: Run
    by_this_call: bool
    """Whether this call has closed its record."""
    awaited: bool
    """Whether an item waits for its end."""


class RunSummary(msgspec.Struct, frozen=True, kw_only=True):
    """A run in a list."""

    run_id: RunId
    """Id of the run."""
    workflow: str
    """Name of the workflow that runs."""
    status: RunStatus
    """Status, as in `GET /runs/{run_id}`."""
    started_by: StartedBy
    """Starter of the run."""
    retry_of: RunId | None
    """Id of the run whose items this one retries or continues; null for others."""
    total: int
    """Number of items."""
    succeeded: int | None
    """Items that ended with a result; null while the run is running."""
    failed: int | None
    """Items that ended with a problem; null while the run is running."""
    skipped: int | None
    """Items that did not run; null while the run is running."""
    started_at: datetime
    """Start of the run."""
    finished_at: datetime | None
    """End of the run; null while it runs."""


class RunPage(msgspec.Struct, frozen=True, kw_only=True):
    """A page of runs, newest first. It may be short and not the last."""

    runs: list[RunSummary]
    """Runs of the workflows that the token may call."""
    cursor: str | None
    """Cursor of the next page; null at the end."""


def describe(run_id: str) -> Run:
    """The present state of a run.

    Raises:
        NotFound, Unavailable
    """
    return shown(find(run_id))


def find(run_id: str) -> RunRecord:
    """The record of a run. Raises `NotFound`, `Unavailable`."""
    execution.workflow_of(run_id)
    record = records.find(run_id)
    if record is None:
        raise NotFound("There is no such run.")
    return record


def shown(record: RunRecord) -> Run:
    """A run as its record, its items and, while it is running, its execution have it."""
    item = item_of(record)
    return _run(record, state_of(record, item), item)


def new(record: RunRecord) -> Run:
    """A run that begins."""
    return _run(record, State("running", Counts()), None)


def cancel(run_id: str, *, descendants: bool = False) -> Ended:
    """Cancels a run: items that have not started never start. Idempotent; an ended run stays as it
    is.

    Args:
        run_id: of the run.
        descendants: whether the runs that its items started, and all below them, stop with their
            next items. Those of a run that has ended stop as well.

    Raises:
        NotFound, Unavailable
    """
    record = find(run_id)
    if descendants or not record.ended:
        cancellation.cancel(run_id, descendants=descendants)
    if record.ended:
        return _ended(record, shown(record), by_this_call=False)
    execution.stop(run_id)
    return end(record, moment=clock.now())


def end(record: RunRecord, *, moment: float, error: str = "", last: bool = True) -> Ended:
    """Closes the record of a run that ends now. Idempotent.

    Args:
        record: of the run.
        moment: time of the end, seconds since the epoch.
        error: of Step Functions, where the run failed as a whole; else empty.
        last: as in `at_end`.

    Raises:
        Unavailable
    """
    item = item_of(record)
    return _close(record, at_end(record, item, error, moment, last=last), item)


def settle(record: RunRecord) -> Ended | None:
    """Closes the record of a run whose execution is over; null if the run is running. Idempotent.

    Of a cancelled run, it counts the items again.

    Raises:
        Unavailable
    """
    item = item_of(record)
    state = state_of(record, item)
    return None if state.status == "running" else _close(record, state, item)


def _close(record: RunRecord, state: State, item: ItemOutcome | None) -> Ended:
    closed, stored = records.close(
        record.run_id,
        state.status,
        state.counts,
        state.finished_at or clock.now(),
        as_json(state.problem) if state.problem else None,
    )
    run = _run(record, state, item) if closed else shown(stored or record)
    return _ended(record, run, by_this_call=closed)


def _ended(record: RunRecord, run: Run, *, by_this_call: bool) -> Ended:
    return Ended(run, by_this_call, begun_as(record).lineage.awaited)


def summary(record: RunRecord) -> RunSummary:
    """A run in a list."""
    return RunSummary(
        run_id=record.run_id,
        workflow=record.workflow,
        status=cast("RunStatus", record.status),
        started_by=_started_by(record),
        retry_of=record.retry_of,
        total=int(record.total),
        succeeded=_count(record.succeeded),
        failed=_count(record.failed),
        skipped=_count(record.skipped),
        started_at=utc(record.started_at),
        finished_at=utc(record.finished_at) if record.finished_at else None,
    )


def _run(record: RunRecord, state: State, item: ItemOutcome | None) -> Run:
    counts, total = state.counts, int(record.total)
    return Run(
        run_id=record.run_id,
        workflow=record.workflow,
        status=state.status,
        started_by=_started_by(record),
        retry_of=record.retry_of,
        total=total,
        pending=total - counts.running - counts.waiting - counts.ended,
        running=counts.running,
        waiting=counts.waiting,
        succeeded=counts.succeeded,
        failed=counts.failed,
        skipped=counts.skipped,
        started_at=utc(record.started_at),
        finished_at=utc(state.finished_at) if state.finished_at else None,
        result=item.result if item else None,
        problem=item.problem if item else state.problem,
        waiting_for=item.waiting_for if item and counts.waiting else None,
        waiting_until=item.waiting_until if item and counts.waiting else None,
    )


def _started_by(record: RunRecord) -> StartedBy:
    return msgspec.json.decode(record.started_by, type=StartedBy)


def _count(number: float | None) -> int | None:
    return None if number is None else int(number)
