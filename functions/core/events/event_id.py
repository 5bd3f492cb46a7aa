"""Ids of events, by which a receiver recognises what it has had already."""

import hashlib

_DIGITS = 32
"""Hexadecimal: 128 bits."""


def event_id(seed: str) -> str:
    """Always the same for the same seed. Without a full stop, which separates what Standard Webhooks sign."""
    return f"evt_{hashlib.sha256(seed.encode()).hexdigest()[:_DIGITS]}"
