"""Issues a verification: writes its record and charges all limits in one transaction."""

import math

from pynamodb.transactions import TransactWrite

from functions.core import config
from functions.core.aws import transactions
from functions.core.rate_limits.limits import charging
from functions.core.verification.codes import CodeForm, code_keys, new_salt
from functions.core.verification.issuing import resend
from functions.core.verification.issuing.found import Found, allowing, read
from functions.core.verification.issuing.request import IssuedVerification, SendRequest
from functions.core.verification.limits import sending
from functions.core.verification.limits.sends import Send
from functions.core.verification.record import Verification
from functions.core.verification.settings import VerificationSettings

SETTLEMENT_SECONDS = 7200
"""Time after `delete_at` in which a verification is settled, if at all.

The retries of EventBridge Scheduler and Lambda take less.
"""


def issue(request: SendRequest, now: float) -> IssuedVerification:
    """Writes a verification whose code is to be sent, and charges all limits, all or nothing.

    That takes 2 DynamoDB requests; 3 where only a valid check can end the cooldown.

    With `resend_of`, the code of that verification is to be sent again, if it has the same
    destination and can still be used. Otherwise the same transaction ends that code, and its used
    attempts carry over to the same destination. An unknown id replaces nothing.

    Raises:
        LimitExceeded: with the seconds until the limit opens.
        AttemptsExhausted: when the replaced verification has no attempts left.
        InvalidParameters: when a resend has another purpose or nonce than the first send.
        Unavailable: when DynamoDB is, or too many calls are for the same destination.
    """

    def attempt(number: int) -> IssuedVerification:
        found = read(request)
        issued = _resend(request, found, now) or _new(request, found, now)
        counters = sending.counters_of(
            request.destination, request.allowance, request.client_ip, now
        )
        with charging(counters, now, number) as transaction:
            _write(issued, found, transaction)
        return issued

    return transactions.repeat(attempt)


def _resend(request: SendRequest, found: Found, now: float) -> IssuedVerification | None:
    """The verification that the send continues, with its own code; null where it needs a new one.

    The destination's history has its attempts already.
    """
    verification = found.continued(request.destination)
    if verification is None or verification.attempts_left <= 0:
        return None
    code = resend.code_again(verification, request.test_code, now)
    if code is None:
        return None
    resend.require_first(verification, purpose=request.purpose, nonce=request.nonce)
    history = allowing(request, found.limit.read_history(), found, now)
    send = Send(now, *request.sender, str(verification.verification_id))
    earlier, verification.channel = str(verification.channel), request.destination.channel
    limit = found.limit.with_history(history.sent(send), now)
    return IssuedVerification(verification, code, request, limit, send, earlier)


def _new(request: SendRequest, found: Found, now: float) -> IssuedVerification:
    history = found.limit.read_history()
    carried, first = found.carried_attempts, found.continued(request.destination)
    if found.replaced_here:
        history = found.replaced_here.settled_in(history, now)
    history = allowing(request, history, found, now)
    rules, keys, salt = config.read(VerificationSettings), code_keys(), new_salt()
    form = CodeForm.of_new(rules.code_length)
    if request.test_code:
        form = CodeForm.of_fixed(request.test_code)
    verification_id = keys.new_verification_id(form)
    code = request.test_code or keys.code(verification_id, salt)
    delete_at = math.ceil(now + rules.delete_after_seconds)
    verification = Verification(
        verification_id,
        channel=request.destination.channel,
        to=request.destination.address,
        country=request.destination.country,
        purpose=request.purpose or (first and first.purpose),
        nonce=request.nonce or (first and first.nonce),
        audience=request.audience or "",
        test=True if request.test_code else None,
        client_network=sending.client_network(request.client_ip) if request.for_stranger else None,
        limit_key=found.limit.limit_key,
        salt=salt,
        code_mac=keys.mac(verification_id, code),
        attempts=carried,
        reserved=rules.max_attempts - carried,
        max_attempts=rules.max_attempts,
        created_at=now,
        expires_at=min(now + rules.code_valid_seconds, delete_at),
        delete_at=delete_at,
    )
    send = Send(now, *request.sender, verification_id)
    history = history.sent(send).reserving(
        rules.max_attempts - carried, until=delete_at + SETTLEMENT_SECONDS
    )
    limit = found.limit.with_history(history, now)
    return IssuedVerification(verification, code, request, limit, send)


def _write(issued: IssuedVerification, found: Found, transaction: TransactWrite) -> None:
    if issued.is_resend:
        channel = Verification.channel.set(issued.verification.channel)
        can_be_tried = Verification.can_be_tried(issued.send.at)
        transaction.update(issued.verification, [channel], can_be_tried)
    else:
        _replace(issued.verification, found, transaction)
    transaction.save(issued.limit, condition=found.limit.unchanged())


def _replace(verification: Verification, found: Found, transaction: TransactWrite) -> None:
    """Ends the replaced verification, if any, and writes the new one."""
    if found.replaced_here:
        transaction.delete(found.replaced_here, condition=found.replaced_here.unchanged())
    elif found.replaced:
        # The deletion settles it in the history of its own destination.
        transaction.update(
            found.replaced, [Verification.expires_at.set(0)], found.replaced.unchanged()
        )
    transaction.save(verification, condition=Verification.verification_id.does_not_exist())
