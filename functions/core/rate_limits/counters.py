"""Counters of sends: by client IP, number prefix, country, channel or recipient.

A counter is an item for one window of time. The transaction of the send raises it by a conditional
update. Busy counters (country, channel) are spread over shards, each with a part of the quota. A
send picks one at random, so at 1,000 sends a second no item sees more than a few. If that shard is
full, the next try picks another one. Near the end of the quota a send may be refused although
another shard has room. That errs on the safe side, by at most 500 sends in a shard.

A shared ceiling has two thresholds on one count. Calls with a publishable token, which anybody can
make, are admitted up to a share of it, so strangers cannot use up the servers' part.
"""

import random
from typing import Annotated, NamedTuple

from msgspec import Meta

from functions.core.clock import DAY_SECONDS, HOUR_SECONDS
from functions.core.errors import Policy

Quota = Annotated[int, Meta(ge=1)]
"""Number of sends that a limit admits in its window, as a setting."""

SENDS_PER_SHARD = 500
"""Quota of one shard.

An item takes about 1,000 writes a second (DynamoDB partition limit), but only some tens of parallel
transactions before they conflict.
"""

MOST_SHARDS = 256

PUBLISHABLE_SHARE = (4, 5)
"""Part of a ceiling that publishable tokens may use: 4 of 5.

Publishable tokens get the larger part, because apps send most codes. A fifth is enough for the
servers: a ceiling is well above the sends of an ordinary day. When strangers have used up their
part, servers have that fifth until midnight (UTC), or until an operator raises the ceiling.
"""


class Refusal(NamedTuple):
    """Limit that refuses a send, and the time at which it opens (seconds since the epoch)."""

    policy: Policy
    opens_at: float


class Counter(NamedTuple):
    """Counter in one window of time."""

    key: str
    quota: int
    """Quota of this item for this call."""
    policy: Policy
    ends_at: int
    """End of the window, seconds since the epoch."""
    amount: int = 1
    """Amount that a call adds."""
    pointer: str = ""
    """JSON pointer to the parameter that is counted, if any."""
    sharded: bool = False
    """Whether another shard may have room when this one is full."""

    @property
    def refusal(self) -> Refusal:
        """Refusal of a send that finds the counter at its quota."""
        return Refusal(self.policy, self.ends_at)


def hourly(name: str, subject: str, quota: int, now: float) -> Counter:
    """Counter of one subject within an hour of the clock."""
    return _counter(Policy(name, quota, HOUR_SECONDS), subject, now)


def daily(name: str, subject: str, quota: int, now: float, *, publishable: bool = False) -> Counter:
    """Counter of one subject within a day (UTC).

    `publishable`: whether a publishable token calls; it may use a share of the quota.
    """
    return _counter(Policy(name, quota, DAY_SECONDS), subject, now, publishable=publishable)


def shard_count(quota: int) -> int:
    """Number of items that a quota is spread over."""
    return max(1, min(MOST_SHARDS, quota // SENDS_PER_SHARD))


def publishable_share(quota: int) -> int:
    """Share of a quota for publishable tokens: never all, and 0 of a quota of 1."""
    part, whole = PUBLISHABLE_SHARE
    return quota * part // whole


def _counter(policy: Policy, subject: str, now: float, *, publishable: bool = False) -> Counter:
    count = shard_count(policy.quota)  # of the whole quota: all callers share the items
    shard = random.randrange(count)  # noqa: S311 - spreads load, no secret
    window = int(now // policy.window_seconds)
    key = f"{policy.name}#{subject}#{window}#{shard}"
    admitted = policy._replace(quota=publishable_share(policy.quota)) if publishable else policy
    quota = admitted.quota // count + (1 if shard < admitted.quota % count else 0)
    return Counter(key, quota, admitted, (window + 1) * policy.window_seconds, sharded=count > 1)
