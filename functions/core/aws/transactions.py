"""Transactions of DynamoDB, and the one loop that repeats them where others got in their way."""

import random
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

from pynamodb.exceptions import TransactWriteError
from pynamodb.transactions import TransactWrite

from functions.core.aws import dynamodb
from functions.core.errors import Unavailable

TRIES = 6
FIRST_PAUSE_SECONDS = 0.025

CONDITION_FAILED = "ConditionalCheckFailed"
_RETRYABLE = {
    CONDITION_FAILED,
    "TransactionConflict",
    "ThrottlingError",
    "ProvisionedThroughputExceeded",
}
"""Reasons of a cancelled transaction (DynamoDB API, TransactWriteItems) that may be gone the next
time.
"""

T = TypeVar("T")


class TooBusy(Unavailable):
    """Others got in the way each time."""

    def __init__(self) -> None:
        super().__init__("Too many calls for the same destination at once.", retry_after=1)


class Interrupted(Exception):
    """Others got in the way: another transaction, a change of what was read, or throttling."""

    def __init__(self, reasons: Sequence[str]) -> None:
        """`reasons`: DynamoDB's codes, one for each item in its order; empty where it was none."""
        super().__init__(", ".join(reason for reason in reasons if reason))
        self.reasons = reasons


@contextmanager
def transaction() -> Iterator[TransactWrite]:
    """A transaction that is written when the body ends.

    Raises:
        Interrupted
        Unavailable: when DynamoDB is.
    """
    try:
        with (
            dynamodb.unavailable_if_transient(),
            TransactWrite(connection=dynamodb.connection()) as made,
        ):
            yield made
    except TransactWriteError as error:
        reasons = [reason.code if reason else "" for reason in error.cancellation_reasons]
        if _RETRYABLE.isdisjoint(reasons):
            raise
        raise Interrupted(reasons) from error


def repeat(attempt: Callable[[int], T]) -> T:
    """The result of the first try that is not `Interrupted`.

    After each it waits a random time up to a maximum that doubles (full jitter).

    Args:
        attempt: reads anew and writes one transaction; takes the number of the try, from 0.

    Raises:
        TooBusy
    """
    for number in range(TRIES):
        if number:
            time.sleep(random.uniform(0, FIRST_PAUSE_SECONDS * 2 ** (number - 1)))  # noqa: S311 - jitter, no secret
        try:
            return attempt(number)
        except Interrupted as error:
            last = error
    raise TooBusy from last
