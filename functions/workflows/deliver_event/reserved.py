"""Types of events that only the platform sends, so that a receiver can trust what they tell."""

from functions.core.errors import FieldError, InvalidParameters

_SENDERS = {
    "verification.": "events",
    "run.": "events",
    "email.": "workflow:track_delivery",
    "usersnap.": "webhook:usersnap",
}
"""By the beginning of a type, the beginning of the `started_by` (`Execution`) of runs that send it."""


def refuse_reserved(event_type: str, started_by: str | None) -> None:
    """Raises `InvalidParameters` for a type of the platform's, unless its own part sends it."""
    for prefix, sender in _SENDERS.items():
        if event_type.startswith(prefix) and not f"{started_by}:".startswith(f"{sender}:"):
            raise InvalidParameters(FieldError("/type", _SENTENCE))


def _listed(words: list[str]) -> str:
    return f"{', '.join(words[:-1])} or {words[-1]}"


_SENTENCE = (
    f"must not begin with {_listed(list(_SENDERS))}: only the platform itself sends those. "
    "Take a type of your own, such as order.shipped"
)
