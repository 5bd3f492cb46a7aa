"""Outcomes of items: one record per item, as clients see it while it runs and afterwards."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Literal, NamedTuple, cast

import msgspec
from pynamodb.attributes import BooleanAttribute, NumberAttribute, UnicodeAttribute
from pynamodb.expressions.condition import Condition
from pynamodb.indexes import AllProjection, GlobalSecondaryIndex

from functions.core import clock
from functions.core.aws import dynamodb
from functions.core.clock import rfc3339, utc
from functions.core.config import table_name
from functions.core.http.gateway import MAX_BODY_BYTES
from functions.core.http.problems import Problem

OUTCOMES_KEPT_SECONDS = 30 * 86_400
LONGEST_KEPT_SECONDS = 400 * 86_400
"""Time for what a run needs as a whole: it may last a year, and be retried for 30 days."""

CANCELLED = -1
"""Index of a record of the run itself, which exists once the run is cancelled."""
COUNTERS = -2
"""Index of the first record of the run itself that counts what no index does."""
_COUNTER_RECORDS = 8
"""Records that share the counting, for more writes a second than DynamoDB makes to one item."""
_PAGE_BYTES = MAX_BODY_BYTES

ItemStatus = Literal["pending", "running", "waiting", "succeeded", "failed", "skipped"]


class _Failed(GlobalSecondaryIndex["Outcome"]):  # type: ignore[no-untyped-call] # PynamoDB leaves a hook untyped
    """Index of failed items: no other record has the attribute."""

    class Meta:
        """PynamoDB's description of the index."""

        index_name = "failed"
        projection = AllProjection()

    run_id = UnicodeAttribute(hash_key=True)
    failed = NumberAttribute(range_key=True)


class Outcome(dynamodb.Table):
    """The outcome of one item of one run."""

    class Meta:
        """PynamoDB's description of the table."""

        table_name = table_name("OUTCOMES_TABLE")

    run_id = UnicodeAttribute(hash_key=True)
    index = NumberAttribute(range_key=True)
    status = UnicodeAttribute(null=True)
    """running, waiting, succeeded, failed or skipped."""
    failed = NumberAttribute(null=True)
    """The index, where the item failed."""
    attempts = NumberAttribute(default=0)
    attempt_id = UnicodeAttribute(null=True)
    """Id of the newest attempt; only that one may record the end of the item."""
    lease_until = NumberAttribute(null=True)
    started_at = UnicodeAttribute(null=True)
    finished_at = UnicodeAttribute(null=True)
    result = UnicodeAttribute(null=True)
    """JSON."""
    problem = UnicodeAttribute(null=True)
    """JSON; also of an attempt after which the item is still running."""
    next_attempt_by = UnicodeAttribute(null=True)
    """Latest time of the next attempt, after one that another may follow."""
    step = UnicodeAttribute(null=True)
    """JSON of a step (steps.py) or of an event; task token of a listener (event_box.py); run of the
    item that holds a lock (one_per.py).
    """
    waiting_for = UnicodeAttribute(null=True)
    """Type of the event for which the item waits."""
    waiting_until = UnicodeAttribute(null=True)
    """Time at which the item goes on at the latest."""
    parked = BooleanAttribute(null=True)
    """Whether S3 keeps a copy of its parameters for the time that it waits (files.py)."""
    waits = NumberAttribute(null=True)
    """Times that the item has been suspended in this run."""
    left = BooleanAttribute(null=True)
    """Whether the item goes on in an execution of its own (api/runs/leaving.py)."""
    counted = BooleanAttribute(null=True)
    """Whether the counters have the end of an item that has left."""
    skipped = NumberAttribute(null=True)
    """Number of skipped items, in a counter."""
    left_items = NumberAttribute(null=True)
    """Number of items that have left, in a counter."""
    left_ended = NumberAttribute(null=True)
    """Number of those that have ended, in a counter."""
    left_failed = NumberAttribute(null=True)
    """Number of those that have failed, in a counter."""
    descendants = BooleanAttribute(null=True)
    """Whether runs below stop too, in the mark of a cancelled run."""
    delete_at = NumberAttribute()

    failed_items = _Failed()

    @property
    def done(self) -> bool:
        """Whether the item has ended for good."""
        return self.status in {"succeeded", "failed", "skipped"}


