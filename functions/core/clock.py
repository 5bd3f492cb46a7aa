"""Times: seconds since the epoch inside, RFC 3339 UTC in answers. The only clock of functions/."""

import time
from datetime import UTC, datetime

HOUR_SECONDS = 3600
DAY_SECONDS = 86_400


def now() -> float:
    """The time, in seconds since the epoch."""
    return time.time()


def monotonic() -> float:
    """Seconds that only ever go forward, for what is measured within a process."""
    return time.monotonic()


def rfc3339(moment: datetime) -> str:
    """A time as text, in UTC."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def utc(seconds: float) -> datetime:
    """A time in UTC, without fractions of a second."""
    return datetime.fromtimestamp(int(seconds), UTC)
