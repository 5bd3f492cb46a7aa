"""Endpoints of events that fail: since when, and who is told after a day.

One record per endpoint. A delivery reads it and writes it only on a change: at the first failure,
at the first success after one, and when the app is told.
"""

import hashlib
from collections.abc import Callable
from datetime import timedelta

from pynamodb.attributes import BooleanAttribute, NumberAttribute, UnicodeAttribute

from functions.core import clock, config
from functions.core.aws import dynamodb
from functions.core.clock import rfc3339, utc
from functions.core.config import table_name
from functions.core.errors import TooSlow, WorkflowError
from functions.core.events.endpoints import Endpoint
from functions.core.events.event_filter import EventSettings
from functions.core.events.event_id import event_id
from functions.core.http.problems import problem
from functions.core.observability import count, logger

TYPE = "event.endpoint_failing"
TOLD_AFTER = timedelta(days=1)
_KEPT = timedelta(days=30)
"""An endpoint that still fails then is told of again."""
_SENDER = "events"


class _Record(dynamodb.Table):
    """Failures of one endpoint. No run has such an id, so no outcome is near it."""

    class Meta:
        """PynamoDB's description of the table."""

        table_name = table_name("OUTCOMES_TABLE")

    key = UnicodeAttribute(hash_key=True, attr_name="run_id")
    index = NumberAttribute(range_key=True)
    failing_since = NumberAttribute(null=True)
    """Time of the first failure after the last success, seconds since the epoch."""
    told = BooleanAttribute(null=True)
    """Whether the event was sent."""
    delete_at = NumberAttribute()


def note_success(endpoint: Endpoint) -> None:
    """Ends the failures of an endpoint. 1 DynamoDB request, and 1 more if it has failed."""
    _quietly(_clear, _key(endpoint))


def note_failure(endpoint: Endpoint, error: WorkflowError) -> None:
    """Notes a failure; tells of the endpoint if it has failed for a day. 1 to 2 DynamoDB requests.

    The metric is counted at each failure after that day, the event is sent once.
    """
    _quietly(_note, endpoint, error)


def _clear(key: str) -> None:
    found = _read(key)
    if found:
        _Record.update_if(
            key,
            [_Record.failing_since.remove(), _Record.told.remove()],
            _Record.failing_since == found.failing_since,
            range_key=0,
        )


def _note(endpoint: Endpoint, error: WorkflowError) -> None:
    key, now = _key(endpoint), clock.now()
    found = _read(key)
    if found is None:
        _begin(key, now)
    elif now - found.failing_since >= TOLD_AFTER.total_seconds():
        count("EndpointFailing")
        if not found.told:
            _tell(endpoint, found.failing_since, error)
            told = [_Record.told.set(True)]
            _Record.update_if(key, told, _Record.failing_since == found.failing_since, range_key=0)


def _begin(key: str, now: float) -> None:
    _Record.update_if(
        key,
        [
            _Record.failing_since.set(now),
            _Record.delete_at.set(int(now + _KEPT.total_seconds())),
        ],
        _Record.failing_since.does_not_exist(),
        range_key=0,
    )


def _tell(endpoint: Endpoint, failing_since: float, error: WorkflowError) -> None:
    """Sends the event, once per endpoint and time, however many deliveries fail at that moment."""
    since = rfc3339(utc(failing_since))
    logger.error("an endpoint of events has failed for a day", endpoint=endpoint.name, since=since)
    if not config.read(EventSettings).wants(TYPE):
        return
    from functions.core.events.sending import send_event  # noqa: PLC0415 - no cold start pays for it

    told = problem(error, "")
    data = {
        "endpoint": endpoint.name,
        "failing_since": since,
        "code": told.code,
        "detail": told.detail,
    }
    seed = f"{_key(endpoint)} failing since {since}"
    send_event({"event_id": event_id(seed), "type": TYPE, "data": data}, _SENDER)


def _read(key: str) -> _Record | None:
    """The record of an endpoint that fails; null of one that does not."""
    with dynamodb.unavailable_if_transient():
        try:
            found = _Record.get(key, 0, consistent_read=True)
        except _Record.DoesNotExist:
            return None
    return found if found.failing_since is not None else None


def _key(endpoint: Endpoint) -> str:
    """Key of the record. A new URL begins anew; the URL itself may hold a secret."""
    return f"endpoint {hashlib.sha256(endpoint.url.encode()).hexdigest()}"


def _quietly(do: Callable[..., None], *about: object) -> None:
    """A delivery is worth more than its endpoint's record: a fault here fails none."""
    try:
        do(*about)
    except TooSlow:  # the deadline may strike anywhere
        raise
    except Exception:  # noqa: BLE001 - the next delivery may keep it
        logger.warning("the record of an endpoint of events was not kept", exc_info=True)
