"""Counters of sends, by whatever they are limited: client IP, number prefix, country, channel, recipient.

A counter is an item for one window of time, raised by a conditional update in the transaction of the send. The hot ones
(country, channel) are spread over shards, each with its part of the quota: a send picks one at random, so that at 1,000 sends a
second no item sees more than a few. A shard that is used up sends the next try to another one; near the quota's end a send may
be refused although a shard that it did not try has room. That errs on the safe side, by 500 at the most in a shard.

A ceiling that everybody shares has two thresholds on the one count: calls with a publishable token,
which anybody can make, are admitted up to a share of it, so that no stranger takes servers' room.
"""

import random
from typing import Annotated, NamedTuple

from msgspec import Meta

from functions.core.clock import DAY_SECONDS, HOUR_SECONDS
from functions.core.errors import Policy

Quota = Annotated[int, Meta(ge=1)]
"""Number of sends that a limit admits in its window, as a setting."""

SENDS_PER_SHARD = 500
"""Quota of one shard. An item takes about 1,000 writes a second (DynamoDB partition limit), but only some tens of parallel
transactions before they conflict."""

MOST_SHARDS = 256

PUBLISHABLE_SHARE = (4, 5)
"""4 of 5: where there are apps they send most, and ceilings are well above an ordinary day. When
strangers have used up theirs, a fifth carries the servers until midnight (UTC), or until an operator
raises the ceiling."""


class Refusal(NamedTuple):
    """Why a send is refused, and from when on it would not be (seconds since the epoch)."""

    policy: Policy
    opens_at: float


class Counter(NamedTuple):
    """One counter in one window."""

    key: str
    quota: int
    """Of this item, for this call."""
    policy: Policy
    ends_at: int
    """End of the window, seconds since the epoch."""
    amount: int = 1
    """By how much a call raises it."""
    pointer: str = ""
    """A JSON pointer to the parameter that it counts, if one does."""
    sharded: bool = False
    """Whether another shard may have room when this one has none."""

    @property
    def refusal(self) -> Refusal:
        """Why a send is refused that finds the counter at its quota."""
        return Refusal(self.policy, self.ends_at)


def hourly(name: str, subject: str, quota: int, now: float) -> Counter:
    """Counts what one subject does within an hour of the clock."""
    return _counter(Policy(name, quota, HOUR_SECONDS), subject, now)


def daily(name: str, subject: str, quota: int, now: float, *, publishable: bool = False) -> Counter:
    """Counts what one subject does within a day (UTC).

    `publishable`: whether a publishable token calls, which has a share of the quota.
    """
    return _counter(Policy(name, quota, DAY_SECONDS), subject, now, publishable=publishable)


def shard_count(quota: int) -> int:
    """Over how many items a quota is spread."""
    return max(1, min(MOST_SHARDS, quota // SENDS_PER_SHARD))


def publishable_share(quota: int) -> int:
    """How much of a quota publishable tokens may use: never all, and of a quota of one nothing."""
    part, whole = PUBLISHABLE_SHARE
    return quota * part // whole


def _counter(policy: Policy, subject: str, now: float, *, publishable: bool = False) -> Counter:
    count = shard_count(policy.quota)  # by the whole quota: whoever calls, the items are the same
    shard = random.randrange(count)  # noqa: S311 - spreads load, no secret
    window = int(now // policy.window_seconds)
    key = f"{policy.name}#{subject}#{window}#{shard}"
    admitted = policy._replace(quota=publishable_share(policy.quota)) if publishable else policy
    quota = admitted.quota // count + (1 if shard < admitted.quota % count else 0)
    return Counter(key, quota, admitted, (window + 1) * policy.window_seconds, sharded=count > 1)
