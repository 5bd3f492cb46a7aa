"""track_delivery: records delivery reports of email and SMS providers.

For emails it also notifies the app's backend.
"""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Literal

from msgspec import Meta

from functions.core import config
from functions.core.aws import dynamodb
from functions.core.events.event_filter import EventSettings
from functions.core.observability import count, logger
from functions.core.verification import delivery
from functions.core.verification.codes import VerificationId, id_of_tag
from functions.core.verification.delivery import DeliveryStatus
from functions.core.workflow import Parameters, Result, other_workflow, start, workflow

if TYPE_CHECKING:
    from functions.workflows.deliver_event.handler import DeliverEvent, deliver_event
else:
    deliver_event, DeliverEvent = other_workflow("deliver_event")

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
"""Final statuses by provider.

Source: SES event publishing, eventType; Twilio, MessageStatus and CallStatus.
"""

_CALL_ENDS = frozenset({"busy", "no-answer"})
"""Statuses of calls that say themselves why they failed."""

_PERMANENT_BOUNCE = "Permanent"
"""SES's bounceType of a real bounce. "Transient/General" may be an automatic reply."""

_SUPPRESSED = frozenset({"Permanent/Suppressed", "Permanent/OnAccountSuppressionList"})
"""SES accepted the message and did not send it, because a list of its own has the address."""

_EMAIL_EVENTS = {
    "delivery": "email.delivered",
    "bounce": "email.bounced",
    "complaint": "email.complained",
}

ShortText = Annotated[str, Meta(max_length=200)]


class TrackDelivery(Parameters):
    """A provider's delivery report."""

    provider: Literal["ses", "twilio"]
    """Provider that reports."""
    status: ShortText
    """Status as the provider names it."""
    message_id: ShortText
    """Provider's id of the message."""
    verification_id: VerificationId | None = None
    """Verification whose code the message carried; as an id, or as a tag of SES."""
    to: Annotated[str, Meta(max_length=320)] | None = None
    """Recipient of an email."""
    template: ShortText | None = None
    """Template of an email."""
    reason: ShortText | None = None
    """Provider's code or text for the failure."""
    occurred_at: Annotated[datetime, Meta(tz=True)] | None = None
    """Time of the report's event."""


class DeliveryTracked(Result):
    """Effect of a report."""

    delivery: DeliveryStatus | None
    """Status of the message; null if the report is not final."""
    recorded: bool
    """Whether the report changed a verification's record."""
    run_id: str | None
    """Run that delivers the event; null if there is none."""


def track_delivery(parameters: TrackDelivery) -> DeliveryTracked:
    """Records a provider's report on the delivery of a message.

    Repeated and late reports change nothing. For emails the app's backend gets an event.
    """
    status = parameters.status.lower()
    reported = _REPORTS[parameters.provider].get(status)
    recorded = _record(parameters, reported) if reported else False
    if parameters.provider == "ses" and parameters.reason in _SUPPRESSED:
        _tell_suppressed(parameters)
    count("DeliveryReported", provider=parameters.provider, delivery=reported or "other")
    event = _EMAIL_EVENTS.get(status) if parameters.provider == "ses" else None
    return DeliveryTracked(
        delivery=reported, recorded=recorded, run_id=_start(event, parameters) if event else None
    )


def _record(parameters: TrackDelivery, reported: DeliveryStatus) -> bool:
    if parameters.verification_id is None:
        return False
    verification_id = id_of_tag(parameters.verification_id)
    word = parameters.status.lower()
    reason = parameters.reason or (word if word in _CALL_ENDS else None)
    failed = reason if reported == "failed" else None
    transient = parameters.provider == "ses" and not (failed or "").startswith(_PERMANENT_BOUNCE)
    return delivery.record(
        verification_id, reported, parameters.message_id, failed, transient=transient
    )


def _tell_suppressed(parameters: TrackDelivery) -> None:
    """Logs why nothing went out: SES had answered as if it would send the message."""
    logger.warning(
        "email not sent: SES's suppression list has the address, which make unlock TO=<address> "
        "takes off",
        message_id=parameters.message_id,
        verification_id=parameters.verification_id,
        reason=parameters.reason,
    )


def _start(event: str, parameters: TrackDelivery) -> str | None:
    """Starts the delivery of an email's event. Events of verifications come from api/events."""
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
    told = DeliverEvent(type=event, data=data, occurred_at=parameters.occurred_at)
    return start(deliver_event, [told]).run_id


lambda_handler = workflow(track_delivery, prepare=[dynamodb.connect], starts=[deliver_event])
