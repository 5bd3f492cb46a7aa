"""Limits: how they are stored, and how a call is charged to them.

The item of a limit names no destination and no address: its key is an HMAC with a key of its own that does not rotate, so that
limits outlive the rotation of the code keys. Items go by TTL when nothing in them can matter any more.
"""

import hashlib
import hmac
import math
from collections.abc import Callable, Sequence
from functools import cache

import msgspec
from pynamodb.attributes import NumberAttribute, UnicodeAttribute
from pynamodb.exceptions import TransactWriteError
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action
from pynamodb.transactions import TransactWrite

from functions.core.aws import dynamodb, transactions
from functions.core.aws.secrets import Secret
from functions.core.config import read_settings, table_name
from functions.core.errors import FieldError, LimitExceeded
from functions.core.observability import logger
from functions.core.rate_limits.counters import Counter, Refusal

TRANSACTION_TRIES = 6
FIRST_PAUSE_SECONDS = 0.02

_CONDITION = "ConditionalCheckFailed"
_RETRYABLE = {
    _CONDITION,
    "TransactionConflict",
    "ThrottlingError",
    "ProvisionedThroughputExceeded",
}


class LimitKeySettings(msgspec.Struct, frozen=True, kw_only=True):
    """What only who makes limit keys needs; read from the environment."""

    limit_key_secret: str
    """ARN of the secret with the key that limit keys are made with."""


@cache
def _secret() -> Secret:
    return Secret(read_settings(LimitKeySettings).limit_key_secret)


class LimitRecord(dynamodb.Table):
    """One limit; a plain one is a counter."""

    class Meta:
        """PynamoDB's description of the table."""

        table_name = table_name("LIMITS_TABLE")

    limit_key = UnicodeAttribute(hash_key=True)
    used = NumberAttribute(null=True)
    """Of a counter."""
    delete_at = NumberAttribute(null=True)


def key(kind: str, subject: str) -> str:
    """`<kind>#<HMAC-SHA-256 of the subject, hex>`."""
    return f"{kind}#{_digest(kind, subject).hex()}"


def pseudonym(kind: str, subject: str) -> int:
    """32 bits of the same HMAC: enough to tell subjects apart for a while."""
    return int.from_bytes(_digest(kind, subject)[:4])


def _digest(kind: str, subject: str) -> bytes:
    return hmac.digest(_secret().value().encode(), f"{kind}\0{subject}".encode(), hashlib.sha256)


def charge(counters_of: Callable[[], Sequence[Counter]], now: float) -> Sequence[Counter]:
    """Raises counters, all or none, in one DynamoDB request; returns those that were raised.

    Args:
        counters_of: makes them anew for each try, so that a hot one may be another shard.
        now: seconds since the epoch.

    Raises:
        LimitExceeded: when one has no room.
        Unavailable: when DynamoDB is, or too many others raise the same ones.
    """
    for attempt in transactions.tries(TRANSACTION_TRIES, FIRST_PAUSE_SECONDS):
        counters = counters_of()
        try:
            with (
                dynamodb.unavailable_if_transient(),
                TransactWrite(connection=dynamodb.connection()) as transaction,
            ):
                for counter in counters:
                    transaction.update(LimitRecord(counter.key), *charge_update(counter))
        except TransactWriteError as error:
            raise_unless_retryable(error, counters, now, last=attempt >= TRANSACTION_TRIES // 2)
        else:
            return counters
    raise transactions.TooBusy


def refund(counter: Counter) -> None:
    """Takes back what a counter was charged for a message that certainly reached nobody. What cannot be taken back stays."""
    try:
        LimitRecord.update_if(
            counter.key, [LimitRecord.used.add(-counter.amount)], LimitRecord.used >= counter.amount
        )
    except Exception:  # noqa: BLE001 - the counter then errs on the safe side, and the call has its own error to tell
        logger.warning("limit not refunded", exc_info=True)


def charge_update(counter: Counter) -> tuple[list[Action], Condition]:
    """The update that raises a counter, and the condition that it has room."""
    actions: list[Action] = [
        LimitRecord.used.add(counter.amount),
        LimitRecord.delete_at.set(counter.ends_at + 60),
    ]
    room = counter.quota - counter.amount
    condition: Condition = LimitRecord.used <= room
    return actions, (LimitRecord.used.does_not_exist() | condition) if room >= 0 else condition


def limit_exceeded(refusal: Refusal, now: float) -> LimitExceeded:
    """The error for a refusal."""
    seconds = max(1, math.ceil(refusal.opens_at - now))
    return LimitExceeded(
        f"Too many messages; try again in {seconds} s.", retry_after=seconds, policy=refusal.policy
    )


def raise_unless_retryable(
    error: TransactWriteError, counters: Sequence[Counter], now: float, *, last: bool
) -> None:
    """Returns where another try may succeed: a conflict, a change of what was read, a used-up shard of a counter.

    Args:
        error: of a transaction whose last updates are those of the counters.
        counters: in that order.
        now: seconds since the epoch.
        last: whether a used-up shard is taken for the whole counter.
    """
    reasons = error.cancellation_reasons
    if not any(reason and reason.code in _RETRYABLE for reason in reasons):
        raise error
    # A transaction's reasons are in its order: PynamoDB puts updates last, and of these the counters come last.
    of_counters = reasons[len(reasons) - len(counters) :]
    for counter, reason in zip(counters, of_counters, strict=True):
        if reason and reason.code == _CONDITION and (last or not counter.sharded):
            refusal = limit_exceeded(counter.refusal, now)
            refusal.errors = (
                (FieldError(counter.pointer, "has no room for more"),) if counter.pointer else ()
            )
            raise refusal from None


def prepare() -> None:
    """Reads the key, for init."""
    _secret().value()
