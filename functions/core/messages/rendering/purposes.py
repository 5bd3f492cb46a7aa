"""Purposes of codes, such as sign_in: those that the locales have sentences for.

Another purpose is more sentences in each locale, and no code (docs/how-to/emails.md).
"""

from typing import Any, Self

from functions.core import config
from functions.core.messages.rendering.locales import sentence_keys
from functions.core.parameters import NotValid, ValidatedStr

_SUBJECT = "verification.subject."
"""Begins the keys of subjects for a purpose. Each purpose has one."""


class Purpose(ValidatedStr):
    """Purpose of a code."""

    @classmethod
    def read(cls, text: str) -> Self:
        """A purpose that messages have words for. Raises `NotValid`, which lists them."""
        if text not in purposes():
            raise NotValid(f"must be one of: {', '.join(purposes())}")
        return cls(text)

    @classmethod
    def schema(cls) -> dict[str, Any]:
        """The purposes that there are."""
        return {"enum": list(purposes())}


@config.cached(lasting=True)
def purposes() -> tuple[str, ...]:
    """All purposes, in the order of a locale's file."""
    keys = sentence_keys()
    return tuple(key.removeprefix(_SUBJECT) for key in keys if key.startswith(_SUBJECT))
