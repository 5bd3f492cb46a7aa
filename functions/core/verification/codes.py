"""Codes and their keys. Only the HMAC of a code is stored, never the code.

A code follows from a key and a random salt in the verification's record, so a resend sends the same
code. Neither the key alone nor the table alone tells it.
"""

import hashlib
import hmac
import re
import secrets
import unicodedata
from collections.abc import Iterable, Iterator
from itertools import count, islice
from typing import Annotated, NamedTuple, Self

import msgspec
from msgspec import Meta

from functions.core import config
from functions.core.aws.secrets import Secret
from functions.core.parameters import NotValid
from functions.core.pasted import ascii_digits
from functions.core.verification.settings import VerificationSettings

_DIGITS = "0123456789"

SHORTEST, LONGEST = 6, 10
"""Bounds of a code's length. NIST SP 800-63B-4 §3.1.3.2: at least six characters."""

_KINDS = {
    "d": _DIGITS,
    "t": "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ",
}
"""Alphabets by their letter in a verification id. `t` is a test destination's own code."""

_DESCRIBED = {"d": "digits", "t": "letters and digits"}

_FORM = re.compile(r"[^.]+\.([dt])([6-9A])[0-9A-Za-z_-]{22}")
"""Verification id: key id, kind and length (hexadecimal) of the code, 128 random bits."""

_UNKNOWN_KEY_SECONDS = 10
_ID_BYTES = 16
"""128 random bits, so that nobody can guess a verification id."""

_SALT_BYTES = 16

_CODE, _CHECK, _PROOF = b"\0", b"\1", b"\2"
"""First bytes of what a key signs besides a code, whose message begins with its id.

No id has such a byte, so no two kinds of messages are ever alike.
"""

_UNBIASED = 250
"""Bytes below this are 25 times each digit; the others are left out (rejection sampling)."""


VerificationId = Annotated[str, Meta(min_length=1, max_length=64, pattern=r"^[0-9A-Za-z_.-]+\Z")]
"""Verification id as clients send it."""


class CodeForm(NamedTuple):
    """Alphabet and length of a code, encoded in its verification id.

    A check reads them from the id, so codes that are on their way stay valid when settings change.
    """

    kind: str
    """Letter of the alphabet, a key of `_KINDS`."""
    shortest: int
    longest: int

    @classmethod
    def of_new(cls, length: int) -> Self:
        """Form of a random code."""
        return cls("d", length, length)

    @classmethod
    def of_fixed(cls, code: str) -> Self:
        """Form of a test destination's code."""
        return cls("d" if code.isdecimal() else "t", len(code), len(code))

    @classmethod
    def of(cls, verification_id: str) -> Self:
        """Form that an id encodes. Ids of earlier releases encode none: any form is accepted."""
        found = _FORM.fullmatch(verification_id)
        return (
            cls(found[1], int(found[2], 16), int(found[2], 16))
            if found
            else cls("t", SHORTEST, LONGEST)
        )

    @property
    def encoded(self) -> str:
        """Kind and length as they stand in a verification id."""
        return f"{self.kind}{self.longest:X}"

    @property
    def described(self) -> str:
        """Description for clients, such as `6 digits`."""
        length = (
            str(self.longest)
            if self.shortest == self.longest
            else f"{self.shortest} to {self.longest}"
        )
        return f"{length} {_DESCRIBED[self.kind]}"

    def extract(self, text: str) -> str:
        """Returns the characters of a text that are in the alphabet, in order.

        Digits of any script become ASCII digits.
        """
        return "".join(letter for letter in ascii_digits(text) if letter in _KINDS[self.kind])

    def fits(self, code: str) -> bool:
        """Whether a code has the right length."""
        return self.shortest <= len(code) <= self.longest


SIX_DIGITS = CodeForm("d", 6, 6)


