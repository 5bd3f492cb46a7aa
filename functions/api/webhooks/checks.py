"""Checks that all schemes share. No error contains a part of the request or of a key."""

import hashlib
import hmac
import re
from collections.abc import Iterable
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, unquote_plus

import msgspec

from functions.api.webhooks.delivery import Received
from functions.core.errors import MalformedBody, StaleDelivery, WrongSignature

TOLERANCE = timedelta(minutes=5)
"""Accepted age of a signature, and because clocks differ, its lead (Rule 5.9).

The libraries of Standard Webhooks and Stripe use the same.
"""

MAX_HEADER_CHARACTERS = 2_048
"""Room for 30 signatures. The limit bounds the work that a stranger's header can cause."""

SECONDS = re.compile(r"[0-9]{1,11}")
"""Seconds since the epoch, up to the year 5138."""

MAX_FIELDS = 1_000
"""Fields of a form or a query."""

_PAYLOAD = b"payload="
_PRINTABLE = re.compile(r"[ -~]+")


def header(received: Received, name: str, form: re.Pattern[str] = _PRINTABLE) -> str:
    """Header of this ASCII form. Raises `WrongSignature`."""
    value = received.headers.get(name, "")
    if len(value) > MAX_HEADER_CHARACTERS or not form.fullmatch(value):
        raise WrongSignature(f"The header {name} is missing or malformed.")
    return value


def hmac_sha256(key: str, message: bytes) -> str:
    """HMAC-SHA-256 in hexadecimal digits."""
    return hmac.digest(key.encode(), message, "sha256").hex()


def refuse_unless_signed(expected: Iterable[str], signatures: Iterable[str]) -> None:
    """Raises `WrongSignature` unless one of the signatures is an expected one. All are ASCII."""
    theirs = list(signatures)
    if not any(hmac.compare_digest(ours, each) for ours in expected for each in theirs):
        raise WrongSignature("The signature does not match the request and this source's key.")


def refuse_stale(signed_at: float, now: float, tolerance: timedelta = TOLERANCE) -> None:
    """Raises `StaleDelivery`. Both times are in seconds since the epoch."""
    seconds = int(tolerance.total_seconds())
    if abs(now - signed_at) > seconds:
        told = f"{seconds} seconds" if seconds % 60 else f"{seconds // 60} minutes"
        raise StaleDelivery(
            f"The delivery was signed more than {told} ago, or more than {told} in the future."
        )


def read_json(text: bytes | str) -> Any:  # noqa: ANN401 - whatever the source sends
    """Decodes a signed body. Raises `MalformedBody`."""
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise MalformedBody("The body is signed but is not valid JSON.") from None


def read_payload(body: bytes, kind: str) -> Any:  # noqa: ANN401 - whatever the source sends
    """Content of a body: JSON, JSON in a form's field `payload`, or a form's fields (`form`).

    The content type is not signed, so it decides nothing. Raises `MalformedBody`.
    """
    if kind == "form":
        return _read_form(body)
    if not body.startswith(_PAYLOAD):
        return read_json(body)
    try:
        text = unquote_plus(body.removeprefix(_PAYLOAD).decode("ascii"), errors="strict")
    except UnicodeDecodeError:
        raise MalformedBody("The body is signed but is not a valid UTF-8 form.") from None
    return read_json(text)


def _read_form(body: bytes) -> dict[str, str | list[str]]:
    try:
        fields = parse_qs(
            body.decode("ascii"), keep_blank_values=True, max_num_fields=MAX_FIELDS, errors="strict"
        )
    except ValueError:  # also of invalid UTF-8
        raise MalformedBody("The body is signed but is not a valid UTF-8 form.") from None
    return {name: each[0] if len(each) == 1 else each for name, each in fields.items()}


def sha256(signed: bytes) -> str:
    """Key of a delivery whose id is not signed."""
    return hashlib.sha256(signed).hexdigest()
