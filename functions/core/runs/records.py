"""Records of runs: one per run, for what people ask of runs and Step Functions cannot answer.

A record is written before its execution starts, and closed once when the run ends. Its index lists
the runs of a workflow, newest first, on three shelves: running, succeeded, and all others.
"""

from datetime import UTC, datetime
from typing import Literal

import msgspec
from pynamodb.attributes import NumberAttribute, UnicodeAttribute
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action
from pynamodb.indexes import GlobalSecondaryIndex, IncludeProjection

from functions.core import clock
from functions.core.aws import dynamodb
from functions.core.clock import DAY_SECONDS
from functions.core.config import table_name

RECORDS_KEPT_SECONDS = 30 * DAY_SECONDS
"""Time after the end of a run."""
_LONGEST_RUN_SECONDS = 366 * DAY_SECONDS
"""Step Functions ends an execution after a year (Standard workflow quotas)."""

RunStatus = Literal["running", "succeeded", "partly_failed", "failed", "cancelled"]
Shelf = Literal["running", "succeeded", "unsuccessful"]
SHELVES: tuple[Shelf, ...] = ("running", "succeeded", "unsuccessful")


class _Listed(GlobalSecondaryIndex["RunRecord"]):  # type: ignore[no-untyped-call] # PynamoDB leaves a hook untyped
    """Index of a workflow's runs."""

    class Meta:
        """PynamoDB's description of the index."""

        index_name = "listed"
        projection = IncludeProjection(
            [
                "workflow",
                "status",
                "total",
                "succeeded",
                "failed",
                "skipped",
                "waiting",
                "started_by",
                "schedule_id",
                "retry_of",
                "started_at",
                "finished_at",
            ]
        )

    shelf = UnicodeAttribute(hash_key=True)
    position = UnicodeAttribute(range_key=True)


class RunRecord(dynamodb.Table):
    """The record of one run."""

    class Meta:
        """PynamoDB's description of the table."""

        table_name = table_name("RUNS_TABLE")

    run_id = UnicodeAttribute(hash_key=True)
    shelf = UnicodeAttribute()
    """`<workflow> <shelf>`."""
    position = UnicodeAttribute()
    """Start and id of the run: newer runs sort behind older ones."""
    workflow = UnicodeAttribute()
    status = UnicodeAttribute()
    started_by = UnicodeAttribute()
    """JSON of a `StartedBy`."""
    schedule_id = UnicodeAttribute(null=True)
    retry_of = UnicodeAttribute(null=True)
    execution = UnicodeAttribute()
    """Input of the execution, JSON."""
    total = NumberAttribute()
    succeeded = NumberAttribute(null=True)
    """Counts are null while the run is running."""
    failed = NumberAttribute(null=True)
    skipped = NumberAttribute(null=True)
    problem = UnicodeAttribute(null=True)
    """JSON; of a run that failed as a whole."""
    started_at = NumberAttribute()
    """Seconds since the epoch."""
    finished_at = NumberAttribute(null=True)
    delete_at = NumberAttribute()

    listed = _Listed()

    @property
    def ended(self) -> bool:
        """Whether the run has ended."""
        return self.status != "running"


class StartedBy(msgspec.Struct, frozen=True, kw_only=True):
    """Starter of a run."""

    kind: Literal["token", "schedule", "webhook", "event", "workflow", "run"]
    """Kind of the starter. `workflow`: a call of a workflow; `run`: an item of another run."""
    id: str | None
    """Id of the token, of the schedule or of the run; name of the webhook source or of the
    workflow. Null for an event of the platform.
    """
    index: int | None = None
    """Index of the item, of the kind `run`."""


class Counts(msgspec.Struct, frozen=True, kw_only=True):
    """Items of a run by their state."""

    running: int = 0
    waiting: int = 0
    succeeded: int = 0
    failed: int = 0
    skipped: int = 0

    @property
    def ended(self) -> int:
        """Items that have ended."""
        return self.succeeded + self.failed + self.skipped


def open_record(record: RunRecord) -> RunRecord | None:
    """Writes the record of a run that begins; returns the record that is there already instead.

    1 DynamoDB request.

    Raises:
        Unavailable
    """
    fields = record.attribute_values.items()
    actions = [
        getattr(RunRecord, name).set(value)
        for name, value in fields
        if name != "run_id" and value is not None
    ]
    written, stored = RunRecord.update_if(record.run_id, actions, RunRecord.run_id.does_not_exist())
    return None if written else stored


