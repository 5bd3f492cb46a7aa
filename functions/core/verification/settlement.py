"""Ends a verification: deletes it and settles its attempts in one transaction."""

from functions.core.aws import dynamodb, transactions
from functions.core.verification.issue import IssuedVerification
from functions.core.verification.limits import sms_pumping
from functions.core.verification.limits.sending import SendLimitRecord
from functions.core.verification.record import Verification


def delete(verification_id: str, now: float) -> bool:
    """Deletes a verification and settles its attempts in its destination's history.

    Returns false when there is no such verification. A second call finds nothing, so each attempt
    counts once. 3 DynamoDB requests; 4 for SMS, 5 when that pauses a country.
    """

    def attempt(_number: int) -> Verification | None:
        key = (Verification, verification_id)
        found: Verification | None = dynamodb.read([key]).get(key)
        if found:
            _settle(found, _limit_of(found), now)
        return found

    verification = transactions.repeat(attempt)
    if verification:
        sms_pumping.count_ended(verification, now)
    return verification is not None


def roll_back(issued: IssuedVerification, *, nothing_sent: bool, now: float) -> None:
    """Ends a verification whose code could not be sent.

    With `nothing_sent`, nobody received it, so it does not count as a send.
    """
    sent_at = float(issued.verification.created_at) if nothing_sent else None

    def attempt(number: int) -> None:
        limit = _limit_of(issued.verification) if number else issued.limit
        _settle(issued.verification, limit, now, issued=issued, refund_of=sent_at)

    transactions.repeat(attempt)


def _limit_of(verification: Verification) -> SendLimitRecord:
    key = str(verification.limit_key)
    return dynamodb.read([(SendLimitRecord, key)]).get((SendLimitRecord, key)) or SendLimitRecord(
        key
    )


def _settle(
    verification: Verification,
    limit: SendLimitRecord,
    now: float,
    *,
    issued: IssuedVerification | None = None,
    refund_of: float | None = None,
) -> None:
    """Writes the end.

    Raises:
        transactions.Interrupted: somebody has changed one of the items since they were read.
    """
    history = verification.settled_in(limit.read_history(), now)
    if issued and refund_of is not None:
        history = history.refunded(issued.request.allowance, refund_of)
    with transactions.transaction() as transaction:
        transaction.delete(verification, condition=verification.unchanged())
        transaction.save(limit.with_history(history, now), condition=limit.unchanged())
