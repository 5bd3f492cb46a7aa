"""Codes and their keys: how a code is made, and how it is stored (never itself, only its HMAC)."""

import hashlib
import hmac
import re
import secrets
import unicodedata
from functools import cache
from typing import Annotated, NamedTuple, Self

import msgspec
from msgspec import Meta

from functions.core.aws.secrets import Secret
from functions.core.parameters import NotValid
from functions.core.pasted import ascii_digits
from functions.core.verification.settings import settings

ALPHABETS = {"digits": "0123456789", "letters_and_digits": "23456789ABCDEFGHJKMNPQRSTVWXYZ"}
"""By the names of the setting; no 0 O, 1 I L, or U, which looks like V. Six characters have 29 bits, six digits 20."""

SHORTEST, LONGEST = 6, 10
"""Characters of a code. NIST SP 800-63B-4 §3.1.3.2: at least six."""

_KINDS = {
    "d": ALPHABETS["digits"],
    "l": ALPHABETS["letters_and_digits"],
    "t": "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ",
}
"""Alphabets by the letter that stands for them in an id; t: a test destination's code, which its owner chose."""

_DESCRIBED = {"d": "digits", "l": "letters and digits", "t": "letters and digits"}

_FORM = re.compile(r"[^.]+\.([dlt])([6-9A])[0-9A-Za-z_-]{22}")
"""An id of a verification: its key, the kind and the length (hexadecimal) of its code, 128 random bits."""

_UNKNOWN_KEY_SECONDS = 10
_ID_BYTES = 16
"""128 random bits: a verification's id is not to be guessed."""


VerificationId = Annotated[str, Meta(min_length=1, max_length=64, pattern=r"^[0-9A-Za-z_.-]+\Z")]
"""As clients send it."""


class CodeForm(NamedTuple):
    """Alphabet and length of a code. A verification's id tells them, so that a check need not look them up.

    So codes stay readable when the settings of codes change while they are on their way.
    """

    kind: str
    """A key of `_KINDS`."""
    shortest: int
    longest: int

    @classmethod
    def of_new(cls, length: int, alphabet: str) -> Self:
        """Form of a code that is made; `alphabet` is a key of `ALPHABETS`."""
        return cls("d" if alphabet == "digits" else "l", length, length)

    @classmethod
    def of_fixed(cls, code: str) -> Self:
        """Form of a test destination's code."""
        return cls("d" if code.isdecimal() else "t", len(code), len(code))

    @classmethod
    def of(cls, verification_id: str) -> Self:
        """Form that an id tells; of one that tells none, issued by an earlier release, any that a code can have."""
        found = _FORM.fullmatch(verification_id)
        return (
            cls(found[1], int(found[2], 16), int(found[2], 16))
            if found
            else cls("t", SHORTEST, LONGEST)
        )

    @property
    def encoded(self) -> str:
        """As it stands in an id."""
        return f"{self.kind}{self.longest:X}"

    @property
    def described(self) -> str:
        """As a client is told of it: `6 digits`."""
        length = (
            str(self.longest)
            if self.shortest == self.longest
            else f"{self.shortest} to {self.longest}"
        )
        return f"{length} {_DESCRIBED[self.kind]}"

    def extract(self, text: str) -> str:
        """Characters of the alphabet, in their order; digits of any script as ASCII ones."""
        return "".join(letter for letter in ascii_digits(text) if letter in _KINDS[self.kind])

    def fits(self, code: str) -> bool:
        """Whether a code has the length."""
        return self.shortest <= len(code) <= self.longest


SIX_DIGITS = CodeForm("d", 6, 6)


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

    def new_verification_id(self, form: CodeForm = SIX_DIGITS) -> str:
        """`<key id>.<form of the code><128 random bits>`.

        At most 64 characters of `[0-9A-Za-z_.-]`, because it also names the schedule.
        """
        return f"{self.current}.{form.encoded}{secrets.token_urlsafe(_ID_BYTES)}"

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


def read_code(verification_id: str, typed: str) -> str:
    """A verification's code as people type and paste it: in any script's digits and any case, among anything else.

    Nothing is asked but the id: what cannot be a code is refused before it costs an attempt.

    Raises:
        NotValid: it has not the length of the verification's code.
    """
    form = CodeForm.of(verification_id)
    text = unicodedata.normalize("NFKC", typed).upper()
    code = form.extract(text)
    if form.fits(code) or form.fits(code := form.extract(text.rpartition(":")[2])):
        return code
    raise NotValid(
        f"is not a code of {form.described}; nothing was charged, so type the code as it was sent"
    )


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
