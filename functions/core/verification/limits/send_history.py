"""What the limits know of one destination, as a value, and the rules on it (Rule 4.5). Pure.

Two things are kept: when codes were sent, apart for publishable and secret tokens, so that a stranger who uses up the one
allowance leaves the other; and failed checks. Failures are known only when a verification ends, because a check is one
write to the verification alone. So a send reserves all its attempts as if they would fail, and the end settles what they
were: the count errs on the safe side only.
"""

import math
from typing import Literal, NamedTuple

import msgspec

from functions.core.clock import DAY_SECONDS, HOUR_SECONDS
from functions.core.errors import Policy
from functions.core.rate_limits.counters import Refusal

Allowance = Literal["publishable", "secret"]
"""Whose sends count together. IAM's callers count as secret."""

REFUSED_FROM = 100
"""From so many, publishable tokens get no codes for the destination (NIST SP 800-63B-4 §3.2.2: at most 100 consecutive)."""

DECAY = 10
"""Failures that each full day without a new one forgets."""


class SendRules(NamedTuple):
    """How often codes may be sent to one destination."""

    cooldown_seconds: int
    """After the first; it doubles with each further send within an hour."""
    per_hour: int
    per_day: int


class SendHistory(msgspec.Struct, frozen=True, kw_only=True):
    """One destination's sends and failures. All times are seconds since the epoch."""

    publishable: tuple[float, ...] = ()
    """Times of the sends within a day, oldest first."""
    secret: tuple[float, ...] = ()
    failures: int = 0
    """Consecutive, of ended verifications, as they were at `failed_at`."""
    failed_at: float = 0
    reserved: int = 0
    """Attempts of verifications that have not ended."""
    reserved_until: float = 0
    """When all of them must have ended, whatever became of their settlement."""

    def failure_count(self, now: float) -> int:
        """Consecutive failures, less what the days have forgotten; those included that verifications which have not ended
        may still turn out to have.
        """
        return self.ended(now).failures_at(now) + self.ended(now).reserved

    def failures_at(self, now: float) -> int:
        """Failures of ended verifications, less what the days have forgotten."""
        return max(0, self.failures - DECAY * int(max(0, now - self.failed_at) // DAY_SECONDS))

    def ended(self, now: float) -> "SendHistory":
        """With reservations that nobody settled in time (TTL deleted the verification) turned into failures."""
        if now <= self.reserved_until or not self.reserved:
            return self
        at = max(self.failed_at, self.reserved_until)
        failures = min(REFUSED_FROM, self.failures_at(at) + self.reserved)
        return msgspec.structs.replace(self, reserved=0, failures=failures, failed_at=at)

    def refusal(self, allowance: Allowance, rules: SendRules, now: float) -> Refusal | None:
        """Why a send now would be refused; null when it would not. Of several reasons, the one that lasts longest."""
        found = [
            refusal for refusal in self._refusals(allowance, rules, now) if refusal.opens_at > now
        ]
        return max(found, key=lambda refusal: refusal.opens_at, default=None)

    def opens_at(self, allowance: Allowance, rules: SendRules, now: float) -> float:
        """When the next send will be accepted; `now` when it is already."""
        refusal = self.refusal(allowance, rules, now)
        return refusal.opens_at if refusal else now

    def _refusals(self, allowance: Allowance, rules: SendRules, now: float) -> list[Refusal]:
        times = self._times(allowance, now)
        recent = [time for time in times if time > now - HOUR_SECONDS]
        found = []
        if recent:
            gap = rules.cooldown_seconds * 2 ** (len(recent) - 1)
            found.append(Refusal(Policy("cooldown", 1, gap), recent[-1] + gap))
        for name, limit, window in (
            ("hour", rules.per_hour, HOUR_SECONDS),
            ("day", rules.per_day, DAY_SECONDS),
        ):
            inside = [time for time in times if time > now - window]
            if len(inside) >= limit:
                found.append(
                    Refusal(Policy(f"destination-{name}", limit, window), inside[-limit] + window)
                )
        if allowance == "publishable" and self.failure_count(now) >= REFUSED_FROM:
            policy = Policy("failed-checks", REFUSED_FROM, DAY_SECONDS)
            found.append(Refusal(policy, self._failures_open_at(now)))
        return found

    def _failures_open_at(self, now: float) -> float:
        ended = self.ended(now)
        return (
            ended.failed_at + DAY_SECONDS
            if ended.failures_at(now) >= REFUSED_FROM
            else ended.reserved_until
        )

    def sent(
        self, allowance: Allowance, now: float, *, attempts: int, until: float
    ) -> "SendHistory":
        """With one more send, whose attempts are reserved until the time at which its verification must have ended."""
        history = self.ended(now).with_times(allowance, (*self._times(allowance, now), now))
        until = max(history.reserved_until, until)
        return msgspec.structs.replace(
            history, reserved=history.reserved + attempts, reserved_until=until
        )

    def refunded(self, allowance: Allowance, sent_at: float) -> "SendHistory":
        """Without a send that certainly reached nobody."""
        times = self.publishable if allowance == "publishable" else self.secret
        return self.with_times(allowance, tuple(time for time in times if time != sent_at))

    def settled(self, now: float, *, attempts: int, failed: int, succeeded: bool) -> "SendHistory":
        """With one ended verification, of whose reserved attempts so many failed; a success resets the count."""
        history = self.ended(now)
        history = msgspec.structs.replace(history, reserved=max(0, history.reserved - attempts))
        if succeeded:
            return msgspec.structs.replace(history, failures=0)
        if not failed:
            return history
        failures = min(REFUSED_FROM, history.failures_at(now) + failed)
        return msgspec.structs.replace(history, failures=failures, failed_at=now)

    def keep_until(self, now: float) -> int:
        """When nothing in here can matter any more."""
        days = 2 + math.ceil(self.failure_count(now) / DECAY)
        return math.ceil(max(now, self.reserved_until) + days * DAY_SECONDS)

    def _times(self, allowance: Allowance, now: float) -> tuple[float, ...]:
        times = self.publishable if allowance == "publishable" else self.secret
        return tuple(time for time in times if time > now - DAY_SECONDS)

    def with_times(self, allowance: Allowance, times: tuple[float, ...]) -> "SendHistory":
        """With these as the sends of one allowance."""
        if allowance == "publishable":
            return msgspec.structs.replace(self, publishable=times)
        return msgspec.structs.replace(self, secret=times)
