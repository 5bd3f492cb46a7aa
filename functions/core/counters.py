"""Counters of sends, by whatever they are limited: client IP, number prefix, country, channel, recipient.

A counter is an item for one window of time, raised by a conditional update in the transaction of the send. The hot ones
(country, channel) are spread over shards, each with its part of the quota: a send picks one at random, so that at 1,000 sends a
second no item sees more than a few. A shard that is used up sends the next try to another one; near the quota's end a send may
be refused although a shard that it did not try has room. That errs on the safe side, by 500 at the most in a shard.
"""

import random
from typing import NamedTuple

from functions.core.errors import Policy
from functions.core.times import DAY_SECONDS, HOUR_SECONDS

SENDS_PER_SHARD = 500
"""Quota of one shard. An item takes about 1,000 writes a second (DynamoDB partition limit), but only some tens of parallel
transactions before they conflict."""

MOST_SHARDS = 256


class Refusal(NamedTuple):
    """Why a send is refused, and from when on it would not be (seconds since the epoch)."""

    policy: Policy
    opens_at: float


class Counter(NamedTuple):
    """One counter in one window."""

    key: str
    quota: int
    policy: Policy
    ends_at: int
    """End of the window, seconds since the epoch."""
    amount: int = 1
    """By how much a call raises it."""
    pointer: str = ""
    """A JSON pointer to the parameter that it counts, if one does."""

    @property
    def sharded(self) -> bool:
        """Whether another shard may have room when this one has none."""
        return shards(self.policy.quota) > 1

    @property
    def refusal(self) -> Refusal:
        """Why a send is refused that finds the counter at its quota."""
        return Refusal(self.policy, self.ends_at)


def hourly(name: str, subject: str, quota: int, now: float) -> Counter:
    """Counts what one subject does within an hour of the clock."""
    return _counter(Policy(name, quota, HOUR_SECONDS), subject, now)


def daily(name: str, subject: str, quota: int, now: float) -> Counter:
    """Counts what one subject does within a day (UTC)."""
    return _counter(Policy(name, quota, DAY_SECONDS), subject, now)


def shards(quota: int) -> int:
    """Over how many items a quota is spread."""
    return max(1, min(MOST_SHARDS, quota // SENDS_PER_SHARD))


def _counter(policy: Policy, subject: str, now: float) -> Counter:
    count = shards(policy.quota)
    shard = random.randrange(count)  # noqa: S311 - spreads load, no secret
    quota = policy.quota // count + (1 if shard < policy.quota % count else 0)
    window = int(now // policy.window_seconds)
    key = f"{policy.name}#{subject}#{window}#{shard}"
    return Counter(key, quota, policy, (window + 1) * policy.window_seconds)
