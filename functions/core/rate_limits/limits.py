"""Limits: how they are stored, and how calls are charged.

The record of a limit names no destination and no address: its key is an HMAC. The HMAC has a secret
of its own that does not rotate, so limits outlive the rotation of the code keys. TTL deletes
records that no longer affect any limit.
"""

import hashlib
import hmac
import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import msgspec
from pynamodb.attributes import NumberAttribute, UnicodeAttribute
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

    def attempt(number: int) -> Sequence[Counter]:
        counters = counters_of()
        with charging(counters, now, number):
            pass
        return counters

    return transactions.repeat(attempt)


@contextmanager
def charging(counters: Sequence[Counter], now: float, attempt: int) -> Iterator[TransactWrite]:
    """A transaction that charges counters besides what its body adds; all or nothing.

    Args:
        counters: the counters.
        now: seconds since the epoch.
        attempt: number of the try. In the later ones a full shard counts as a full counter.

    Raises:
        LimitExceeded: when a counter is at its quota.
        transactions.Interrupted: another try may succeed.
        Unavailable: when DynamoDB is.
    """
    try:
        with transactions.transaction() as transaction:
            yield transaction
            for counter in counters:
                transaction.update(LimitRecord(counter.key), *_charge_update(counter))
    except transactions.Interrupted as error:
        # PynamoDB puts updates last in a transaction, and of these the counters are the last.
        of_counters = error.reasons[len(error.reasons) - len(counters) :]
        last = attempt >= transactions.TRIES // 2
        for counter, reason in zip(counters, of_counters, strict=True):
            if reason == transactions.CONDITION_FAILED and (last or not counter.sharded):
                raise _no_room(counter, now) from None
        raise


def refund(counter: Counter) -> None:
    """Refunds a counter for a message that certainly reached nobody.

    If that fails, the charge stays and the failure is logged.
    """
    try:
        LimitRecord.update_if(
            counter.key, [LimitRecord.used.add(-counter.amount)], LimitRecord.used >= counter.amount
        )
    except Exception:  # noqa: BLE001 - the count errs on the safe side; the call raises its own error
        logger.warning("limit not refunded", exc_info=True)


def _charge_update(counter: Counter) -> tuple[list[Action], Condition]:
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


def _no_room(counter: Counter, now: float) -> LimitExceeded:
    refusal = limit_exceeded(counter.refusal, now)
    if counter.pointer:
        sentence = "has reached its limit; leave it out or try again later"
        refusal.errors = (FieldError(counter.pointer, sentence),)
    return refusal


def prepare() -> None:
    """Reads the key, for init."""
    _secret().value()