class ItemOutcome(msgspec.Struct, frozen=True, kw_only=True):
    """The outcome of one item, as clients see it."""

    index: int
    """Place of the item in the list, from 0."""
    status: ItemStatus
    """State of the item."""
    attempts: int
    """Attempts so far."""
    started_at: str | None
    """Start of the first attempt."""
    finished_at: str | None
    """End of the item; null while it runs."""
    result: Any
    """Result of the workflow; null unless the item succeeded."""
    problem: Problem | None
    """Problem of the item; while it runs, of its last attempt. Null if nothing went wrong."""
    next_attempt_by: str | None
    """Latest time of the next attempt; null unless one follows."""
    waiting_for: str | None
    """Type of the event for which the item waits; null while it sleeps or pauses."""
    waiting_until: str | None
    """Time at which the item goes on at the latest; null unless it waits."""


class ItemEnd(msgspec.Struct, frozen=True):
    """Status of an item, and its result or problem."""

    index: int
    status: str
    """An `ItemStatus`."""
    result: str | None = None
    """JSON."""
    problem: Problem | None = None


class ItemPage(msgspec.Struct, frozen=True, kw_only=True):
    """A page of outcomes, by index. Items that have not started have none."""

    items: list[ItemOutcome]
    """Outcomes of items."""
    cursor: str | None
    """Cursor of the next page; null at the end."""


def find_outcome(run_id: str, index: int) -> ItemOutcome | None:
    """The outcome of one item; null before it starts."""
    found = get(run_id, index)
    return _shown(found) if found else None


def list_outcomes(
    run_id: str, *, failed_only: bool = False, after: int | None = None, limit: int = 100
) -> tuple[list[ItemOutcome], int | None]:
    """A page of outcomes by index, and the index after which the next page begins (null at the
    end).

    Items that have not started have no outcome.

    Args:
        run_id: whose outcomes.
        failed_only: only those of items that failed.
        after: index of the last one that is known.
        limit: of a page, which ends earlier where it would pass 3 MB.
    """
    after = CANCELLED if after is None else after
    page: list[ItemOutcome] = []
    size = 0
    with dynamodb.unavailable_if_transient():
        for outcome in _query(run_id, after, failed_only=failed_only, limit=limit + 1):
            size += len((outcome.result or "").encode()) + len((outcome.problem or "").encode())
            if page and (len(page) == limit or size > _PAGE_BYTES):
                return page, page[-1].index
            page.append(_shown(outcome))
    return page, None


def read_ends(run_id: str) -> Iterator[ItemEnd]:
    """Ends of all items of a run that have an outcome, by index, read consistently.

    Raises:
        Unavailable
    """
    pages = Outcome.query(
        run_id,
        Outcome.index > CANCELLED,
        consistent_read=True,
        attributes_to_get=["index", "status", "result", "problem"],
    ).page_iter
    with dynamodb.unavailable_if_transient():
        for page in pages:
            yield from map(_end_of, page["Items"])


def failed_indexes(run_id: str) -> Iterator[int]:
    """Indexes of the items that failed so far, ascending."""
    pages = Outcome.failed_items.query(run_id, attributes_to_get=["index"]).page_iter
    with dynamodb.unavailable_if_transient():
        for page in pages:  # not PynamoDB's models: as in `_end_of`
            yield from (int(each["index"]["N"]) for each in page["Items"])


def parked_indexes(run_id: str, *, failed_only: bool) -> Iterator[int]:
    """Indexes of the items that have not succeeded, and whose parameters are kept, because they
    have waited; ascending.
    """
    parked: Condition = Outcome.parked == True  # noqa: E712 - PynamoDB's condition
    left = parked & ~Outcome.status.is_in("succeeded", "skipped")
    with dynamodb.unavailable_if_transient():
        found = (
            Outcome.failed_items.query(run_id, filter_condition=left)
            if failed_only
            else Outcome.query(run_id, Outcome.index > CANCELLED, left, consistent_read=True)
        )
        for outcome in found:
            yield int(outcome.index)


