"""track_delivery: records what an email or SMS provider reports of a message, and tells the app's backend of emails."""

from datetime import datetime
from typing import Annotated, Literal

from msgspec import Meta

from functions.core import config
from functions.core.aws import dynamodb
from functions.core.events.event_filter import EventSettings
from functions.core.observability import count
from functions.core.verification import delivery
from functions.core.verification.codes import VerificationId, id_of_tag
from functions.core.verification.delivery import DeliveryStatus
from functions.core.workflow import Parameters, Result, start, workflow

_REPORTS: dict[str, dict[str, DeliveryStatus]] = {
    "ses": {"delivery": "delivered", "bounce": "failed", "reject": "failed"},
    "twilio": {
        "delivered": "delivered",
        "read": "delivered",
        "completed": "delivered",
        "undelivered": "failed",
        "failed": "failed",
        "busy": "failed",
        "no-answer": "failed",
        "canceled": "failed",
    },
}
"""Providers' words that say how a message ended (SES event publishing, eventType; Twilio, MessageStatus and CallStatus)."""

_FOR_GOOD = "Permanent"
"""SES's type of a bounce that is one. Others may be an automatic reply to what was delivered ("Transient/General")."""

_EMAIL_EVENTS = {
    "delivery": "email.delivered",
    "bounce": "email.bounced",
    "complaint": "email.complained",
}

Word = Annotated[str, Meta(max_length=200)]


class TrackDelivery(Parameters):
    """What a provider reports."""

    provider: Literal["ses", "twilio"]
    status: Word
    """The provider's word for it."""
    message_id: Word
    verification_id: VerificationId | None = None
    """Of the verification whose code the message carried; as an id, or as a tag of SES has it."""
    to: Annotated[str, Meta(max_length=320)] | None = None
    """Whom an email went to."""
    template: Word | None = None
    """Of an email."""
    reason: Word | None = None
    """Why it failed: the provider's word or number."""
    occurred_at: Annotated[datetime, Meta(tz=True)] | None = None


class DeliveryTracked(Result):
    """What came of a report."""

    delivery: DeliveryStatus | None
    """What it says of the message; null where it says nothing final."""
    recorded: bool
    """Whether a verification's record says so now that did not before."""
    run_id: str | None
    """Of the run that delivers the event; null where there is none."""


def track_delivery(parameters: TrackDelivery) -> DeliveryTracked:
    """Repeated and late reports change nothing."""
    status = parameters.status.lower()
    reported = _REPORTS[parameters.provider].get(status)
    recorded = _record(parameters, reported) if reported else False
    count("DeliveryReported", provider=parameters.provider, delivery=reported or "other")
    event = _EMAIL_EVENTS.get(status) if parameters.provider == "ses" else None
    return DeliveryTracked(
        delivery=reported, recorded=recorded, run_id=_start(event, parameters) if event else None
    )


def _record(parameters: TrackDelivery, reported: DeliveryStatus) -> bool:
    if parameters.verification_id is None:
        return False
    verification_id = id_of_tag(parameters.verification_id)
    failed = parameters.reason if reported == "failed" else None
    transient = parameters.provider == "ses" and not (failed or "").startswith(_FOR_GOOD)
    return delivery.record(
        verification_id, reported, parameters.message_id, failed, transient=transient
    )


def _start(event: str, parameters: TrackDelivery) -> str | None:
    """An event of the email. Of a verification there are others besides, from the changes of its record (api/events)."""
    if not config.read(EventSettings).wants(event):
        return None
    verification_id = parameters.verification_id
    data = {
        "message_id": parameters.message_id,
        "to": parameters.to,
        "template": parameters.template,
        "verification_id": id_of_tag(verification_id) if verification_id else None,
        "reason": parameters.reason,
    }
    about = {"type": event, "data": data, "occurred_at": parameters.occurred_at}
    return start("deliver_event", [about]).run_id


lambda_handler = workflow(track_delivery, prepare=[dynamodb.connect], starts=["deliver_event"])
