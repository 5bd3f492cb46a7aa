"""Codes and their keys: how a code is made, and how it is stored (never itself, only its HMAC)."""

import hashlib
import hmac
import re
import secrets
import unicodedata
from functools import cache
from typing import Annotated

import msgspec
from msgspec import Meta

from functions.core.secret import Secret
from functions.core.verification.settings import settings

ALPHABETS = {"digits": "0123456789", "letters_and_digits": "23456789ABCDEFGHJKMNPQRSTVWXYZ"}
"""By the names of the setting; no 0 O, 1 I L, or U, which looks like V. Six characters have 29 bits, six digits 20."""

_UNKNOWN_KEY_SECONDS = 10
_ID_BYTES = 16
"""128 random bits: a verification's id is not to be guessed."""


VerificationId = Annotated[str, Meta(min_length=1, max_length=64, pattern=r"^[0-9A-Za-z_.-]+\Z")]
"""As clients send it."""


class CodeKeys(msgspec.Struct, frozen=True):
    """The HMAC keys by id, and the id of the one that new codes use.

    The secret's JSON is flat, because CloudFormation can generate one value at its top level:
    `{"current": "k1", "k1": "<key>"}`.
    """

    current: str
    keys: dict[str, bytes]

    @classmethod
    def from_json(cls, text: str) -> "CodeKeys":
        """Raises `ValueError` when the secret has no key under its current id."""
        values = msgspec.json.decode(text, type=dict[str, str])
        current = values.pop("current", "")
        if current not in values:
            raise ValueError("The secret of the code keys must be {'current': <id>, <id>: <key>}.")
        return cls(current, {key_id: key.encode() for key_id, key in values.items()})

    def new_verification_id(self) -> str:
        """`<key id>.<128 random bits>`: at most 64 characters of `[0-9A-Za-z_.-]`, for it also names the schedule."""
        return f"{self.current}.{secrets.token_urlsafe(_ID_BYTES)}"

    def knows(self, verification_id: str) -> bool:
        """Whether the key that an id names is here."""
        return verification_id.partition(".")[0] in self.keys

    def mac(self, verification_id: str, code: str) -> bytes:
        """HMAC-SHA-256 of a code, bound to its verification.

        An id with an unknown key is worked on with the current one, so that it costs the same and matches nothing.
        """
        key = self.keys.get(verification_id.partition(".")[0], self.keys[self.current])
        return hmac.digest(key, verification_id.encode() + b"\0" + code.encode(), hashlib.sha256)


def tag_of(verification_id: str) -> str:
    """An id as SES takes it as the value of a tag, in which there are no dots."""
    return verification_id.replace(".", "-", 1)


def id_of_tag(tag: str) -> str:
    """The id of a tag: ids of keys have no hyphen, so the first one stands for the dot."""
    return tag if "." in tag else tag.replace("-", ".", 1)


def new_code(length: int, alphabet: str = "digits") -> str:
    """A random code; `alphabet` is a key of `ALPHABETS`."""
    return "".join(secrets.choice(ALPHABETS[alphabet]) for _ in range(length))


def normalise(code: str) -> str:
    """A code as people type it: without spaces and hyphens, digits of any script as ASCII ones, letters in upper case."""
    kept = re.sub(r"[\s\-\u2010-\u2015\u2212]", "", unicodedata.normalize("NFKC", code))
    return "".join(str(unicodedata.digit(letter, letter)) for letter in kept).upper()


@cache
def _secret() -> Secret:
    return Secret(settings().code_keys_secret)


def code_keys(for_id: str | None = None) -> CodeKeys:
    """The deployment's keys, at most five minutes old.

    `for_id` names a key that may have been made since, by a rotation: if it is not known, the keys are read again, but not
    more often than every ten seconds, because anybody can invent an id.
    """
    keys = CodeKeys.from_json(_secret().value())
    if for_id is None or keys.knows(for_id):
        return keys
    return CodeKeys.from_json(_secret().value(_UNKNOWN_KEY_SECONDS))
