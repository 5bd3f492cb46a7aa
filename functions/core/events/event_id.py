"""Event ids, by which a receiver recognises repeated deliveries."""

import hashlib

_DIGITS = 32
"""Hexadecimal: 128 bits."""


def event_id(seed: str) -> str:
    """The id for a seed, always the same.

    It has no full stop, which Standard Webhooks use as separator.
    """
    return f"evt_{hashlib.sha256(seed.encode()).hexdigest()[:_DIGITS]}"
