"""Runs as clients see them: read from Step Functions, which counts, and cancelled there."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Literal

import msgspec

from functions.core import clock
from functions.core.clock import utc
from functions.core.errors import RunFailed
from functions.core.http.problems import Problem, problem
from functions.core.runs import execution, outcomes
from functions.core.runs.execution import Execution, RunId, workflow_of

RunStatus = Literal["running", "succeeded", "failed", "cancelled"]

_STATUS: dict[str, RunStatus] = {
    "SUCCEEDED": "succeeded",
    "FAILED": "failed",
    "TIMED_OUT": "failed",
    "ABORTED": "cancelled",
}


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """One background execution of a workflow. The counts always add up to `total`."""

    run_id: RunId
    """Id of the run."""
    workflow: str
    """Name of the workflow that runs."""
    status: RunStatus
    """A run over one item has its status; a run over many succeeds once all items have an outcome.
    """
    total: int
    """Number of items."""
    pending: int
    """Items not started; in a cancelled run, interrupted ones too."""
    running: int
    """Items being worked on."""
    succeeded: int
    """Items that ended with a result."""
    failed: int
    """Items that ended with a problem."""
    started_at: datetime
    """Start of the run."""
    finished_at: datetime | None = None
    """End of the run; null while it runs."""
    result: Any = None
    """Result of a run over one item; null for others, whose outcomes have the results."""
    problem: Problem | None = None
    """Problem of a run over one item, or of a run over many that failed as a whole."""


class RunSummary(msgspec.Struct, frozen=True, kw_only=True):
    """A run in a list.

    Counts are left out: they take two more requests to Step Functions, which allows few per second.
    """

    run_id: RunId
    """Id of the run."""
    workflow: str
    """Name of the workflow that runs."""
    status: RunStatus
    """A run over many items succeeds once all of them have an outcome."""
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


class _Counts(msgspec.Struct, frozen=True, kw_only=True):
    running: int = 0
    succeeded: int = 0
    failed: int = 0


def describe(run_id: str) -> Run:
    """The present state of a run.

    Raises:
        NotFound, Unavailable
    """
    begun, about = execution.read(run_id)
    return _run(begun, about)


def cancel(run_id: str) -> Run:
    """Cancels a run: items that have not started never start. Idempotent; an ended run stays as it
    is.

    Raises:
        NotFound, Unavailable
    """
    begun, about = execution.read(run_id)
    if about["status"] == "RUNNING":
        outcomes.cancel(run_id, int(begun.delete_at))
        execution.stop(run_id)
        _, now = execution.read(run_id)
        # The answer right after the stop may be older than the stop.
        about = (
            now
            if now["status"] != "RUNNING"
            else about | {"status": "ABORTED", "stopDate": datetime.fromtimestamp(clock.now(), UTC)}
        )
    return _run(begun, about)


def list_runs(*, limit: int = 50, cursor: str | None = None) -> tuple[list[RunSummary], str | None]:
    """Runs, newest first, and the cursor of the next page (null at the end).

    Raises:
        InvalidParameters: for a cursor that no page gave; `Unavailable`.
    """
    listed, following = execution.newest(limit, cursor)
    return [_summary(each) for each in listed if execution.is_run_id(each["name"])], following


def _summary(about: Mapping[str, Any]) -> RunSummary:
    return RunSummary(
        run_id=about["name"],
        workflow=workflow_of(about["name"]),
        status=_STATUS.get(about["status"], "running"),
        started_at=_utc(about["startDate"]),
        finished_at=_ended(about),
    )


def _run(begun: Execution, about: Mapping[str, Any]) -> Run:
    status = _STATUS.get(about["status"], "running")
    item = None
    if begun.branch == "one":
        item = outcomes.find_outcome(begun.run_id, begun.reference.index)
        counts = _count_one(status, item)
    else:
        counts = _count_many(begun.run_id, status)
    return Run(
        run_id=begun.run_id,
        workflow=begun.workflow,
        status=status,
        total=begun.total,
        pending=begun.total - counts.running - counts.succeeded - counts.failed,
        running=counts.running,
        succeeded=counts.succeeded,
        failed=counts.failed,
        started_at=_utc(about["startDate"]),
        finished_at=_ended(about),
        result=item.result if item else None,
        problem=item.problem if item else _problem(begun, status, str(about.get("error", ""))),
    )


def _count_one(status: RunStatus, item: outcomes.ItemOutcome | None) -> _Counts:
    if status == "running":
        return _Counts(running=1 if item else 0)
    if status == "cancelled":
        ended = item.status if item else None
        return _Counts(succeeded=int(ended == "succeeded"), failed=int(ended == "failed"))
    return _Counts(succeeded=int(status == "succeeded"), failed=int(status == "failed"))


def _count_many(run_id: str, status: RunStatus) -> _Counts:
    """Counts of the Map Run.

    That of a cancelled run counts interrupted items as failed or aborted; the outcomes know better.
    """
    counts = execution.count_items(run_id)
    succeeded = counts.get("succeeded", 0)
    if status == "cancelled":
        return _Counts(succeeded=succeeded, failed=outcomes.count_failed(run_id))
    failed = sum(counts.get(state, 0) for state in ("failed", "timedOut", "aborted"))
    return _Counts(running=counts.get("running", 0), succeeded=succeeded, failed=failed)


def _problem(begun: Execution, status: RunStatus, error: str) -> Problem | None:
    """Problem of a run that failed without a failed item."""
    if status != "failed":
        return None
    sentence = f"Step Functions ended the run: {error or 'without saying why'}."
    return problem(RunFailed(sentence), begun.run_id)


def _ended(about: Mapping[str, Any]) -> datetime | None:
    return _utc(about["stopDate"]) if about.get("stopDate") else None


def _utc(moment: datetime) -> datetime:
    return utc(moment.timestamp())
