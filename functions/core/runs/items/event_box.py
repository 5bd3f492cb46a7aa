"""Events for items that wait: stored, and looked for, on both sides.

The sender stores the event, then looks for those who listen. The item's listener is stored, then
looks for the event. So in whichever order they come, one of them finds the other. Events and
listeners have addresses: the item itself, or a key that the app has chosen.
"""

import hashlib
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from functions.core.aws import dynamodb, step_functions
from functions.core.clock import DAY_SECONDS
from functions.core.runs.items.outcomes import Outcome

EVENTS_KEPT_SECONDS = 30 * DAY_SECONDS
_DIGITS = 12
"""Hexadecimal digits of a listener's place: 48 bits, within a number's precision."""


class StoredEvent(msgspec.Struct, frozen=True, kw_only=True):
    """An event as it came in."""

    type: str
    data: dict[str, Any]
    received_at: float


def item_address(event_type: str, item_id: str) -> str:
    """Address of one item: `POST /runs/<run_id>/events`."""
    return f"item {event_type} {item_id}"


def key_address(event_type: str, key: str) -> str:
    """Address of all items that wait with a key: `POST /events`."""
    return f"key {event_type} {hashlib.sha256(key.encode()).hexdigest()}"


def end_address(run_id: str) -> str:
    """Address of an item that waits for the end of a run."""
    return f"end {run_id}"


def send(address: str, event: StoredEvent) -> int:
    """Stores an event and wakes who listens; returns their number.

    Raises:
        Unavailable
    """
    with dynamodb.unavailable_if_transient():
        Outcome(
            f"event {address}",
            _place(event.received_at),
            step=msgspec.json.encode(event).decode(),
            delete_at=int(event.received_at) + EVENTS_KEPT_SECONDS,
        ).save()
        listeners = list(Outcome.query(f"listener {address}", consistent_read=True))
    return sum(_wake(each) for each in listeners)


def left_address(run_id: str) -> str:
    """Address of a run whose items have left it to wait (items/leaving.py)."""
    return f"left {run_id}"


def listen(addresses: Sequence[str], since: float, listener: str, token: str, until: float) -> None:
    """Stores a listener, then looks for an event that has come in before.

    Args:
        addresses: where the event may come in.
        since: time from which it counts, seconds since the epoch.
        listener: id of the item or the run that waits.
        token: Step Functions' task token.
        until: end of the wait.

    Raises:
        Unavailable
    """
    place = int(hashlib.sha256(listener.encode()).hexdigest()[:_DIGITS], 16)
    with dynamodb.unavailable_if_transient():
        for address in addresses:
            Outcome(
                f"listener {address}",
                place,
                step=token,
                lease_until=until,
                delete_at=int(until) + DAY_SECONDS,
            ).save()
    if find(addresses, since):
        step_functions.succeed_task(token)


def find(addresses: Sequence[str], since: float) -> StoredEvent | None:
    """The first event since a time; null if none has come in."""
    found = [event for address in addresses for event in _events(address, since)]
    return min(found, key=lambda each: each.received_at, default=None)


def _events(address: str, since: float) -> Iterator[StoredEvent]:
    with dynamodb.unavailable_if_transient():
        stored = Outcome.query(
            f"event {address}", Outcome.index >= _place(since), limit=1, consistent_read=True
        )
        for each in stored:
            yield msgspec.json.decode(each.step, type=StoredEvent)


def _wake(listener: Outcome) -> bool:
    woken = step_functions.succeed_task(str(listener.step))
    with dynamodb.unavailable_if_transient():
        listener.delete()
    return woken


def _place(moment: float) -> int:
    """Place of an event among those of its address: microseconds since the epoch."""
    return int(moment * 1_000_000)
