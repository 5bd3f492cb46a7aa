"""Limits: how they are stored, and how a call is charged to them.

The item of a limit names no destination and no address: its key is an HMAC with a key of its own that does not rotate, so that
limits outlive the rotation of the code keys. Items go by TTL when nothing in them can matter any more.
"""

import hashlib
import hmac
import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache

import msgspec
from pynamodb.attributes import NumberAttribute, UnicodeAttribute
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action
from pynamodb.transactions import TransactWrite

from functions.core.aws import dynamodb, transactions
from functions.core.aws.secrets import Secret
from functions.core.config import read_settings, table_name
from functions.core.errors import FieldError, LimitExceeded
from functions.core.observability import logger
from functions.core.rate_limits.counters import Counter, Refusal


class LimitKeySettings(msgspec.Struct, frozen=True, kw_only=True):
    """What only who makes limit keys needs; read from the environment."""

    limit_key_secret: str
    """ARN of the secret with the key that limit keys are made with."""


@cache
def _secret() -> Secret:
    return Secret(read_settings(LimitKeySettings).limit_key_secret)


class RateLimit(dynamodb.Table):
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

    def attempt(number: int) -> Sequence[Counter]:
        counters = counters_of()
        with charging(counters, now, number):
            pass
        return counters

    return transactions.repeat(attempt)


@contextmanager
def charging(counters: Sequence[Counter], now: float, attempt: int) -> Iterator[TransactWrite]:
    """A transaction that raises counters besides what its body adds.

    Args:
        counters: all are raised, or none.
        now: seconds since the epoch.
        attempt: its number. A used-up shard is another try's first, then it is the whole counter.

    Raises:
        LimitExceeded: when a counter has no room.
        transactions.Interrupted
        Unavailable: when DynamoDB is.
    """
    try:
        with transactions.transaction() as transaction:
            yield transaction
            for counter in counters:
                transaction.update(RateLimit(counter.key), *_raised(counter))
    except transactions.Interrupted as error:
        # PynamoDB puts updates last, and of these the counters come last.
        of_counters = error.reasons[len(error.reasons) - len(counters) :]
        last = attempt >= transactions.TRIES // 2
        for counter, reason in zip(counters, of_counters, strict=True):
            if reason == transactions.CONDITION_FAILED and (last or not counter.sharded):
                raise _no_room(counter, now) from None
        raise


def refund(counter: Counter) -> None:
    """Takes back what a counter was charged for a message that certainly reached nobody. What cannot be taken back stays."""
    try:
        RateLimit.update_if(
            counter.key, [RateLimit.used.add(-counter.amount)], RateLimit.used >= counter.amount
        )
    except Exception:  # noqa: BLE001 - the counter then errs on the safe side, and the call has its own error to tell
        logger.warning("limit not refunded", exc_info=True)


def _raised(counter: Counter) -> tuple[list[Action], Condition]:
    """The update that raises a counter, and the condition that it has room."""
    actions: list[Action] = [
        RateLimit.used.add(counter.amount),
        RateLimit.delete_at.set(counter.ends_at + 60),
    ]
    room = counter.quota - counter.amount
    condition: Condition = RateLimit.used <= room
    return actions, (RateLimit.used.does_not_exist() | condition) if room >= 0 else condition


def exceeded(refusal: Refusal, now: float) -> LimitExceeded:
    """The error for a refusal."""
    seconds = max(1, math.ceil(refusal.opens_at - now))
    return LimitExceeded(
        f"Too many messages; try again in {seconds} s.", retry_after=seconds, policy=refusal.policy
    )


def _no_room(counter: Counter, now: float) -> LimitExceeded:
    refusal = exceeded(counter.refusal, now)
    refusal.errors = (
        (FieldError(counter.pointer, "has no room for more"),) if counter.pointer else ()
    )
    return refusal


def prepare() -> None:
    """Reads the key, for init."""
    _secret().value()
