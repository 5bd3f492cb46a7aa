"""Deliveries as clients see them: kept payloads with their outcomes."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from functions.api.webhooks.kept import record
from functions.api.webhooks.kept.record import Outcome
from functions.core.clock import utc
from functions.core.http.problems import Problem
from functions.core.runs.execution import RunId

DeliveryId = Annotated[
    str, Meta(pattern=r"^[0-9]{13}-[0-9a-f]{16}\Z", examples=["8204478399999-9f86d081884c7d65"])
]
DeliveryStatus = Literal["started", "sent", "ignored", "failed"]


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """A verified delivery of a source."""

    id: DeliveryId
    """Id of the delivery. Repetitions have the id of the first."""
    received_at: datetime
    """Time of the first try."""
    status: DeliveryStatus
    """`started`: it started a run. `sent`: it sent an event. `ignored`: the source's expression
    asks for neither. `failed`: the expression does not fit, or the delivery was not processed to
    its end.
    """
    run_id: RunId | None
    """Run that it started last; null if it started none."""
    woken: int | None
    """Items that its last event has woken at once; null if it sent none."""
    problem: Problem | None
    """Problem of a delivery that failed; null if it was not processed to its end."""


class DeliveryWithPayload(Delivery, frozen=True, kw_only=True):
    """A verified delivery of a source, with its content."""

    payload: Any
    """JSON that the source sent, or the fields of a form."""
    query: dict[str, str]
    """Query of the URL, if the source signs that."""


class DeliveryPage(msgspec.Struct, frozen=True, kw_only=True):
    """A page of deliveries, newest first. It may be short and not the last."""

    deliveries: list[Delivery]
    """Deliveries of the last 7 days."""
    cursor: str | None
    """Cursor of the next page; null at the end."""


def describe(name: str, ids: Sequence[str]) -> list[Delivery]:
    """Deliveries of a source by their ids, up to 100."""
    outcomes = record.outcomes(name, ids)
    return [
        _delivery(each, received, outcomes.get(each))
        for each in ids
        if (received := record.received_ms(each))
    ]


def _delivery(delivery_id: str, received_ms: int, outcome: Outcome | None) -> Delivery:
    status: DeliveryStatus = "ignored"
    if outcome is None or outcome.problem:
        status = "failed"
    elif outcome.run_id:
        status = "started"
    elif outcome.woken is not None:
        status = "sent"
    return Delivery(
        id=delivery_id,
        received_at=utc(received_ms / 1000),
        status=status,
        run_id=outcome.run_id if outcome else None,
        woken=outcome.woken if outcome else None,
        problem=outcome.problem if outcome else None,
    )
