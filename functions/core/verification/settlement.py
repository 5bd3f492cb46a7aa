"""Ending a verification: it is deleted, and what became of its attempts is settled, in one transaction."""

from functions.core.aws import dynamodb, transactions
from functions.core.verification.issue import IssuedVerification
from functions.core.verification.limits import sms_pumping
from functions.core.verification.limits.sending import SendLimit
from functions.core.verification.record import Verification


def end(verification_id: str, now: float) -> bool:
    """Deletes a verification and settles its attempts in its destination's history; false when it was not there.

    A second call finds nothing, so that however often it is called, each attempt counts once. 3 DynamoDB requests, 4 for SMS.
    """

    def attempt(_number: int) -> Verification | None:
        key = (Verification, verification_id)
        found: Verification | None = dynamodb.read([key]).get(key)
        if found:
            _settle(found, _limit_of(found), now)
        return found

    verification = transactions.repeat(attempt)
    if verification:
        sms_pumping.note(verification, now)
    return verification is not None


def roll_back(issued: IssuedVerification, *, nothing_sent: bool, now: float) -> None:
    """Ends a verification whose code could not be sent. What certainly reached nobody does not count as a send."""
    sent_at = float(issued.verification.created_at) if nothing_sent else None

    def attempt(number: int) -> None:
        limit = _limit_of(issued.verification) if number else issued.limit
        _settle(issued.verification, limit, now, issued=issued, refund_of=sent_at)

    transactions.repeat(attempt)


def _limit_of(verification: Verification) -> SendLimit:
    key = str(verification.limit_key)
    return dynamodb.read([(SendLimit, key)]).get((SendLimit, key)) or SendLimit(key)


def _settle(
    verification: Verification,
    limit: SendLimit,
    now: float,
    *,
    issued: IssuedVerification | None = None,
    refund_of: float | None = None,
) -> None:
    """Raises `transactions.Interrupted` where somebody changed what was read."""
    history = verification.settled_in(limit.read_history(), now)
    if issued and refund_of is not None:
        history = history.refunded(issued.order.allowance, refund_of)
    with transactions.transaction() as transaction:
        transaction.delete(verification, condition=verification.unchanged())
        transaction.save(limit.with_history(history, now), condition=limit.unchanged())
