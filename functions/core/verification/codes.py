"""Codes and their keys: how a code is made, and how it is stored (never itself, only its HMAC)."""

import hashlib
import hmac
import re
import secrets
import unicodedata
from functools import cache

import msgspec

from functions.core.secret import Secret
from functions.core.verification.settings import settings

_ID_BYTES = 16
"""128 random bits: a verification's id is not to be guessed."""


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

    def mac(self, verification_id: str, code: str) -> bytes:
        """HMAC-SHA-256 of a code, bound to its verification.

        An id with an unknown key is worked on with the current one, so that it costs the same and matches nothing.
        """
        key = self.keys.get(verification_id.partition(".")[0], self.keys[self.current])
        return hmac.digest(key, verification_id.encode() + b"\0" + code.encode(), hashlib.sha256)


def new_code(length: int) -> str:
    """Random digits."""
    return "".join(secrets.choice("0123456789") for _ in range(length))


def normalise(code: str) -> str:
    """A code as people type it, without spaces and hyphens, full-width digits as plain ones (NFKC)."""
    return re.sub(r"[\s-]", "", unicodedata.normalize("NFKC", code))


@cache
def _secret() -> Secret:
    return Secret(settings().code_keys_secret)


def code_keys() -> CodeKeys:
    """The deployment's keys, at most five minutes old."""
    return CodeKeys.from_json(_secret().value())
