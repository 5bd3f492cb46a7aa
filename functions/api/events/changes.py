"""Translates changes of a verification's record into events. Pure functions.

Input is a record of DynamoDB Streams as Lambda gets it: `{"eventID", "eventName": INSERT, MODIFY or
REMOVE, "dynamodb": {"ApproximateCreationDateTime", "OldImage", "NewImage"}}`. The images are in
DynamoDB's JSON.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from functions.core.clock import rfc3339, utc
from functions.core.events.event_id import event_id

Image = Mapping[str, Mapping[str, Any]]


class VerificationEvent(NamedTuple):
    """Event of a verification, with the parameters of `deliver_event`."""

    event_id: str
    """Derived from the change, so that repetitions by the stream deliver the event once."""
    type: str
    occurred_at: datetime
    data: dict[str, Any]

    def parameters(self) -> dict[str, Any]:
        """Parameters of `deliver_event`, as JSON values."""
        return self._asdict() | {"occurred_at": rfc3339(self.occurred_at)}


def events_of(record: Mapping[str, Any]) -> Iterator[VerificationEvent]:
    """Events of a change. Most changes, such as a wrong guess, have none."""
    change = record["dynamodb"]
    moment = float(change["ApproximateCreationDateTime"])
    before, now = change.get("OldImage") or {}, change.get("NewImage") or {}
    for kind in _kinds(record["eventName"], before, now, moment):
        yield VerificationEvent(
            event_id=event_id(f"{record['eventID']} {kind}"),
            type=f"verification.{kind}",
            occurred_at=utc(moment),
            data=_data(now or before),
        )


def _kinds(change: str, before: Image, now: Image, moment: float) -> Iterator[str]:
    if change == "MODIFY":
        yield from _delivery(before, now)
        if _approved(now) and not _approved(before):
            yield "approved"
    # A record that was withdrawn, replaced or deleted early has not expired. A resend to another
    # destination sets expires_at to 0.
    elif (
        change == "REMOVE"
        and not _approved(before)
        and 0 < float(before["expires_at"]["N"]) <= moment
    ):
        yield "expired"


def _delivery(before: Image, now: Image) -> Iterator[str]:
    """Events of a new delivery status, and of the same one of another message: a resend.

    A report that arrives before "sent" implies "sent" too.
    """
    known, status = _text(before, "delivery"), _text(now, "delivery")
    another = _text(before, "message_id") != _text(now, "message_id")
    if status and known is None and status != "sent":
        yield "sent"
    if status and (status != known or another):
        yield status


def _approved(image: Image) -> bool:
    """Whether the right code was checked. No client can time this comparison, so it is plain."""
    return bool(image["last_mac"]["B"] == image["code_mac"]["B"])


def _data(image: Image) -> dict[str, Any]:
    """Data of an event: the same fields for every type, null if unknown. The record has no code."""
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
