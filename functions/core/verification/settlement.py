"""Ends a verification: deletes it and settles its attempts in one transaction."""

from pynamodb.exceptions import TransactWriteError
from pynamodb.transactions import TransactWrite

from functions.core.aws import dynamodb, transactions
from functions.core.verification.issue import IssuedVerification
from functions.core.verification.limits import sms_pumping
from functions.core.verification.limits.sending import SendLimitRecord
from functions.core.verification.record import Verification

_TRIES = 5
_FIRST_PAUSE_SECONDS = 0.05
_CANCELLED = "TransactionCanceledException"


def delete(verification_id: str, now: float) -> bool:
    """Deletes a verification and settles its attempts in its destination's history.

    Returns false when there is no such verification. A second call finds nothing, so each attempt
    counts once. 3 DynamoDB requests, 4 for SMS.
    """
    for _ in transactions.tries(_TRIES, _FIRST_PAUSE_SECONDS):
        verification = dynamodb.read([(Verification, verification_id)]).get(
            (Verification, verification_id)
        )
        if verification is None:
            return False
        if _settle(verification, _limit_of(verification), now):
            sms_pumping.count_ended(verification, now)
            return True
    raise transactions.TooBusy


def roll_back(issued: IssuedVerification, *, nothing_sent: bool, now: float) -> None:
    """Ends a verification whose code could not be sent.

    With `nothing_sent`, nobody received it, so it does not count as a send.
    """
    limit = issued.limit
    sent_at = float(issued.verification.created_at) if nothing_sent else None
    for _ in transactions.tries(_TRIES, _FIRST_PAUSE_SECONDS):
        if _settle(issued.verification, limit, now, issued=issued, refund_of=sent_at):
            return
        limit = _limit_of(issued.verification)
    raise transactions.TooBusy


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
) -> bool:
    """Writes the end; false when somebody has changed one of the items since they were read."""
    history = verification.settled_in(limit.read_history(), now)
    if issued and refund_of is not None:
        history = history.refunded(issued.request.allowance, refund_of)
    try:
        with (
            dynamodb.unavailable_if_transient(),
            TransactWrite(connection=dynamodb.connection()) as transaction,
        ):
            transaction.delete(verification, condition=verification.unchanged())
            transaction.save(limit.with_history(history, now), condition=limit.unchanged())
    except TransactWriteError as error:
        if error.cause_response_code != _CANCELLED:
            raise
        return False
    return True
