"""Issuing a verification: its record and what it takes from the limits, written in one transaction."""

import math
import random
import time
from typing import NamedTuple

from pynamodb.exceptions import TransactWriteError
from pynamodb.transactions import TransactWrite

from functions.core import table
from functions.core.errors import AttemptsExhausted, Unavailable
from functions.core.verification import limits
from functions.core.verification.codes import code_keys, new_code
from functions.core.verification.destinations import Destination
from functions.core.verification.record import Verification
from functions.core.verification.settings import settings

_TRIES = 5
_CONDITION = "ConditionalCheckFailed"
_WORTH_ANOTHER_TRY = {_CONDITION, "TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"}


class Issued(NamedTuple):
    """A verification that was just issued, and its code, which exists nowhere else."""

    verification: Verification
    code: str
    resend_at: float
    """Seconds since the epoch."""


def issue(
    destination: Destination, *, purpose: str | None, nonce: str | None = None, resend_of: str | None, now: float
) -> Issued:
    """Writes a new verification and charges the limits, all or nothing: 1 DynamoDB request, 2 with `resend_of`.

    With `resend_of`, the verification that it names is deleted in the same transaction, so that its code dies at once,
    and its spent attempts carry over. An id that names nothing (any more) replaces nothing.

    Raises:
        LimitExceeded: with the seconds after which the limit opens.
        AttemptsExhausted: when the replaced verification has no attempts left to carry over.
        Unavailable: when DynamoDB is, or the same destination or verification is too busy.
    """
    for attempt in range(_TRIES):
        issued, replaced = _prepare(destination, purpose, nonce, resend_of, now)
        charge = limits.cooldown(destination, issued.verification.verification_id, now)
        try:
            with table.unavailable_when_passing(), TransactWrite(connection=table.connection()) as transaction:
                if replaced:
                    transaction.delete(replaced, condition=Verification.attempts == replaced.attempts)
                transaction.save(issued.verification, condition=Verification.verification_id.does_not_exist())
                transaction.update(charge.limit, list(charge.actions), charge.condition, return_values="ALL_OLD")
        except TransactWriteError as error:
            _raise_unless_worth_another_try(error, charge)
            time.sleep(random.uniform(0, 0.05 * 2**attempt))  # noqa: S311 - jitter, not a secret
        else:
            return issued
    raise Unavailable("Too many calls for the same destination at once.", retry_after=1)


def _prepare(
    destination: Destination, purpose: str | None, nonce: str | None, resend_of: str | None, now: float
) -> tuple[Issued, Verification | None]:
    keys, rules = code_keys(), settings()
    replaced = _replaced(resend_of) if resend_of else None
    code, verification_id = new_code(rules.code_length), keys.new_verification_id()
    delete_at = math.ceil(now + rules.delete_after_seconds)
    verification = Verification(
        verification_id,
        channel=destination.channel,
        to=destination.address,
        purpose=purpose,
        nonce=nonce,
        code_mac=keys.mac(verification_id, code),
        attempts=replaced.attempts if replaced else 0,
        max_attempts=rules.max_attempts,
        created_at=now,
        expires_at=min(now + rules.code_valid_seconds, delete_at),
        delete_at=delete_at,
    )
    return Issued(verification, code, now + limits.settings().resend_after_seconds), replaced


def _replaced(verification_id: str) -> Verification | None:
    with table.unavailable_when_passing():
        try:
            found = Verification.get(verification_id, consistent_read=True)
        except Verification.DoesNotExist:
            return None
    if found.spent:
        return None
    if found.attempts_left <= 0:
        raise AttemptsExhausted("All attempts of that verification are used; send without resend_of for a new one.")
    return found


def _raise_unless_worth_another_try(error: TransactWriteError, charge: limits.Charge) -> None:
    """Returns where another try may succeed: a conflict, a throttled item, a change of the replaced verification."""
    reasons = error.cancellation_reasons
    charged = reasons[-1] if reasons else None
    if charged and charged.code == _CONDITION:
        raise charge.refusal(charged.raw_item) from None
    if not any(reason and reason.code in _WORTH_ANOTHER_TRY for reason in reasons):
        raise error
