"""Types of events that only the platform sends: a receiver may trust that what they tell has happened here."""

from functions.core.errors import FieldError, InvalidParameters

_SENDERS = {
    "verification.": "events",
    "run.": "events",
    "email.": "workflow:track_delivery",
    "usersnap.": "webhook:usersnap",
}
"""By the beginning of a type, what starts the runs that send it (`Execution.started_by`, or the beginning of that)."""


def refuse_reserved(event_type: str, started_by: str | None) -> None:
    """Raises `InvalidParameters` for a type that is the platform's, unless the part of it that sends such events asks."""
    for prefix, sender in _SENDERS.items():
        if event_type.startswith(prefix) and not f"{started_by}:".startswith(f"{sender}:"):
            raise InvalidParameters(FieldError("/type", _SENTENCE))


def _listed(words: list[str]) -> str:
    return f"{', '.join(words[:-1])} or {words[-1]}"


_SENTENCE = (
    f"must not begin with {_listed(list(_SENDERS))}: only the platform itself sends those. "
    "Take a type of your own, such as order.shipped"
)
