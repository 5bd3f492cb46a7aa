"""What became of the message with a code, as far as its provider tells."""

from typing import Literal

from pynamodb.expressions.condition import Condition

from functions.core.verification.record import Verification

Delivery = Literal["sent", "delivered", "failed"]

_BEFORE: dict[Delivery, tuple[Delivery, ...]] = {"sent": (), "delivered": ("sent",), "failed": ("sent", "delivered")}
"""What each may take the place of: reports come more than once and in any order. An email can bounce after a server took it."""


def record(verification_id: str, delivery: Delivery, message_id: str, reason: str | None = None) -> bool:
    """Records what became of a verification's message; false when it is gone, knows better, or sent another message.

    1 DynamoDB request.

    Args:
        verification_id: whose message it is.
        delivery: sent once the provider took it; delivered and failed as the provider reports.
        message_id: the provider's. With two providers, the one whose message was not taken has no say.
        reason: the provider's word for why it failed.

    Raises:
        Unavailable
    """
    actions = [Verification.delivery.set(delivery), Verification.message_id.set(message_id)]
    if reason:
        actions.append(Verification.delivery_reason.set(reason))
    recorded, _ = Verification.update_if(verification_id, actions, _may_say(delivery, message_id))
    return recorded


def _may_say(delivery: Delivery, message_id: str) -> Condition:
    earlier = Verification.delivery.does_not_exist()
    if before := _BEFORE[delivery]:
        earlier |= Verification.delivery.is_in(*before)
    same: Condition = Verification.message_id.does_not_exist() | (Verification.message_id == message_id)
    return Verification.verification_id.exists() & earlier & same  # type: ignore[no-any-return] # PynamoDB types & as Any
