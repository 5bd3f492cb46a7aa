"""deliver_event: notifies the app's backend of an event, over a day if it has to."""

from datetime import datetime
from typing import Annotated, Any

from msgspec import Meta

from functions.core import clock, config
from functions.core.clock import rfc3339, utc
from functions.core.errors import (
    DeliveryRefused,
    FieldError,
    InvalidParameters,
    NotDelivered,
    StepFailed,
)
from functions.core.events import endpoints, event_filter, failing_endpoints
from functions.core.events.delivery import Event, deliver
from functions.core.events.event_id import event_id
from functions.core.observability import count, logger
from functions.core.outbound_http import post
from functions.core.workflow import Call, Parameters, Result, workflow
from functions.workflows.deliver_event.reserved import refuse_reserved

PAUSES = (5, 5 * 60, 30 * 60, 2 * 3600, 5 * 3600, 10 * 3600, 10 * 3600)
"""Seconds before each further attempt: 27 hours and 35 minutes together.

Source: https://docs.svix.com/retries, "The schedule".
"""


class DeliverEvent(Parameters):
    """The event to deliver."""

    type: Annotated[str, Meta(max_length=64, pattern=r"^[a-z][a-z0-9_]*(\.[a-z0-9_]+)+\Z")]
    """Type, such as `order.shipped`. Some types are reserved for the platform (reserved.py)."""
    data: dict[str, Any]
    """Data for the receiver."""
    event_id: Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{1,64}\Z")] | None = None
    """Id by which the receiver recognises repetitions; by default one per item of a run.

    It has no full stop, which separates the id from the other signed parts (Standard Webhooks
    1.0.0, "Signature scheme").
    """
    occurred_at: Annotated[datetime, Meta(tz=True)] | None = None
    """Time of the event; by default now."""

    def check(self) -> None:
        """Refuses a time at the edge of the calendar that does not exist in UTC."""
        if self.occurred_at:
            try:
                rfc3339(self.occurred_at)
            except OverflowError:
                error = FieldError("/occurred_at", "must be a time like 2026-01-31T12:00:00Z")
                raise InvalidParameters(error) from None

    def check_origin(self, started_by: str | None) -> None:
        """Refuses the platform's own types of events from anybody else."""
        refuse_reserved(self.type, started_by)


class EventDelivered(Result):
    """Outcome. Not delivered if no endpoint is set up for this type."""

    event_id: str
    """Id of the event."""
    delivered: bool
    """Whether the receiver has taken it."""
    status: int | None
    """Status of the receiver's answer."""


def deliver_event(parameters: DeliverEvent, call: Call) -> EventDelivered:
    """Delivers a signed event to the app's backend.

    If the backend does not take it, it is sent again up to seven times, over 27 hours.

    Raises:
        StepFailed: the backend has not taken it, or refuses it for good.
    """
    event = Event(
        id=parameters.event_id or event_id(call.item_id or call.request_id),
        type=parameters.type,
        timestamp=_timestamp(parameters, call),
        data=parameters.data,
    )
    logger.append_keys(event_type=event.type, event_id=event.id)
    try:
        status = call.step("deliver", lambda: _attempt(event), pauses=PAUSES)
    except StepFailed:
        count("EventNotDelivered")
        raise
    if status is None:
        return EventDelivered(event_id=event.id, delivered=False, status=None)
    count("EventDelivered")
    logger.append_keys(receiver_status=status)
    return EventDelivered(event_id=event.id, delivered=True, status=status)


def _attempt(event: Event) -> int | None:
    """The receiver's status; null if no endpoint is set up. A new URL takes effect at once.

    Raises:
        NotDelivered, DeliveryRefused
    """
    endpoint = endpoints.endpoint_for(event.type)
    if endpoint is None:
        return None
    try:
        status = deliver(event, endpoint, utc(clock.now()))
    except (NotDelivered, DeliveryRefused) as error:
        failing_endpoints.note_failure(endpoint, error)
        raise
    failing_endpoints.note_success(endpoint)
    return status


def _timestamp(parameters: DeliverEvent, call: Call) -> str:
    """Time of the event, the same at every try."""
    if parameters.occurred_at:
        return rfc3339(parameters.occurred_at)
    return call.step("occurred_at", lambda: rfc3339(utc(clock.now())))


def _prepare_delivery() -> None:
    if config.read(event_filter.EventSettings).events_url:
        endpoints.prepare()
        post.prepare()


lambda_handler = workflow(deliver_event, prepare=[_prepare_delivery], long=True)
