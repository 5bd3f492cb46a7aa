"""History of one destination as a value, and the limits that judge it (Rule 4.5, Rule 4.6). Pure.

The history has the sends of a day and the number of failed checks. Sends with publishable and with
secret tokens are counted apart, so a stranger cannot use up a server's allowance.

Failures are known only when a verification ends, because a check is one write to the verification
alone. So a send reserves all its attempts as failures, and the end settles them. The count is never
too low.
"""

import math
from collections.abc import Iterator

import msgspec

from functions.core.clock import DAY_SECONDS, HOUR_SECONDS
from functions.core.errors import Policy
from functions.core.rate_limits.counters import Refusal
from functions.core.verification.limits.sends import (
    Send,
    Sender,
    SendRules,
    budgets,
    cooldown,
    within,
)

REFUSED_FROM = 100
"""Failures from which publishable tokens may not send to the destination.

NIST SP 800-63B-4 §3.2.2: at most 100 consecutive failures.
"""

DECAY = 10
"""Failures that are forgotten for each full day without a new one."""


class SendHistory(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Sends and failures of one destination. All times are seconds since the epoch."""

    sends: tuple[Send, ...] = ()
    """Sends within a day, oldest first."""
    valid_at: float = 0
    """Time of the last valid check that is known; sends before it cause no cooldown."""
    failures: int = 0
    """Consecutive failures of ended verifications, as counted at `failed_at`."""
    failed_at: float = 0
    reserved: int = 0
    """Attempts of verifications that have not ended."""
    reserved_until: float = 0
    """Time at which all of them have ended, settled or not."""
    publishable: tuple[float, ...] = ()
    """Times of sends in a history of an earlier release; empty once it is read, as `secret` is."""
    secret: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        """Reads the form of earlier releases."""
        earlier = [Send(at, "publishable") for at in self.publishable]
        earlier += [Send(at, "secret") for at in self.secret]
        if earlier:
            sends = sorted((*earlier, *self.sends), key=lambda send: send.at)
            msgspec.structs.force_setattr(self, "sends", tuple(sends))
            msgspec.structs.force_setattr(self, "publishable", ())
            msgspec.structs.force_setattr(self, "secret", ())

    def failure_count(self, now: float) -> int:
        """Consecutive failures that are not forgotten, with all that open verifications reserve."""
        return self.ended(now).failures_at(now) + self.ended(now).reserved

    def failures_at(self, now: float) -> int:
        """Failures of ended verifications that are not forgotten."""
        return max(0, self.failures - DECAY * int(max(0, now - self.failed_at) // DAY_SECONDS))

    def ended(self, now: float) -> "SendHistory":
        """Returns the history with unsettled reservations as failures, once they are overdue.

        That happens when TTL deletes a verification before it is settled.
        """
        if now <= self.reserved_until or not self.reserved:
            return self
        at = max(self.failed_at, self.reserved_until)
        failures = min(REFUSED_FROM, self.failures_at(at) + self.reserved)
        return msgspec.structs.replace(self, reserved=0, failures=failures, failed_at=at)

    def refusal(self, sender: Sender, rules: SendRules, now: float) -> Refusal | None:
        """Refusal of a send now; null when it is allowed. The one that lasts longest counts."""
        found = [each for each in self._refusals(sender, rules, now) if each.opens_at > now]
        return max(found, key=lambda refusal: refusal.opens_at, default=None)

    def opens_at(self, sender: Sender, rules: SendRules, now: float) -> float:
        """Time at which the next send is accepted; `now` when it is already."""
        refusal = self.refusal(sender, rules, now)
        return refusal.opens_at if refusal else now

    def awaited(self, sender: Sender, rules: SendRules, now: float) -> frozenset[str]:
        """Verifications of which a valid check would allow a send that is refused now."""
        if not self.refusal(sender, rules, now) or self.validated(now).refusal(sender, rules, now):
            return frozenset()
        recent = within(HOUR_SECONDS, self._since_valid_check(), now)
        return frozenset(send.verification_id for send in recent if send.verification_id)

    def validated(self, at: float) -> "SendHistory":
        """Returns the history with a valid check, which ends the cooldown of sends before it."""
        return msgspec.structs.replace(self, valid_at=max(self.valid_at, at))

    def sent(self, send: Send) -> "SendHistory":
        """Returns the history with one more send."""
        kept = (each.forgotten(send.at) for each in within(DAY_SECONDS, self.sends, send.at))
        return msgspec.structs.replace(self.ended(send.at), sends=(*kept, send))

    def reserving(self, attempts: int, *, until: float) -> "SendHistory":
        """Returns the history with the attempts of a new verification, until it has ended."""
        until = max(self.reserved_until, until)
        return msgspec.structs.replace(
            self, reserved=self.reserved + attempts, reserved_until=until
        )

    def refunded(self, send: Send) -> "SendHistory":
        """Returns the history without a send that certainly reached nobody."""
        return msgspec.structs.replace(
            self, sends=tuple(each for each in self.sends if not each.is_same(send))
        )

    def settled(
        self, now: float, *, attempts: int, failed: int, valid_at: float | None
    ) -> "SendHistory":
        """Returns the history after the end of a verification.

        Of its reserved attempts `failed` were failures. A valid check resets the count and ends the
        cooldown.
        """
        history = self.ended(now)
        history = msgspec.structs.replace(history, reserved=max(0, history.reserved - attempts))
        if valid_at is not None:
            return msgspec.structs.replace(history.validated(valid_at), failures=0)
        if not failed:
            return history
        failures = min(REFUSED_FROM, history.failures_at(now) + failed)
        return msgspec.structs.replace(history, failures=failures, failed_at=now)

    def keep_until(self, now: float) -> int:
        """Time from which the history no longer affects any limit."""
        days = 2 + math.ceil(self.failure_count(now) / DECAY)
        return math.ceil(max(now, self.reserved_until) + days * DAY_SECONDS)

    def _refusals(self, sender: Sender, rules: SendRules, now: float) -> Iterator[Refusal]:
        yield from cooldown(self._since_valid_check(), sender, rules, now)
        yield from budgets(self.sends, sender, rules, now)
        if sender.allowance == "publishable" and self.failure_count(now) >= REFUSED_FROM:
            policy = Policy("failed-checks", REFUSED_FROM, DAY_SECONDS)
            yield Refusal(policy, self._failures_open_at(now))

    def _failures_open_at(self, now: float) -> float:
        ended = self.ended(now)
        return (
            ended.failed_at + DAY_SECONDS
            if ended.failures_at(now) >= REFUSED_FROM
            else ended.reserved_until
        )

    def _since_valid_check(self) -> tuple[Send, ...]:
        return tuple(send for send in self.sends if send.at > self.valid_at)
