"""The code in a message, as the product's templates write it."""

import re

from infra.local.captured import Message

_CODE = r"(?=[A-Z]*\d|[A-Z]{6})[0-9A-Z]{4,10}"
_IN_EMAIL = (re.compile(rf"^[ \t]*({_CODE})[ \t]*\r?$", re.MULTILINE | re.ASCII),)
_IN_CALL = (re.compile(r"(?<!\w)((?:[0-9A-Z], ){3,9}[0-9A-Z])\."),)
"""As "…: 1, 2, 3, 4, 5, 6."."""
_ON_A_PHONE = (
    re.compile(rf"^@\S+ #({_CODE})", re.MULTILINE | re.ASCII),
    re.compile(rf'"1": ?"({_CODE})"', re.ASCII),
    re.compile(r"(?<![\w@#+./=-])(?=[A-Z]*\d)([0-9A-Z]{4,10})(?![0-9A-Za-z]|[-.,:/]\d)", re.ASCII),
)
"""In the last line, for autofill; as the variable of WhatsApp's template; in a sentence."""


def code_in(message: Message) -> str | None:
    """The code; null without one."""
    places = {"email": _IN_EMAIL, "voice": _IN_CALL}.get(message["channel"], _ON_A_PHONE)
    for place in places:
        if found := place.search(message["text"] or ""):
            return found[1].replace(", ", "")
    return None
