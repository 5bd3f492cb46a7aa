"""Times: seconds since the epoch inside, RFC 3339 UTC in answers."""

from datetime import UTC, datetime


def utc(seconds: float) -> datetime:
    """A time in UTC, without fractions of a second."""
    return datetime.fromtimestamp(int(seconds), UTC)
