"""verify_status: says where a verification stands, for the screen that waits for its code."""

from typing import Literal

from functions.core import clock
from functions.core.aws import dynamodb
from functions.core.verification.codes import VerificationId
from functions.core.verification.delivery import DeliveryStatus
from functions.core.verification.record import Verification, find
from functions.core.workflow import Parameters, Result, workflow
from functions.workflows.verify_status.reasons import FailureReason, plain_reason

Status = Literal["pending", "approved", "expired", "exhausted"]


class VerifyStatus(Parameters):
    """The verification to look at."""

    verification_id: VerificationId
    """Id that verify_send returned. It tells whoever holds it."""


class VerificationStatus(Result):
    """Where a verification stands. Nothing in it tells the code or the destination."""

    status: Status
    """`expired` also where the verification is unknown, or deleted by now."""
    delivery: DeliveryStatus | None = None
    """Fate of the last message; null where nothing is known."""
    reason: FailureReason | None = None
    """Why delivery failed; null unless it did."""


def verify_status(parameters: VerifyStatus) -> VerificationStatus:
    """Says where a verification stands, and whether its message arrived.

    Charges nothing. A token with the scope of verify_check may call it, too.
    """
    verification = find(parameters.verification_id)
    if verification is None:
        return VerificationStatus(status="expired")
    failed = verification.delivery == "failed"
    return VerificationStatus(
        status=_status(verification, clock.now()),
        delivery=verification.delivery,  # type: ignore[arg-type] # only delivery.py writes it
        reason=plain_reason(verification.delivery_reason) if failed else None,
    )


def _status(verification: Verification, now: float) -> Status:
    if verification.spent:
        return "approved"
    if verification.attempts_left <= 0:
        return "exhausted"
    return "pending" if verification.expires_at > now else "expired"


lambda_handler = workflow(
    verify_status,
    prepare=[dynamodb.connect],
    background=False,
    idempotency="ignored",
    publishable=True,
    covered_by="verify_check",
)
