"""Limits: how they are stored, and how calls are charged.

The record of a limit names no destination and no address: its key is an HMAC. The HMAC has a secret
of its own that does not rotate, so limits outlive the rotation of the code keys. TTL deletes
records that no longer affect any limit.
"""

import hashlib
import hmac
import math
from collections.abc import Callable, Sequence

import msgspec
from pynamodb.attributes import NumberAttribute, UnicodeAttribute
from pynamodb.exceptions import TransactWriteError
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action
from pynamodb.transactions import TransactWrite

from functions.core import config
from functions.core.aws import dynamodb, transactions
from functions.core.aws.secrets import Secret
from functions.core.config import table_name
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


@config.settings()
class LimitKeySettings(msgspec.Struct, frozen=True, kw_only=True):
    """Settings of limit keys; read from the environment."""

    limit_key_secret: str
    """ARN of the secret with the HMAC key of limit keys."""


@config.cached
def _secret() -> Secret:
    return Secret(config.read(LimitKeySettings).limit_key_secret)


class LimitRecord(dynamodb.Table):
    """Record of one limit: a counter, unless a subclass adds more."""

    class Meta:
        """PynamoDB's description of the table."""

        table_name = table_name("LIMITS_TABLE")

    limit_key = UnicodeAttribute(hash_key=True)
    used = NumberAttribute(null=True)
    """Count of a counter."""
    delete_at = NumberAttribute(null=True)


def key(kind: str, subject: str) -> str:
    """Key of a limit: `<kind>#<HMAC-SHA-256 of the subject, hex>`."""
    return f"{kind}#{_digest(kind, subject).hex()}"


def pseudonym(kind: str, subject: str) -> int:
    """32 bits of the HMAC of a key: enough to tell subjects apart for a while."""
    return int.from_bytes(_digest(kind, subject)[:4])


def _digest(kind: str, subject: str) -> bytes:
    return hmac.digest(_secret().value().encode(), f"{kind}\0{subject}".encode(), hashlib.sha256)


def charge(counters_of: Callable[[], Sequence[Counter]], now: float) -> Sequence[Counter]:
    """Charges counters, all or none, in one DynamoDB request; returns the charged ones.

    Args:
        counters_of: makes the counters for each try, so a busy one may be another shard.
        now: seconds since the epoch.

    Raises:
        LimitExceeded: when a counter is at its quota.
        Unavailable: when DynamoDB is, or too many calls charge the same counters.
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
    """Refunds a counter for a message that certainly reached nobody.

    If that fails, the charge stays and the failure is logged.
    """
    try:
        LimitRecord.update_if(
            counter.key, [LimitRecord.used.add(-counter.amount)], LimitRecord.used >= counter.amount
        )
    except Exception:  # noqa: BLE001 - the count errs on the safe side
        logger.warning("limit not refunded", exc_info=True)


def charge_update(counter: Counter) -> tuple[list[Action], Condition]:
    """Update that charges a counter, and its condition: the counter has room."""
    actions: list[Action] = [
        LimitRecord.used.add(counter.amount),
        LimitRecord.delete_at.set(counter.ends_at + 60),
    ]
    room = counter.quota - counter.amount
    condition: Condition = LimitRecord.used <= room
    return actions, (LimitRecord.used.does_not_exist() | condition) if room >= 0 else condition


def limit_exceeded(refusal: Refusal, now: float) -> LimitExceeded:
    """Error for a refusal."""
    seconds = max(1, math.ceil(refusal.opens_at - now))
    return LimitExceeded(
        f"Too many messages; try again in {seconds} s.", retry_after=seconds, policy=refusal.policy
    )


def raise_unless_retryable(
    error: TransactWriteError, counters: Sequence[Counter], now: float, *, last: bool
) -> None:
    """Raises the error of a transaction unless another try may succeed.

    It may after a conflict, after a change of an item that was read, and where one shard of a
    counter is full.

    Args:
        error: the error; the last updates of the transaction are those of the counters.
        counters: the counters in the order of their updates.
        now: seconds since the epoch.
        last: whether a full shard counts as a full counter.

    Raises:
        LimitExceeded: when a counter is at its quota.
    """
    reasons = error.cancellation_reasons
    if not any(reason and reason.code in _RETRYABLE for reason in reasons):
        raise error
    # Reasons are in the order of the transaction: PynamoDB puts updates last, counters last of all.
    of_counters = reasons[len(reasons) - len(counters) :]
    for counter, reason in zip(counters, of_counters, strict=True):
        if reason and reason.code == _CONDITION and (last or not counter.sharded):
            refusal = limit_exceeded(counter.refusal, now)
            if counter.pointer:
                sentence = "has reached its limit; leave it out or try again later"
                refusal.errors = (FieldError(counter.pointer, sentence),)
            raise refusal from None


def prepare() -> None:
    """Reads the key, for init."""
    _secret().value()
