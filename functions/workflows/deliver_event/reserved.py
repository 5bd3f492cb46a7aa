"""Types of events that only the platform sends, so that receivers can trust them."""

from functions.core.errors import FieldError, InvalidParameters

_SENDERS = {
    "verification.": "events",
    "event.": "events",
    "run.": "events",
    "schedule.": "schedules",
    "email.": "workflow:track_delivery",
    "usersnap.": "webhook:usersnap",
}
"""Prefix of a type, and the prefix of `started_by` (`Execution`) in runs that may send it."""


def refuse_reserved(event_type: str, started_by: str | None) -> None:
    """Raises `InvalidParameters` for a reserved type from any other sender than its own."""
    for prefix, sender in _SENDERS.items():
        if event_type.startswith(prefix) and not f"{started_by}:".startswith(f"{sender}:"):
            raise InvalidParameters(FieldError("/type", _DETAIL))


def _listed(words: list[str]) -> str:
    return f"{', '.join(words[:-1])} or {words[-1]}"


_DETAIL = (
    f"must not begin with {_listed(list(_SENDERS))}: these types are reserved for the platform. "
    "Choose another type, such as order.shipped"
)
