"""Sends to one destination, and the limits on their number: cooldown, hour and day. Pure.

All times are seconds since the epoch.
"""

from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple

import msgspec

from functions.core.clock import DAY_SECONDS, HOUR_SECONDS
from functions.core.errors import Policy
from functions.core.rate_limits.counters import Refusal

Allowance = Literal["publishable", "secret"]
"""Kind of caller whose sends are counted together. IAM callers count as secret."""

KEPT_FOR_OTHERS = (2, 5)
"""Part of the publishable allowance that one network leaves to others: 2 of 5, at least one send.

So a stranger cannot use up what the owner of the destination needs, unless both are in the same
network.
"""


class SendRules(NamedTuple):
    """Limits on the sends to one destination."""

    cooldown_seconds: int
    """Wait after the first send; doubles with each further send within an hour."""
    per_hour: int
    per_day: int

    @property
    def of_the_day_only(self) -> "SendRules":
        """The same without cooldown and hour."""
        return SendRules(0, self.per_day, self.per_day)


class Sender(NamedTuple):
    """Who sends to the destination, and how."""

    allowance: Allowance
    channel: str
    network: int | None = None
    """Pseudonym of a stranger's network; null where none is counted."""


class Send(msgspec.Struct, frozen=True, array_like=True):
    """One send to the destination. An array in JSON, which keeps histories small."""

    at: float
    allowance: Allowance
    channel: str | None = None
    """Null in histories of earlier releases: it counts for each channel."""
    network: int | None = None
    verification_id: str | None = None
    """Verification whose code was sent, for the hour in which a valid check of it matters."""

    def forgotten(self, now: float) -> "Send":
        """Returns the send without what does not matter any more."""
        if self.at > now - HOUR_SECONDS:
            return self
        return msgspec.structs.replace(self, verification_id=None)

    def is_same(self, other: "Send") -> bool:
        """Whether both are one send, of which one may have been forgotten in part."""
        mine = (self.at, self.allowance, self.channel)
        return mine == (other.at, other.allowance, other.channel)


def within(seconds: float, sends: Sequence[Send], now: float) -> tuple[Send, ...]:
    """Sends of the last seconds."""
    return tuple(send for send in sends if send.at > now - seconds)


def cooldown(
    sends: Sequence[Send], sender: Sender, rules: SendRules, now: float
) -> Iterator[Refusal]:
    """Yields the wait after the sends on one channel."""
    waited_for = [
        send.at
        for send in within(HOUR_SECONDS, sends, now)
        if send.allowance == sender.allowance and send.channel in {None, sender.channel}
    ]
    if waited_for:
        gap = rules.cooldown_seconds * 2 ** (len(waited_for) - 1)
        yield Refusal(Policy("cooldown", 1, gap), waited_for[-1] + gap)


def budgets(
    sends: Sequence[Send], sender: Sender, rules: SendRules, now: float
) -> Iterator[Refusal]:
    """Yields the hour and the day that are used up, over all channels.

    A stranger's network may use a share of them.
    """
    for name, limit, window in (
        ("destination-hour", rules.per_hour, HOUR_SECONDS),
        ("destination-day", rules.per_day, DAY_SECONDS),
    ):
        inside = [send for send in within(window, sends, now) if send.allowance == sender.allowance]
        yield from _full(name, limit, window, inside)
        if sender.allowance == "publishable" and sender.network is not None:
            own = [send for send in inside if send.network == sender.network]
            yield from _full(f"{name}-network", network_share(limit), window, own)


def network_share(limit: int) -> int:
    """Part of a publishable allowance that one network may use: never all, unless it is 1."""
    part, whole = KEPT_FOR_OTHERS
    return max(1, limit - max(1, limit * part // whole))


def _full(name: str, limit: int, window: int, inside: Sequence[Send]) -> Iterator[Refusal]:
    """Yields the refusal by sends within a window, if they are as many as its limit."""
    if len(inside) >= limit:
        yield Refusal(Policy(name, limit, window), inside[-limit].at + window)
