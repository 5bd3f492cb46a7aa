"""History of one destination as a value, and the limits that judge it (Rule 4.5). Pure.

The history has the times of sends and the number of failed checks. Sends with publishable and with
secret tokens are counted apart, so a stranger cannot use up a server's allowance.

Failures are known only when a verification ends, because a check is one write to the verification
alone. So a send reserves all its attempts as failures, and the end settles them. The count is never
too low.
"""

import math
from typing import Literal, NamedTuple

import msgspec

from functions.core.clock import DAY_SECONDS, HOUR_SECONDS
from functions.core.errors import Policy
from functions.core.rate_limits.counters import Refusal

Allowance = Literal["publishable", "secret"]
"""Kind of caller whose sends are counted together. IAM callers count as secret."""

REFUSED_FROM = 100
"""Failures from which publishable tokens may not send to the destination.

NIST SP 800-63B-4 §3.2.2: at most 100 consecutive failures.
"""

DECAY = 10
"""Failures that are forgotten for each full day without a new one."""


class SendRules(NamedTuple):
    """Limits on the sends to one destination."""

    cooldown_seconds: int
    """Wait after the first send; doubles with each further send within an hour."""
    per_hour: int
    per_day: int


class SendHistory(msgspec.Struct, frozen=True, kw_only=True):
    """Sends and failures of one destination. All times are seconds since the epoch."""

    publishable: tuple[float, ...] = ()
    """Times of sends with publishable tokens within a day, oldest first."""
    secret: tuple[float, ...] = ()
    """Times of sends with secret tokens within a day, oldest first."""
    failures: int = 0
    """Consecutive failures of ended verifications, as counted at `failed_at`."""
    failed_at: float = 0
    reserved: int = 0
    """Attempts of verifications that have not ended."""
    reserved_until: float = 0
    """Time at which all of them have ended, settled or not."""

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

    def refusal(self, allowance: Allowance, rules: SendRules, now: float) -> Refusal | None:
        """Refusal of a send now; null when it is allowed. The one that lasts longest counts."""
        found = [
            refusal for refusal in self._refusals(allowance, rules, now) if refusal.opens_at > now
        ]
        return max(found, key=lambda refusal: refusal.opens_at, default=None)

    def opens_at(self, allowance: Allowance, rules: SendRules, now: float) -> float:
        """Time at which the next send is accepted; `now` when it is already."""
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
        """Returns the history with one more send.

        Its attempts are reserved until its verification must have ended.
        """
        history = self.ended(now).with_times(allowance, (*self._times(allowance, now), now))
        until = max(history.reserved_until, until)
        return msgspec.structs.replace(
            history, reserved=history.reserved + attempts, reserved_until=until
        )

    def refunded(self, allowance: Allowance, sent_at: float) -> "SendHistory":
        """Returns the history without a send that certainly reached nobody."""
        times = self.publishable if allowance == "publishable" else self.secret
        return self.with_times(allowance, tuple(time for time in times if time != sent_at))

    def settled(self, now: float, *, attempts: int, failed: int, succeeded: bool) -> "SendHistory":
        """Returns the history after the end of a verification.

        Of its reserved attempts `failed` were failures; a success resets the count.
        """
        history = self.ended(now)
        history = msgspec.structs.replace(history, reserved=max(0, history.reserved - attempts))
        if succeeded:
            return msgspec.structs.replace(history, failures=0)
        if not failed:
            return history
        failures = min(REFUSED_FROM, history.failures_at(now) + failed)
        return msgspec.structs.replace(history, failures=failures, failed_at=now)

    def keep_until(self, now: float) -> int:
        """Time from which the history no longer affects any limit."""
        days = 2 + math.ceil(self.failure_count(now) / DECAY)
        return math.ceil(max(now, self.reserved_until) + days * DAY_SECONDS)

    def _times(self, allowance: Allowance, now: float) -> tuple[float, ...]:
        times = self.publishable if allowance == "publishable" else self.secret
        return tuple(time for time in times if time > now - DAY_SECONDS)

    def with_times(self, allowance: Allowance, times: tuple[float, ...]) -> "SendHistory":
        """Returns the history with these sends of one allowance."""
        if allowance == "publishable":
            return msgspec.structs.replace(self, publishable=times)
        return msgspec.structs.replace(self, secret=times)
