"""deliver_event: tells a server of the app's own that something happened. A run of it is tried again and kept as any run is."""

import secrets
from datetime import datetime
from typing import Annotated, Any

from msgspec import Meta

from functions.core import clock, config
from functions.core.clock import rfc3339, utc
from functions.core.errors import FieldError, InvalidParameters
from functions.core.events import endpoints, event_filter
from functions.core.events.delivery import Event, deliver
from functions.core.events.event_id import event_id
from functions.core.observability import count, logger
from functions.core.outbound_http import post
from functions.core.workflow import Call, Parameters, Result, workflow
from functions.workflows.deliver_event.reserved import refuse_reserved


class DeliverEvent(Parameters):
    """What happened."""

    type: Annotated[str, Meta(max_length=64, pattern=r"^[a-z][a-z0-9_]*(\.[a-z0-9_]+)+\Z")]
    """Such as `order.shipped`. Some are the platform's own (reserved.py)."""
    data: dict[str, Any]
    """What the receiver is told of it."""
    event_id: Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{1,64}\Z")] | None = None
    """By which the receiver recognises what it has had already; by default each item of a run has its own. Without a full
    stop, which separates it from what is signed with it (Standard Webhooks 1.0.0, "Signature scheme").
    """
    occurred_at: Annotated[datetime, Meta(tz=True)] | None = None
    """Now by default."""

    def check(self) -> None:
        """A time next to the first or the last year may have none in UTC."""
        if self.occurred_at:
            try:
                rfc3339(self.occurred_at)
            except OverflowError:
                wrong = FieldError("/occurred_at", "must be a time like 2026-01-31T12:00:00Z")
                raise InvalidParameters(wrong) from None

    def check_origin(self, started_by: str | None) -> None:
        """Nobody else tells of what the platform does."""
        refuse_reserved(self.type, started_by)


class EventDelivered(Result):
    """What became of it; not delivered, with null, where events of this type go nowhere."""

    event_id: str
    delivered: bool
    status: int | None
    """Of the receiver's answer."""


def deliver_event(parameters: DeliverEvent, call: Call) -> EventDelivered:
    """What is not delivered is raised, so that the run tries again."""
    own_id = parameters.event_id or _new_id(call)
    logger.append_keys(event_type=parameters.type, event_id=own_id)
    endpoint = endpoints.endpoint_for(parameters.type)
    if endpoint is None:
        return EventDelivered(event_id=own_id, delivered=False, status=None)
    event = Event(
        id=own_id,
        type=parameters.type,
        timestamp=_timestamp(parameters, call),
        data=parameters.data,
    )
    try:
        status = deliver(event, endpoint, utc(clock.now()))
    except Exception:
        count("EventNotDelivered")
        raise
    count("EventDelivered")
    logger.append_keys(receiver_status=status)
    return EventDelivered(event_id=own_id, delivered=True, status=status)


def _new_id(call: Call) -> str:
    """In a run it follows from the item, so that it is the same at every try and in every retry."""
    return event_id(call.item_id or secrets.token_hex())


def _timestamp(parameters: DeliverEvent, call: Call) -> str:
    """The same at every try as well."""
    if parameters.occurred_at:
        return rfc3339(parameters.occurred_at)
    return call.once("occurred_at", lambda: rfc3339(utc(clock.now())))


def _prepare_delivery() -> None:
    if config.read(event_filter.EventSettings).events_url:
        endpoints.prepare()
        post.prepare()


lambda_handler = workflow(deliver_event, prepare=[_prepare_delivery])
