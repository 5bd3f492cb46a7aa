"""Keys that two sides share to sign deliveries, as a secret holds them: one, or two while one takes the other's place.

The secret's text is the key itself, or a JSON list of at most two, the current one first: `["new", "old"]`. What comes in may
be signed with either; what goes out is signed with both.
"""

import msgspec

from functions.core.settings import SettingsError

MOST = 2


def read_keys(text: str) -> tuple[str, ...]:
    """One or two keys, the current one first.

    Raises:
        SettingsError: when the text holds none, or more; a key is in no error.
    """
    keys = _listed(text.strip())
    if not 1 <= len(keys) <= MOST or not all(keys):
        raise SettingsError(f"The secret must be a key, or a JSON list of at most {MOST} keys, the current one first.")
    return keys


def _listed(text: str) -> tuple[str, ...]:
    if not text.startswith("["):
        return (text,)
    try:
        return msgspec.json.decode(text, type=tuple[str, ...])
    except msgspec.MsgspecError:
        return ()
