"""What a change of a verification's record means, as events. Pure: in goes a record of the table's stream.

A record of DynamoDB Streams as Lambda gets it: `{"eventID", "eventName": INSERT, MODIFY or REMOVE, "dynamodb":
{"ApproximateCreationDateTime", "OldImage", "NewImage"}}`, the images in DynamoDB's JSON.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from functions.core.clock import rfc3339, utc
from functions.core.events.event_id import event_id

Image = Mapping[str, Mapping[str, Any]]


class Event(NamedTuple):
    """What `deliver_event` takes."""

    event_id: str
    """Always the same for the same change, so that it is delivered once however often the stream gives it."""
    type: str
    occurred_at: datetime
    data: dict[str, Any]

    def parameters(self) -> dict[str, Any]:
        """As JSON."""
        return self._asdict() | {"occurred_at": rfc3339(self.occurred_at)}


def events_of(record: Mapping[str, Any]) -> Iterator[Event]:
    """The events that a change is; most changes are none, a wrong guess for instance."""
    change = record["dynamodb"]
    moment = float(change["ApproximateCreationDateTime"])
    before, now = change.get("OldImage") or {}, change.get("NewImage") or {}
    for kind in _kinds(record["eventName"], before, now, moment):
        yield Event(
            event_id=event_id(f"{record['eventID']} {kind}"),
            type=f"verification.{kind}",
            occurred_at=utc(moment),
            data=_data(now or before),
        )


def _kinds(change: str, before: Image, now: Image, moment: float) -> Iterator[str]:
    if change == "MODIFY":
        yield from _delivery(_text(before, "delivery"), _text(now, "delivery"))
        if _approved(now) and not _approved(before):
            yield "approved"
    # Not one that was withdrawn, replaced or deleted before its time; a resend to elsewhere sets expires_at to 0.
    elif (
        change == "REMOVE"
        and not _approved(before)
        and 0 < float(before["expires_at"]["N"]) <= moment
    ):
        yield "expired"


def _delivery(before: str | None, now: str | None) -> Iterator[str]:
    """A report that was quicker than verify_send's own word says that the message was sent, too."""
    if now and before is None and now != "sent":
        yield "sent"
    if now and now != before:
        yield now


def _approved(image: Image) -> bool:
    """Whether the right code was checked. In a stream both are base64; comparing them tells nobody anything."""
    return bool(image["last_mac"]["B"] == image["code_mac"]["B"])


def _data(image: Image) -> dict[str, Any]:
    """The same fields for every type, null where there is nothing to say. No code: the record has none."""
    texts = (
        "verification_id",
        "channel",
        "to",
        "country",
        "purpose",
        "delivery",
        "delivery_reason",
    )
    return {name: _text(image, name) for name in texts} | {
        "test": image.get("test", {}).get("BOOL", False)
    }


def _text(image: Image, name: str) -> str | None:
    return image.get(name, {}).get("S")
