"""What became of the message with a code, as far as its provider tells."""

from typing import Literal

from pynamodb.expressions.condition import Condition

from functions.core.verification.record import Verification

DeliveryStatus = Literal["sent", "delivered", "failed"]

_REPLACES: dict[DeliveryStatus, tuple[DeliveryStatus, ...]] = {
    "sent": (),
    "delivered": ("sent",),
    "failed": ("sent", "delivered"),
}
"""What each may take the place of, of the same message: reports come more than once and in any order."""


def record(
    verification_id: str,
    delivery: DeliveryStatus,
    message_id: str,
    reason: str | None = None,
    *,
    transient: bool = False,
) -> bool:
    """Records what became of a verification's message; false when it is gone, knows better, or sent another message.

    1 DynamoDB request.

    Args:
        verification_id: whose message it is.
        delivery: sent once the provider took it, which says which message it is; delivered and failed as the provider reports.
        message_id: the provider's. A message that was given up, because its provider did not answer, has no say.
        reason: the provider's word for why it failed.
        transient: whether that may be no failure at all, such as an automatic reply: what was delivered stays so.

    Raises:
        Unavailable
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
