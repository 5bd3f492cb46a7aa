"""Issuing a verification: its record and all that it takes from the limits, in one transaction."""

import math
from typing import NamedTuple

import msgspec
from pynamodb.transactions import TransactWrite

from functions.core.aws import dynamodb, transactions
from functions.core.errors import AttemptsExhausted
from functions.core.rate_limits.limits import charging, exceeded
from functions.core.verification.codes import CodeForm, code_keys, new_code
from functions.core.verification.destinations import Destination
from functions.core.verification.limits import sending
from functions.core.verification.limits.send_history import Allowance, SendHistory
from functions.core.verification.limits.sending import SendLimit
from functions.core.verification.record import Verification
from functions.core.verification.settings import settings

SETTLEMENT_SECONDS = 7200
"""After its deletion is due, a verification has been settled or will not be (retries of Scheduler and Lambda take less)."""


class SendRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be issued."""

    destination: Destination
    allowance: Allowance
    client_ip: str | None = None
    purpose: str | None = None
    nonce: str | None = None
    resend_of: str | None = None
    test_code: str | None = None
    """The fixed code of a test destination."""

    @property
    def for_stranger(self) -> bool:
        """Whether somebody unknown asks, with a publishable token or through a server."""
        return self.allowance == "publishable" or self.client_ip is not None


class IssuedVerification(NamedTuple):
    """A verification that was just issued, and its code, which exists nowhere else."""

    verification: Verification
    code: str
    order: SendRequest
    limit: SendLimit
    """The destination's history as it was written with the verification."""

    @property
    def resend_at(self) -> float:
        """When the next send to the destination will be accepted, seconds since the epoch."""
        rules, now = sending.settings().send_rules, float(self.verification.created_at)
        return self.limit.read_history().opens_at(self.order.allowance, rules, now)


class _Found(NamedTuple):
    limit: SendLimit
    replaced: Verification | None
    paused_until: float

    @property
    def replaced_here(self) -> Verification | None:
        """What is replaced, if it went to the same destination, whose history then settles it."""
        here = self.replaced is not None and self.replaced.limit_key == self.limit.limit_key
        return self.replaced if here else None


def issue(order: SendRequest, now: float) -> IssuedVerification:
    """Writes a new verification and charges all limits, all or nothing, in 2 DynamoDB requests.

    With `resend_of`, the code of the verification that it names dies in the same transaction. If it went to the same
    destination, its spent attempts carry over. An id that names nothing (any more) replaces nothing.

    Raises:
        LimitExceeded: with the seconds after which the limit opens.
        AttemptsExhausted: when the replaced verification has no attempts left to carry over.
        Unavailable: when DynamoDB is, or the same destination is too busy.
    """

    def attempt(number: int) -> IssuedVerification:
        found = _read(order)
        issued = _issued(order, found, now)
        counters = sending.counters_of(order.destination, order.allowance, order.client_ip, now)
        with charging(counters, now, number) as transaction:
            _write(issued, found, transaction)
        return issued

    return transactions.repeat(attempt)


def _read(order: SendRequest) -> _Found:
    key = sending.destination_key(order.destination)
    # A pause binds no server that sends on its own account.
    country = order.destination.country if order.for_stranger else None
    wanted: list[dynamodb.Key] = [(SendLimit, key)]
    wanted += [(SendLimit, sending.country_key(country))] if country else []
    wanted += [(Verification, order.resend_of)] if order.resend_of else []
    found = dynamodb.read(wanted)
    pause = found.get((SendLimit, sending.country_key(country or "")))
    replaced = found.get((Verification, order.resend_of or ""))
    return _Found(
        found.get((SendLimit, key)) or SendLimit(key),
        replaced,
        float(pause.paused_until or 0) if pause else 0,
    )


def _issued(order: SendRequest, found: _Found, now: float) -> IssuedVerification:
    history = found.limit.read_history()
    carried = _carried(found)
    if found.replaced_here:
        history = found.replaced_here.settled_in(history, now)
    _refuse(order, history, found, now)
    rules, keys = settings(), code_keys()
    form = CodeForm.of_new(rules.code_length, rules.code_alphabet)
    if order.test_code:
        form = CodeForm.of_fixed(order.test_code)
    verification_id = keys.new_verification_id(form)
    code = order.test_code or new_code(rules.code_length, rules.code_alphabet)
    delete_at = math.ceil(now + rules.delete_after_seconds)
    verification = Verification(
        verification_id,
        channel=order.destination.channel,
        to=order.destination.address,
        country=order.destination.country,
        purpose=order.purpose,
        nonce=order.nonce,
        test=True if order.test_code else None,
        client_network=sending.client_network(order.client_ip) if order.for_stranger else None,
        limit_key=found.limit.limit_key,
        code_mac=keys.mac(verification_id, code),
        attempts=carried,
        reserved=rules.max_attempts - carried,
        max_attempts=rules.max_attempts,
        created_at=now,
        expires_at=min(now + rules.code_valid_seconds, delete_at),
        delete_at=delete_at,
    )
    history = history.sent(
        order.allowance,
        now,
        attempts=rules.max_attempts - carried,
        until=delete_at + SETTLEMENT_SECONDS,
    )
    return IssuedVerification(verification, code, order, found.limit.with_history(history, now))


def _carried(found: _Found) -> int:
    """Attempts that a replaced verification hands on; one that succeeded, or went elsewhere, hands on none."""
    replaced = found.replaced_here
    if replaced is None or replaced.spent:
        return 0
    if replaced.attempts_left <= 0:
        raise AttemptsExhausted(
            "All attempts of that verification are used; send without resend_of for a new one."
        )
    return int(replaced.attempts)


def _refuse(order: SendRequest, history: SendHistory, found: _Found, now: float) -> None:
    if found.paused_until > now:
        raise exceeded(sending.paused(order.destination.country or "", found.paused_until), now)
    if refusal := history.refusal(order.allowance, sending.settings().send_rules, now):
        raise exceeded(refusal, now)


def _write(issued: IssuedVerification, found: _Found, transaction: TransactWrite) -> None:
    if found.replaced_here:
        transaction.delete(found.replaced_here, condition=found.replaced_here.unchanged())
    elif found.replaced:
        # Its own destination's history is settled when it is deleted.
        transaction.update(
            found.replaced, [Verification.expires_at.set(0)], found.replaced.unchanged()
        )
    transaction.save(issued.verification, condition=Verification.verification_id.does_not_exist())
    transaction.save(issued.limit, condition=found.limit.unchanged())