def new_record(  # noqa: PLR0913 - what a record has, by name
    run_id: str,
    workflow: str,
    *,
    started_by: StartedBy,
    schedule_id: str | None,
    retry_of: str | None,
    execution: str,
    total: int,
    now: float,
) -> RunRecord:
    """The record of a run that begins now."""
    return RunRecord(
        run_id,
        shelf=shelf_name(workflow, "running"),
        position=position_at(now, run_id),
        workflow=workflow,
        status="running",
        started_by=msgspec.json.encode(started_by).decode(),
        schedule_id=schedule_id,
        retry_of=retry_of,
        execution=execution,
        total=total,
        started_at=now,
        delete_at=int(now) + _LONGEST_RUN_SECONDS + RECORDS_KEPT_SECONDS,
    )


def close(
    run_id: str, status: RunStatus, counts: Counts, finished_at: float, problem: str | None = None
) -> tuple[bool, RunRecord | None]:
    """Records the end of a run; says whether this call did, and returns the record.

    The record is null if there is none.

    A record that is closed stays as it is. Of a cancelled run alone the counts may change, because
    items that were being worked on end later. 1 DynamoDB request.

    Args:
        run_id: of the run.
        status: not `running`.
        counts: of its items.
        finished_at: seconds since the epoch.
        problem: of a run that failed as a whole, JSON.

    Raises:
        Unavailable
    """
    numbers: list[Action] = [
        RunRecord.succeeded.set(counts.succeeded),
        RunRecord.failed.set(counts.failed),
        RunRecord.skipped.set(counts.skipped),
    ]
    workflow = run_id.partition(".")[0]
    ending = [
        *numbers,
        RunRecord.status.set(status),
        RunRecord.shelf.set(shelf_name(workflow, shelf_of(status))),
        RunRecord.finished_at.set(finished_at),
        RunRecord.delete_at.set(int(clock.now()) + RECORDS_KEPT_SECONDS),
    ]
    ending += [RunRecord.problem.set(problem)] if problem else []
    running: Condition = RunRecord.status == "running"
    closed, stored = RunRecord.update_if(run_id, ending, running)
    if not closed and stored and stored.status == status == "cancelled":
        _, stored = RunRecord.update_if(run_id, numbers, RunRecord.status == "cancelled")
    return closed, stored


def reopen(closed: RunRecord, now: float) -> RunRecord | None:
    """Takes back the end of a run that was never started, and begins it now; null where another
    call did. 1 DynamoDB request.

    Raises:
        Unavailable
    """
    actions: list[Action] = [
        RunRecord.shelf.set(shelf_name(closed.workflow, "running")),
        RunRecord.position.set(position_at(now, closed.run_id)),
        RunRecord.status.set("running"),
        RunRecord.started_at.set(now),
        RunRecord.delete_at.set(int(now) + _LONGEST_RUN_SECONDS + RECORDS_KEPT_SECONDS),
        RunRecord.succeeded.remove(),
        RunRecord.failed.remove(),
        RunRecord.skipped.remove(),
        RunRecord.finished_at.remove(),
        RunRecord.problem.remove(),
    ]
    unchanged: Condition = RunRecord.finished_at == closed.finished_at
    reopened, stored = RunRecord.update_if(closed.run_id, actions, unchanged)
    return stored if reopened else None


def find(run_id: str) -> RunRecord | None:
    """The record of a run, read consistently; null if there is none. 1 DynamoDB request.

    Raises:
        Unavailable
    """
    with dynamodb.unavailable_if_transient():
        try:
            return RunRecord.get(run_id, consistent_read=True)
        except RunRecord.DoesNotExist:
            return None


def position_at(moment: float, run_id: str = "") -> str:
    """Position of a run that begins at a moment; without an id, before all of them."""
    return f"{datetime.fromtimestamp(moment, UTC):%Y-%m-%dT%H:%M:%S.%f} {run_id}"


def shelf_of(status: RunStatus) -> Shelf:
    """Shelf of a run's record."""
    return status if status in {"running", "succeeded"} else "unsuccessful"


def shelf_name(workflow: str, shelf: Shelf) -> str:
    """Partition of the index."""
    return f"{workflow} {shelf}"
