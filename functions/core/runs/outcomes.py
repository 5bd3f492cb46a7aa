"""Outcomes of items: one record per item, and the rules by which an item is done once."""

import secrets
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Literal, cast

import msgspec
from pynamodb.attributes import NumberAttribute, UnicodeAttribute
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action
from pynamodb.indexes import AllProjection, GlobalSecondaryIndex

from functions.core import clock
from functions.core.aws import dynamodb
from functions.core.config import table_name
from functions.core.errors import Unavailable
from functions.core.http.gateway import MAX_BODY_BYTES
from functions.core.http.problems import Problem

OUTCOMES_KEPT_SECONDS = 30 * 86_400
LEASE_SECONDS = 12
"""Time after which an attempt without a renewal counts as dead. It renews three times as often."""

_MARKER = -1
"""Index of the run's own record, which exists once the run is cancelled."""
_PAGE_BYTES = MAX_BODY_BYTES

ItemStatus = Literal["running", "succeeded", "failed"]


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
    """running, succeeded or failed."""
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
    steps = UnicodeAttribute(null=True)
    """JSON: values of its steps, by name (steps.py)."""
    delete_at = NumberAttribute()

    failed_items = _Failed()

    @property
    def done(self) -> bool:
        """Whether the item has ended for good."""
        return self.status in {"succeeded", "failed"}


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
    """Problem of the item; null unless it failed."""


class ItemPage(msgspec.Struct, frozen=True, kw_only=True):
    """A page of outcomes, by index. Items that have not started have none."""

    items: list[ItemOutcome]
    """Outcomes of items."""
    cursor: str | None
    """Cursor of the next page; null at the end."""


class Busy(Unavailable):
    """Another delivery of the same item is working on it."""


class Attempt(msgspec.Struct, frozen=True):
    """The right to run an item, until its lease ends."""

    run_id: str
    index: int
    attempt_id: str

    def renew(self) -> None:
        """Renews the lease."""
        self._write(Outcome.lease_until.set(clock.now() + LEASE_SECONDS))

    def succeed(self, result: str) -> str:
        """Records the result, a JSON text; returns the item's status."""
        ended = [Outcome.status.set("succeeded"), Outcome.result.set(result)]
        return self._write(
            *ended,
            Outcome.finished_at.set(_now()),
            Outcome.problem.remove(),
            Outcome.failed.remove(),
        )

    def fail(self, problem: Problem) -> str:
        """Records a permanent failure; returns the item's status."""
        ended = [Outcome.status.set("failed"), Outcome.failed.set(self.index)]
        return self._write(
            *ended, Outcome.finished_at.set(_now()), Outcome.problem.set(_json(problem))
        )

    def give_up(self, problem: Problem) -> None:
        """Leaves the item to another try; the problem stays in case there is none."""
        self._write(Outcome.lease_until.set(0), Outcome.problem.set(_json(problem)))

    def _write(self, *actions: Action) -> str:
        """Writes, unless another attempt has taken over."""
        mine: Condition = Outcome.attempt_id == self.attempt_id
        _, stored = Outcome.update_if(self.run_id, actions, mine, range_key=self.index)
        return str(stored.status) if stored else "failed"


def claim(run_id: str, index: int, delete_at: int) -> Attempt | str:
    """Begins an attempt at an item; returns the status of an ended item instead. 1 DynamoDB
    request.

    Raises:
        Busy: another attempt has a lease that has not ended.
        Unavailable
    """
    now, attempt = clock.now(), Attempt(run_id, index, secrets.token_hex(8))
    actions = [
        Outcome.status.set("running"),
        Outcome.attempts.add(1),
        Outcome.attempt_id.set(attempt.attempt_id),
        Outcome.lease_until.set(now + LEASE_SECONDS),
        Outcome.started_at.set(Outcome.started_at | _now()),
        Outcome.delete_at.set(delete_at),
    ]
    free = Outcome.status.does_not_exist() | (
        (Outcome.status == "running") & (Outcome.lease_until < now)
    )
    claimed, stored = Outcome.update_if(run_id, actions, free, range_key=index)
    # The SDK may repeat a write whose answer was lost, and then finds the lease of the first.
    if claimed or (stored and stored.attempt_id == attempt.attempt_id):
        return attempt
    if stored and stored.done:
        return str(stored.status)
    raise Busy("Another delivery of this item is working on it.", retry_after=LEASE_SECONDS)


