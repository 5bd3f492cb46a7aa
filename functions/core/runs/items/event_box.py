"""Events for items that wait: stored, and looked for, on both sides.

The sender stores the event, then looks for those who listen. The item's listener is stored, then
looks for the event. So in whichever order they come, one of them finds the other. Events and
listeners have addresses: the item itself, or a key that the app has chosen.
"""

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Annotated, Any

import msgspec
from msgspec import Meta
from pynamodb.exceptions import DeleteError
from pynamodb.expressions.condition import Condition

from functions.core import clock
from functions.core.aws import dynamodb, step_functions
from functions.core.clock import DAY_SECONDS
from functions.core.errors import FieldError, InvalidParameters
from functions.core.parameters import Parameters
from functions.core.runs.items.outcomes import Outcome

EVENTS_KEPT_SECONDS = 30 * DAY_SECONDS
MAX_DATA_BYTES = 200_000
"""Below the 400 KB of a DynamoDB item."""
_DIGITS = 12
"""Hexadecimal digits of a listener's place: 48 bits, within a number's precision."""


_FIRST = 0
"""Place of the first event of a key that takes no other: before all times."""

EventType = Annotated[
    str,
    Meta(
        max_length=64,
        pattern=r"^[a-z][a-z0-9_]*(\.[a-z0-9_]+)+\Z",
        examples=["user.activated"],
    ),
]


class KeyedEvent(Parameters):
    """An event for all items that wait for it with a key."""

    type: EventType
    """Type for which items wait."""
    key: Annotated[str, Meta(min_length=1, max_length=256, examples=["user-1042"])]
    """Key with which they wait."""
    data: dict[str, Any] = msgspec.field(default_factory=dict)
    """Data that they get, up to 200 KB."""


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


def wake(event: KeyedEvent, received_at: float, *, once: bool = False) -> int:
    """Sends an event to all items that wait for it with its key; returns their number.

    Args:
        event: that they get.
        received_at: its time. A repetition with the same time replaces it.
        once: whether it counts only while an item waits, and as the first of its key. Any other
            is not kept, and wakes none.

    Raises:
        InvalidParameters: its data are too large.
        Unavailable
    """
    refuse_large(event.data)
    address = key_address(event.type, event.key)
    sent = StoredEvent(type=event.type, data=event.data, received_at=received_at)
    if not once:
        return send(address, sent)
    if not _listeners(address):
        return 0
    first = _first_of_key(address, sent)
    woken = send(address, first)  # also for whoever sent it and died before this
    return woken if first.data == sent.data else 0


def refuse_large(data: dict[str, Any]) -> None:
    """Raises `InvalidParameters` for data of an event that cannot be kept."""
    if len(msgspec.json.encode(data)) > MAX_DATA_BYTES:
        raise InvalidParameters(FieldError("/data", f"has more than {MAX_DATA_BYTES:,} bytes"))


def refuse_unsendable(event: str, key: str | None) -> None:
    """Raises `ValueError` for a type or a key that no event can have: the wait would be in vain."""
    about = {"type": event, "key": "-" if key is None else key}
    try:
        msgspec.convert(about, KeyedEvent)
    except msgspec.ValidationError as error:
        raise ValueError(f"No event can be {event!r} with the key {key!r}: {error}") from None


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
    return sum(_wake(each) for each in _listeners(address))


def tell(address: str, kind: str) -> None:
    """Sends an event of the platform's own: something that was awaited has ended.

    Raises:
        Unavailable
    """
    send(address, StoredEvent(type=kind, data={}, received_at=clock.now()))


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


def _listeners(address: str) -> list[Outcome]:
    with dynamodb.unavailable_if_transient():
        return list(Outcome.query(f"listener {address}", consistent_read=True))


def _first_of_key(address: str, event: StoredEvent) -> StoredEvent:
    """The first event of an address: this one, if there was none."""
    actions = [
        Outcome.step.set(msgspec.json.encode(event).decode()),
        Outcome.delete_at.set(int(event.received_at) + EVENTS_KEPT_SECONDS),
    ]
    free = Outcome.step.does_not_exist()
    _, stored = Outcome.update_if(f"event {address}", actions, free, range_key=_FIRST)
    return msgspec.json.decode(stored.step, type=StoredEvent) if stored else event


def _wake(listener: Outcome) -> bool:
    woken = step_functions.succeed_task(str(listener.step))
    # By now it may wait for its next event, with another token. A listener that stays does no harm:
    # its task has ended.
    same: Condition = Outcome.step == listener.step
    with dynamodb.unavailable_if_transient(), suppress(DeleteError):
        listener.delete(condition=same)
    return woken


def _place(moment: float) -> int:
    """Place of an event among those of its address: microseconds since the epoch."""
    return int(moment * 1_000_000)