def overdue(run_id: str, before: float) -> Iterator[tuple[int, int]]:
    """Index and waits of the items that have left, and should have gone on or have ended before a
    time, but were not counted.

    Args:
        run_id: of the run.
        before: seconds since the epoch.
    """
    late = (
        (Outcome.left == True)  # noqa: E712 - PynamoDB's condition
        & Outcome.counted.does_not_exist()
        & (Outcome.lease_until < before)
        & (Outcome.waiting_until.does_not_exist() | (Outcome.waiting_until < rfc3339(utc(before))))
    )
    with dynamodb.unavailable_if_transient():
        for outcome in Outcome.query(run_id, Outcome.index > CANCELLED, late, consistent_read=True):
            yield int(outcome.index), int(outcome.waits or 0)


def count_failed(run_id: str) -> int:
    """Number of items that have failed so far."""
    with dynamodb.unavailable_if_transient():
        return Outcome.failed_items.count(run_id)


class Tally(NamedTuple):
    """Items of a run that only its counters know of."""

    skipped: int
    """Items that were skipped."""
    left: int
    """Items that went on, or go on, in executions of their own, because they wait."""
    left_ended: int
    """Those of them that have ended."""
    left_failed: int
    """Those of them that have failed."""

    @property
    def waiting(self) -> int:
        """Items that have left and have not ended."""
        return self.left - self.left_ended


def tally(run_id: str) -> Tally:
    """What the counters of a run say. 1 DynamoDB request."""
    last = COUNTERS - _COUNTER_RECORDS + 1
    with dynamodb.unavailable_if_transient():
        found = list(
            Outcome.query(run_id, Outcome.index.between(last, COUNTERS), consistent_read=True)
        )
    return Tally(
        skipped=sum(int(each.skipped or 0) for each in found),
        left=sum(int(each.left_items or 0) for each in found),
        left_ended=sum(int(each.left_ended or 0) for each in found),
        left_failed=sum(int(each.left_failed or 0) for each in found),
    )


def counter(run_id: str, index: int) -> Outcome:
    """The record that counts an item of a run."""
    return Outcome(run_id, COUNTERS - index % _COUNTER_RECORDS)


def get(run_id: str, index: int) -> Outcome | None:
    """A record, read consistently; null if there is none."""
    with dynamodb.unavailable_if_transient():
        try:
            return Outcome.get(run_id, index, consistent_read=True)
        except Outcome.DoesNotExist:
            return None


def _end_of(raw: Mapping[str, Mapping[str, str]]) -> ItemEnd:
    """Read from DynamoDB's JSON: PynamoDB's models take 1.5 s for 100,000 items, this 0.1 s."""
    problem = raw.get("problem")
    return ItemEnd(
        index=int(raw["index"]["N"]),
        status=raw.get("status", {}).get("S", "pending"),
        result=raw.get("result", {}).get("S"),
        problem=msgspec.json.decode(problem["S"], type=Problem) if problem else None,
    )


def _query(run_id: str, after: int, *, failed_only: bool, limit: int) -> Iterator[Outcome]:
    if failed_only:
        return Outcome.failed_items.query(run_id, Outcome.failed > after, limit=limit)
    return Outcome.query(run_id, Outcome.index > after, limit=limit)


def _shown(outcome: Outcome) -> ItemOutcome:
    return ItemOutcome(
        index=int(outcome.index),
        # Steps of an item that starts in a later run are kept here, in its first run.
        status=cast("ItemStatus", outcome.status or "pending"),
        attempts=int(outcome.attempts),
        started_at=outcome.started_at,
        finished_at=outcome.finished_at,
        result=msgspec.json.decode(outcome.result) if outcome.result else None,
        problem=_problem(outcome),
        next_attempt_by=outcome.next_attempt_by,
        waiting_for=outcome.waiting_for if outcome.status == "waiting" else None,
        waiting_until=outcome.waiting_until if outcome.status == "waiting" else None,
    )


def _problem(outcome: Outcome) -> Problem | None:
    return msgspec.json.decode(outcome.problem, type=Problem) if outcome.problem else None


def as_json(problem: Problem) -> str:
    """A problem as it is kept."""
    return msgspec.json.encode(problem).decode()


def now_text(moment: float | None = None) -> str:
    """A time, by default now, as Step Functions writes it when it records crashed items."""
    return (
        datetime.fromtimestamp(clock.now() if moment is None else moment, UTC)
        .isoformat(timespec="milliseconds")
        .replace("+00:00", "Z")
    )
