"""Issues a verification: writes its record and charges all limits in one transaction."""

import math
from typing import NamedTuple

import msgspec
from pynamodb.transactions import TransactWrite

from functions.core import config
from functions.core.aws import dynamodb, transactions
from functions.core.errors import AttemptsExhausted
from functions.core.rate_limits.limits import charging, limit_exceeded
from functions.core.verification.codes import CodeForm, code_keys, new_code
from functions.core.verification.destinations import Destination
from functions.core.verification.limits import sending
from functions.core.verification.limits.send_history import Allowance, SendHistory
from functions.core.verification.limits.sending import SendLimitRecord
from functions.core.verification.record import Verification
from functions.core.verification.settings import VerificationSettings

SETTLEMENT_SECONDS = 7200
"""Time after `delete_at` in which a verification is settled, if at all.

The retries of EventBridge Scheduler and Lambda take less.
"""


class SendRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Request for a verification."""

    destination: Destination
    allowance: Allowance
    client_ip: str | None = None
    purpose: str | None = None
    nonce: str | None = None
    resend_of: str | None = None
    test_code: str | None = None
    """Fixed code of a test destination."""

    @property
    def for_stranger(self) -> bool:
        """Whether an unknown person asks, with a publishable token or through a server."""
        return self.allowance == "publishable" or self.client_ip is not None


class IssuedVerification(NamedTuple):
    """A new verification and its code, which exists nowhere else."""

    verification: Verification
    code: str
    request: SendRequest
    limit: SendLimitRecord
    """History of the destination, as written with the verification."""

    @property
    def resend_at(self) -> float:
        """Time at which the next send is accepted, seconds since the epoch."""
        rules, now = (
            config.read(sending.SendLimitSettings).send_rules,
            float(self.verification.created_at),
        )
        return self.limit.read_history().opens_at(self.request.allowance, rules, now)


class _Found(NamedTuple):
    limit: SendLimitRecord
    replaced: Verification | None
    paused_until: float

    @property
    def replaced_here(self) -> Verification | None:
        """Replaced verification, if it had the same destination, whose history settles it."""
        here = self.replaced is not None and self.replaced.limit_key == self.limit.limit_key
        return self.replaced if here else None


def issue(request: SendRequest, now: float) -> IssuedVerification:
    """Writes a new verification and charges all limits, all or nothing, in 2 DynamoDB requests.

    With `resend_of`, the same transaction ends the code of that verification. If both have the same
    destination, its used attempts carry over. An unknown id replaces nothing.

    Raises:
        LimitExceeded: with the seconds until the limit opens.
        AttemptsExhausted: when the replaced verification has no attempts left.
        Unavailable: when DynamoDB is, or too many calls are for the same destination.
    """

    def attempt(number: int) -> IssuedVerification:
        found = _read(request)
        issued = _build(request, found, now)
        counters = sending.counters_of(
            request.destination, request.allowance, request.client_ip, now
        )
        with charging(counters, now, number) as transaction:
            _write(issued, found, transaction)
        return issued

    return transactions.repeat(attempt)


def _read(request: SendRequest) -> _Found:
    key = sending.destination_key(request.destination)
    # A pause is for strangers: it does not stop a server that sends on its own account.
    country = request.destination.country if request.for_stranger else None
    wanted: list[dynamodb.Key] = [(SendLimitRecord, key)]
    wanted += [(SendLimitRecord, sending.country_key(country))] if country else []
    wanted += [(Verification, request.resend_of)] if request.resend_of else []
    found = dynamodb.read(wanted)
    pause = found.get((SendLimitRecord, sending.country_key(country or "")))
    replaced = found.get((Verification, request.resend_of or ""))
    return _Found(
        found.get((SendLimitRecord, key)) or SendLimitRecord(key),
        replaced,
        float(pause.paused_until or 0) if pause else 0,
    )


def _build(request: SendRequest, found: _Found, now: float) -> IssuedVerification:
    history = found.limit.read_history()
    carried = _carried_attempts(found)
    if found.replaced_here:
        history = found.replaced_here.settled_in(history, now)
    _raise_if_refused(request, history, found, now)
    rules, keys = config.read(VerificationSettings), code_keys()
    form = CodeForm.of_new(rules.code_length)
    if request.test_code:
        form = CodeForm.of_fixed(request.test_code)
    verification_id = keys.new_verification_id(form)
    code = request.test_code or new_code(rules.code_length)
    delete_at = math.ceil(now + rules.delete_after_seconds)
    verification = Verification(
        verification_id,
        channel=request.destination.channel,
        to=request.destination.address,
        country=request.destination.country,
        purpose=request.purpose,
        nonce=request.nonce,
        test=True if request.test_code else None,
        client_network=sending.client_network(request.client_ip) if request.for_stranger else None,
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
        request.allowance,
        now,
        attempts=rules.max_attempts - carried,
        until=delete_at + SETTLEMENT_SECONDS,
    )
    return IssuedVerification(verification, code, request, found.limit.with_history(history, now))


def _carried_attempts(found: _Found) -> int:
    """Used attempts of the replaced verification; 0 if it succeeded or had another destination."""
    replaced = found.replaced_here
    if replaced is None or replaced.spent:
        return 0
    if replaced.attempts_left <= 0:
        raise AttemptsExhausted(
            "All attempts of that verification are used. Send again without resend_of."
        )
    return int(replaced.attempts)


def _raise_if_refused(
    request: SendRequest, history: SendHistory, found: _Found, now: float
) -> None:
    if found.paused_until > now:
        raise limit_exceeded(
            sending.pause_refusal(request.destination.country or "", found.paused_until), now
        )
    if refusal := history.refusal(
        request.allowance, config.read(sending.SendLimitSettings).send_rules, now
    ):
        raise limit_exceeded(refusal, now)


def _write(issued: IssuedVerification, found: _Found, transaction: TransactWrite) -> None:
    if found.replaced_here:
        transaction.delete(found.replaced_here, condition=found.replaced_here.unchanged())
    elif found.replaced:
        # The deletion settles it in the history of its own destination.
        transaction.update(
            found.replaced, [Verification.expires_at.set(0)], found.replaced.unchanged()
        )
    transaction.save(issued.verification, condition=Verification.verification_id.does_not_exist())
    transaction.save(issued.limit, condition=found.limit.unchanged())
