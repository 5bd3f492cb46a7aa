"""What is stored about a request before it is granted, and whether the limits allow the send."""

from typing import NamedTuple

from functions.core.aws import dynamodb
from functions.core.errors import AttemptsExhausted
from functions.core.rate_limits.limits import limit_exceeded
from functions.core.verification.destinations import Destination
from functions.core.verification.issuing import resend
from functions.core.verification.issuing.request import SendRequest
from functions.core.verification.limits import sending
from functions.core.verification.limits.send_history import SendHistory
from functions.core.verification.limits.sending import SendLimitRecord
from functions.core.verification.record import Verification


class Found(NamedTuple):
    """Items that a request reads."""

    limit: SendLimitRecord
    replaced: Verification | None
    paused_until: float

    @property
    def replaced_here(self) -> Verification | None:
        """Replaced verification, if it had the same destination, whose history settles it."""
        here = self.replaced is not None and self.replaced.limit_key == self.limit.limit_key
        return self.replaced if here else None

    def continued(self, destination: Destination) -> Verification | None:
        """Replaced verification, if the send goes on with it."""
        here = self.replaced_here
        return here if here and resend.continues(here, destination) else None

    @property
    def carried_attempts(self) -> int:
        """Used attempts of the replaced verification; 0 if it succeeded or had another destination.

        Raises:
            AttemptsExhausted: when none are left.
        """
        replaced = self.replaced_here
        if replaced is None or replaced.spent:
            return 0
        if replaced.attempts_left <= 0:
            raise AttemptsExhausted(
                "All attempts of that verification are used. Send again without resend_of."
            )
        return int(replaced.attempts)


def read(request: SendRequest) -> Found:
    """Reads all of them in one DynamoDB request."""
    key = sending.destination_key(request.destination)
    # A pause is for strangers: it does not stop a server that sends on its own account.
    country = request.destination.country if request.for_stranger else None
    wanted: list[dynamodb.Key] = [(SendLimitRecord, key)]
    wanted += [(SendLimitRecord, sending.country_key(country))] if country else []
    wanted += [(Verification, request.resend_of)] if request.resend_of else []
    found = dynamodb.read(wanted)
    pause = found.get((SendLimitRecord, sending.country_key(country or "")))
    replaced = found.get((Verification, request.resend_of or ""))
    return Found(
        found.get((SendLimitRecord, key)) or SendLimitRecord(key),
        replaced,
        float(pause.paused_until or 0) if pause else 0,
    )


def allowing(request: SendRequest, history: SendHistory, found: Found, now: float) -> SendHistory:
    """Returns the history that allows the send, with the valid check that ended its cooldown.

    Raises:
        LimitExceeded
    """
    if found.paused_until > now:
        raise limit_exceeded(
            sending.pause_refusal(request.destination.country or "", found.paused_until), now
        )
    rules = request.send_rules
    if awaited := history.awaited(request.sender, rules, now):
        for verification in dynamodb.read([(Verification, each) for each in awaited]).values():
            if verification.valid_at is not None:
                history = history.validated(verification.valid_at)
    if refusal := history.refusal(request.sender, rules, now):
        raise limit_exceeded(refusal, now)
    return history
