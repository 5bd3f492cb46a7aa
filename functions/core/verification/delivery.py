"""Delivery status of the last message with a code, as its provider reports it."""

from typing import Literal

from pynamodb.expressions.condition import Condition

from functions.core.verification.record import Verification

DeliveryStatus = Literal["sent", "delivered", "failed"]

_REPLACES: dict[DeliveryStatus, tuple[DeliveryStatus, ...]] = {
    "sent": (),
    "delivered": ("sent",),
    "failed": ("sent", "delivered"),
}
"""Statuses that each status may replace. Reports arrive more than once and in any order."""


def record(
    verification_id: str,
    delivery: DeliveryStatus,
    message_id: str,
    reason: str | None = None,
    *,
    transient: bool = False,
) -> bool:
    """Records the delivery status of a verification's message: of the last one, after a resend.

    Returns false when the verification is gone, has a later status, or sent another message.
    1 DynamoDB request.

    Args:
        verification_id: the verification that the message belongs to.
        delivery: `sent` once the provider accepted the message; later its report.
        message_id: the provider's. `sent` sets it; reports of other messages are ignored.
        reason: the provider's word for why delivery failed.
        transient: whether the failure may be none, such as an automatic reply. It does not replace
            `delivered`.

    Raises:
        Unavailable: when DynamoDB is.
    """
    actions = [Verification.delivery.set(delivery), Verification.message_id.set(message_id)]
    actions.append(
        Verification.delivery_reason.set(reason)
        if reason
        else Verification.delivery_reason.remove()
    )
    replaces: tuple[DeliveryStatus, ...] = ("sent",) if transient else _REPLACES[delivery]
    recorded, _ = Verification.update_if(
        verification_id, actions, _may_say(delivery, message_id, replaces)
    )
    return recorded


def _may_say(
    delivery: DeliveryStatus, message_id: str, replaces: tuple[DeliveryStatus, ...]
) -> Condition:
    nothing_known = Verification.delivery.does_not_exist()
    if delivery == "sent":
        said = nothing_known | (Verification.message_id != message_id)
    else:
        said = nothing_known | (
            Verification.delivery.is_in(*replaces) & (Verification.message_id == message_id)
        )
    return Verification.verification_id.exists() & said  # type: ignore[no-any-return] # PynamoDB types & as Any
