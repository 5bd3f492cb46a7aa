"""Ends a verification: deletes it and settles its attempts in one transaction."""

from functions.core.aws import dynamodb, transactions
from functions.core.verification.issuing.request import IssuedVerification
from functions.core.verification.limits import sms_pumping
from functions.core.verification.limits.sending import SendLimitRecord
from functions.core.verification.limits.sends import Send
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
    """Undoes a send that failed.

    A new verification ends, because its code was not sent. A resend takes back only what it added:
    the code that was sent before stays as it is.

    With `nothing_sent`, nobody received the message, so it does not count as a send.
    """

    def attempt(number: int) -> None:
        limit = _limit_of(issued.verification) if number else issued.limit
        _settle(issued.verification, limit, now, refund_of=issued.send if nothing_sent else None)

    if issued.is_resend:
        _take_back(issued, nothing_sent=nothing_sent, now=now)
    else:
        transactions.repeat(attempt)


def _take_back(issued: IssuedVerification, *, nothing_sent: bool, now: float) -> None:
    """Restores the channel, and with `nothing_sent` the history; at most 1 DynamoDB request."""

    def attempt(number: int) -> None:
        verification: Verification | None = issued.verification
        limit = issued.limit
        if number:
            verification, limit = _read(issued.verification)
        restored = (
            verification is not None
            and verification.channel == issued.send.channel
            and verification.channel != issued.earlier_channel
        )
        if not (restored or nothing_sent):
            return
        with transactions.transaction() as transaction:
            if nothing_sent:
                history = limit.read_history().refunded(issued.send)
                transaction.save(limit.with_history(history, now), condition=limit.unchanged())
            if restored:
                transaction.update(
                    issued.verification,
                    [Verification.channel.set(str(issued.earlier_channel))],
                    Verification.channel == issued.send.channel,
                )

    transactions.repeat(attempt)


def _read(verification: Verification) -> tuple[Verification | None, SendLimitRecord]:
    """A verification as it is now, if it is there, and its destination's history."""
    this, limit = (
        (Verification, str(verification.verification_id)),
        (SendLimitRecord, str(verification.limit_key)),
    )
    found = dynamodb.read([this, limit])
    return found.get(this), found.get(limit) or SendLimitRecord(limit[1])


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
    refund_of: Send | None = None,
) -> None:
    """Writes the end.

    Raises:
        transactions.Interrupted: somebody has changed one of the items since they were read.
    """
    history = verification.settled_in(limit.read_history(), now)
    if refund_of is not None:
        history = history.refunded(refund_of)
    with transactions.transaction() as transaction:
        transaction.delete(verification, condition=verification.unchanged())
        transaction.save(limit.with_history(history, now), condition=limit.unchanged())
