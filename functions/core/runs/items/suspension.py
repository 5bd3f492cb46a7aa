"""Suspension of an item: its call ends, and RunWorkflow calls it again later."""

import math

import msgspec

MOST_WAITS = 250
"""Waits in one execution. With all retries each has up to 90 of its 25,000 events (Step Functions
quotas).
"""


class Suspended(BaseException):
    """Ends the call of an item that goes on later.

    No `Exception`, so that an author's `except Exception` lets it pass.
    """

    def __init__(
        self,
        until: float,
        *,
        event: str | None = None,
        addresses: tuple[str, ...] = (),
        since: float = 0,
    ) -> None:
        """Takes the time at which the item goes on at the latest, and the event that wakes it."""
        super().__init__(f"suspended until {until}")
        self.until = math.ceil(until)
        """Seconds since the epoch. Rounded down, the item would be called before its time."""
        self.event = event
        self.addresses = addresses
        self.since = since


class Waiting(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The answer of an item that goes on later, as RunWorkflow reads it."""

    status: str
    until: str
    """RFC 3339 UTC."""
    seconds: int
    """Seconds until then, at least 1."""
    listens: dict[str, object] | None = None
    """Addresses of the event that wakes it, and the time since when it counts."""
    leaves: int | None = None
    """Number of the suspension with which it leaves its execution for one of its own."""