def cancel(run_id: str, delete_at: int) -> None:
    """Keeps items from starting, even where Step Functions has already called the function."""
    with dynamodb.unavailable_if_transient():
        Outcome(run_id, _MARKER, delete_at=delete_at).save()


def is_cancelled(run_id: str) -> bool:
    """Whether items must not start any more. 1 DynamoDB request."""
    return _get(run_id, _MARKER) is not None


def find_outcome(run_id: str, index: int) -> ItemOutcome | None:
    """The outcome of one item; null before it starts."""
    found = _get(run_id, index)
    return _shown(found) if found else None


def find_steps(run_id: str, index: int) -> dict[str, str]:
    """Values of an item's steps, by name."""
    found = _get(run_id, index)
    return msgspec.json.decode(found.steps) if found and found.steps else {}


def keep_steps(run_id: str, index: int, steps: Mapping[str, str], delete_at: int) -> None:
    """Keeps the values of an item's steps. 1 DynamoDB request."""
    actions = [
        Outcome.steps.set(msgspec.json.encode(steps).decode()),
        Outcome.delete_at.set(Outcome.delete_at | delete_at),
    ]
    Outcome.update_if(run_id, actions, None, range_key=index)


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
    after = _MARKER if after is None else after
    page: list[ItemOutcome] = []
    size = 0
    with dynamodb.unavailable_if_transient():
        for outcome in _query(run_id, after, failed_only=failed_only, limit=limit + 1):
            size += len((outcome.result or "").encode()) + len((outcome.problem or "").encode())
            if page and (len(page) == limit or size > _PAGE_BYTES):
                return page, page[-1].index
            page.append(_shown(outcome))
    return page, None


def failed_indexes(run_id: str) -> Iterator[int]:
    """Indexes of the items that failed so far, ascending."""
    with dynamodb.unavailable_if_transient():
        for outcome in Outcome.failed_items.query(run_id, attributes_to_get=["index"]):
            yield int(outcome.index)


def count_failed(run_id: str) -> int:
    """Number of items that have failed so far."""
    with dynamodb.unavailable_if_transient():
        return Outcome.failed_items.count(run_id)


def _get(run_id: str, index: int) -> Outcome | None:
    with dynamodb.unavailable_if_transient():
        try:
            return Outcome.get(run_id, index, consistent_read=True)
        except Outcome.DoesNotExist:
            return None


def _query(run_id: str, after: int, *, failed_only: bool, limit: int) -> Iterator[Outcome]:
    if failed_only:
        return Outcome.failed_items.query(run_id, Outcome.failed > after, limit=limit)
    return Outcome.query(run_id, Outcome.index > after, limit=limit)


def _shown(outcome: Outcome) -> ItemOutcome:
    return ItemOutcome(
        index=int(outcome.index),
        status=cast("ItemStatus", outcome.status or "running"),
        attempts=int(outcome.attempts),
        started_at=outcome.started_at,
        finished_at=outcome.finished_at,
        result=msgspec.json.decode(outcome.result) if outcome.result else None,
        problem=_problem(outcome) if outcome.done else None,
    )


def _problem(outcome: Outcome) -> Problem | None:
    return msgspec.json.decode(outcome.problem, type=Problem) if outcome.problem else None


def _json(problem: Problem) -> str:
    return msgspec.json.encode(problem).decode()


def _now() -> str:
    """The time as Step Functions writes it when it records crashed items."""
    return (
        datetime.fromtimestamp(clock.now(), UTC)
        .isoformat(timespec="milliseconds")
        .replace("+00:00", "Z")
    )