class CodeKeys(msgspec.Struct, frozen=True):
    """HMAC keys by id, and the id of the key that new codes use.

    The secret's JSON is flat, because CloudFormation generates one value at its top level:
    `{"current": "k1", "k1": "<key>"}`.
    """

    current: str
    keys: dict[str, bytes]

    @classmethod
    def from_json(cls, text: str) -> "CodeKeys":
        """Reads the secret. Raises `ValueError` when it has no key under its current id."""
        values = msgspec.json.decode(text, type=dict[str, str])
        current = values.pop("current", "")
        if current not in values:
            raise ValueError("The secret of the code keys must be {'current': <id>, <id>: <key>}.")
        return cls(current, {key_id: key.encode() for key_id, key in values.items()})

    def new_verification_id(self, form: CodeForm = SIX_DIGITS) -> str:
        """Makes a new id: `<key id>.<form of the code><128 random bits>`.

        It has at most 64 characters of `[0-9A-Za-z_.-]`, because it also names the schedule.
        """
        return f"{self.current}.{form.encoded}{secrets.token_urlsafe(_ID_BYTES)}"

    def knows(self, verification_id: str) -> bool:
        """Whether the key that an id names is known."""
        return verification_id.partition(".")[0] in self.keys

    def mac(self, verification_id: str, code: str) -> bytes:
        """HMAC-SHA-256 of a code, bound to its verification.

        For an unknown key the current one is used: that takes the same time and matches nothing.
        """
        return self._signed(verification_id, verification_id.encode() + b"\0" + code.encode())

    def code(self, verification_id: str, salt: bytes) -> str:
        """Code of digits for an id and its salt: each code is equally likely over the salts."""
        stream = self._stream(verification_id, _CODE + salt)
        return "".join(islice(digits(stream), CodeForm.of(verification_id).longest))

    def check_mark(self, verification_id: str, signer: str) -> str:
        """Mark of a check that a client signed with a key of its own; the same for the same key."""
        return self._signed(verification_id, _by(_CHECK, verification_id, signer)).hex()

    def proof_id(self, verification_id: str, signer: str) -> bytes:
        """128 bits that name the proof of such a check; the client's key does not tell them."""
        return self._signed(verification_id, _by(_PROOF, verification_id, signer))[:16]

    def _stream(self, verification_id: str, message: bytes) -> Iterator[int]:
        for number in count():
            counted = message + number.to_bytes(4) + verification_id.encode()
            yield from self._signed(verification_id, counted)

    def _signed(self, verification_id: str, message: bytes) -> bytes:
        key = self.keys.get(verification_id.partition(".")[0], self.keys[self.current])
        return hmac.digest(key, message, hashlib.sha256)


def _by(kind: bytes, verification_id: str, signer: str) -> bytes:
    return kind + verification_id.encode() + b"\0" + signer.encode()


def digits(stream: Iterable[int]) -> Iterator[str]:
    """Digits of a stream of random bytes, each equally likely."""
    return (_DIGITS[byte % len(_DIGITS)] for byte in stream if byte < _UNBIASED)


def tag_of(verification_id: str) -> str:
    """Verification id as the value of an SES tag, which may have no dots."""
    return verification_id.replace(".", "-", 1)


def id_of_tag(tag: str) -> str:
    """Verification id of an SES tag; key ids have no hyphen, so the first one is the dot."""
    return tag if "." in tag else tag.replace("-", ".", 1)


def new_salt() -> bytes:
    """Random bytes from which a code follows, together with its key."""
    return secrets.token_bytes(_SALT_BYTES)


def read_code(verification_id: str, typed: str) -> str:
    """Extracts a code from text as people type and paste it.

    Digits of any script, any case and surrounding text are accepted. Only the id is consulted, so
    text that cannot be a code is refused before it costs an attempt.

    Raises:
        NotValid: the text has no code of the verification's length.
    """
    form = CodeForm.of(verification_id)
    text = unicodedata.normalize("NFKC", typed).upper()
    code = form.extract(text)
    if form.fits(code) or form.fits(code := form.extract(text.rpartition(":")[2])):
        return code
    raise NotValid(
        f"is not a code of {form.described}; enter the code as it was sent (no attempt was used)"
    )


@config.cached
def _secret() -> Secret:
    return Secret(config.read(VerificationSettings).code_keys_secret)


def code_keys(for_id: str | None = None) -> CodeKeys:
    """Returns the deployment's keys, at most five minutes old.

    A rotation may have made the key of `for_id` since. If the key is unknown, the keys are read
    again, at most every ten seconds, because anybody can invent an id.
    """
    keys = CodeKeys.from_json(_secret().value())
    if for_id is None or keys.knows(for_id):
        return keys
    return CodeKeys.from_json(_secret().value(_UNKNOWN_KEY_SECONDS))
