"""Shared keys that sign deliveries, as a secret holds them: one, or two during a rotation.

The secret's text is the key itself, or a JSON list of at most two, the current one first: `["new",
"old"]`. What comes in may be signed with either; what goes out is signed with both.
"""

import base64
import binascii

import msgspec

from functions.core.config import SettingsError

_MOST = 2

_PREFIX = "whsec_"
"""Optional prefix of a key of Standard Webhooks."""

_STANDARD_BYTES = range(24, 65)
"""Standard Webhooks 1.0.0, "Signature scheme": 192 to 512 bits."""


def read_keys(text: str) -> tuple[str, ...]:
    """One or two keys, the current one first.

    Raises:
        SettingsError: when the text holds none, or more; a key is in no error.
    """
    keys = _listed(text.strip())
    if not 1 <= len(keys) <= _MOST or not all(keys):
        raise SettingsError(
            f"The secret must be one key, or a JSON list of up to {_MOST}, the current one first."
        )
    return keys


def with_new(text: str, key: str) -> str | None:
    """The secret's text with a new current key beside the previous one; null if nothing changes."""
    current = read_keys(text)[0]
    if current.removeprefix(_PREFIX) == key.removeprefix(_PREFIX):
        return None
    return msgspec.json.encode([str(key), current]).decode()


def standard_key(text: str) -> bytes:
    """The bytes of a key of Standard Webhooks: `whsec_` and base64, or base64 alone.

    Raises:
        ValueError: when it is none; the text is in no error.
    """
    try:
        key = base64.b64decode(text.removeprefix(_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) not in _STANDARD_BYTES:
        raise ValueError("A key of Standard Webhooks is whsec_ and the base64 of 24 to 64 bytes.")
    return key


def _listed(text: str) -> tuple[str, ...]:
    if not text.startswith("["):
        return (text,)
    try:
        return msgspec.json.decode(text, type=tuple[str, ...])
    except msgspec.MsgspecError:
        return ()
