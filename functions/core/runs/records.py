"""Records of runs: one per run, for what people ask of runs and Step Functions cannot answer.

A record is written before its execution starts, and closed once when the run ends. Its index lists
the runs of a workflow, newest first, on three shelves: running, succeeded, and all others.
"""

import re
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from heapq import merge
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
_POSITION = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6} [a-z0-9_.]+")
_READERS = 10
"""Concurrent queries; botocore's client keeps as many connections."""
_MOST_EXAMINED = 2_000
"""Records of a shelf that one page examines, where a filter lets few of them pass."""

RunStatus = Literal["running", "succeeded", "partly_failed", "failed", "cancelled"]
Shelf = Literal["running", "succeeded", "unsuccessful"]
_SHELVES: tuple[Shelf, ...] = ("running", "succeeded", "unsuccessful")


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
    moment = datetime.fromtimestamp(now, UTC)
    return RunRecord(
        run_id,
        shelf=_shelf(workflow, "running"),
        position=f"{moment:%Y-%m-%dT%H:%M:%S.%f} {run_id}",
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
    shelf: Shelf = "succeeded" if status == "succeeded" else "unsuccessful"
    ending = [
        *numbers,
        RunRecord.status.set(status),
        RunRecord.shelf.set(_shelf(workflow, shelf)),
        RunRecord.finished_at.set(finished_at),
        RunRecord.delete_at.set(int(clock.now()) + RECORDS_KEPT_SECONDS),
    ]
    ending += [RunRecord.problem.set(problem)] if problem else []
    running: Condition = RunRecord.status == "running"
    closed, stored = RunRecord.update_if(run_id, ending, running)
    if not closed and stored and stored.status == status == "cancelled":
        _, stored = RunRecord.update_if(run_id, numbers, RunRecord.status == "cancelled")
    return closed, stored


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


def page(
    workflows: Sequence[str],
    *,
    status: RunStatus | None = None,
    schedule_id: str | None = None,
    limit: int,
    before: str | None = None,
) -> tuple[list[RunRecord], str | None]:
    """A page of records, newest first, and the position after which the next one begins (null at
    the end).

    A page may be short and not the last: a filter that lets few records pass ends it early.

    Args:
        workflows: names; only their runs are listed.
        status: only runs of this status.
        schedule_id: only runs of this schedule.
        limit: most records.
        before: position of the last record that is known.

    Raises:
        Unavailable
    """
    wanted = _condition(status, schedule_id)
    shelves = _SHELVES if status is None else (_shelf_of(status),)
    names = [_shelf(workflow, shelf) for workflow in workflows for shelf in shelves]
    with ThreadPoolExecutor(_READERS) as readers:
        found = list(readers.map(lambda name: _read(name, wanted, limit, before), names))
    ends = [end for _, end in found if end is not None]
    # Beyond the newest end of a shelf that was not read whole, its records could be missing.
    known_to = max(ends, default="")
    every = merge(*(records for records, _ in found), key=lambda each: each.position, reverse=True)
    known = [each for each in every if each.position >= known_to]
    if len(known) > limit:
        return known[:limit], known[limit - 1].position
    return known, known_to or None


def is_position(text: str) -> bool:
    """Whether a text can be the position of a record."""
    return _POSITION.fullmatch(text) is not None


def running_before(workflow: str, moment: float) -> Iterator[RunRecord]:
    """Records of a workflow's runs that are not closed and began before a moment, oldest first."""
    until = f"{datetime.fromtimestamp(moment, UTC):%Y-%m-%dT%H:%M:%S.%f}"
    with dynamodb.unavailable_if_transient():
        yield from RunRecord.listed.query(_shelf(workflow, "running"), RunRecord.position < until)


def _read(
    shelf: str, wanted: Condition | None, limit: int, before: str | None
) -> tuple[list[RunRecord], str | None]:
    """Newest records of a shelf, and the position up to which they are known; null: to its end."""
    pages = RunRecord.listed.query(
        shelf,
        RunRecord.position < before if before else None,
        wanted,
        scan_index_forward=False,
        page_size=limit if wanted is None else _MOST_EXAMINED,
    ).page_iter
    with dynamodb.unavailable_if_transient():
        found = next(pages)
    last = pages.last_evaluated_key
    records = [RunRecord.from_raw_data(each) for each in found["Items"]]
    return records, last["position"]["S"] if last else None


def _condition(status: RunStatus | None, schedule_id: str | None) -> Condition | None:
    condition: Condition | None = None
    if status is not None and _shelf_of(status) == "unsuccessful":
        condition = RunRecord.status == status
    if schedule_id is not None:
        of_schedule: Condition = RunRecord.schedule_id == schedule_id
        condition = of_schedule if condition is None else condition & of_schedule
    return condition


def _shelf_of(status: RunStatus) -> Shelf:
    return status if status in {"running", "succeeded"} else "unsuccessful"


def _shelf(workflow: str, shelf: Shelf) -> str:
    return f"{workflow} {shelf}"
