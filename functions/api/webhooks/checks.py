"""What every scheme asks of what arrived. Nothing of it, and nothing of a key, is in an error."""

import hashlib
import hmac
import re
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import msgspec

from functions.api.webhooks.delivery import Received
from functions.core.errors import MalformedBody, StaleDelivery, WrongSignature

TOLERANCE = timedelta(minutes=5)
"""Into the past and, because clocks differ, into the future (Rule 5.9; Standard Webhooks' and Stripe's libraries too)."""

LONGEST_HEADER = 2_048
"""Characters: 30 signatures. What is longer is not read, so that nobody chooses how much work a header makes."""

SECONDS = re.compile(r"[0-9]{1,11}")
"""Seconds since the epoch, up to the year 5138."""

_PRINTABLE = re.compile(r"[ -~]+")


def header(received: Received, name: str, form: re.Pattern[str] = _PRINTABLE) -> str:
    """A header of this form, which is ASCII. Raises `WrongSignature`."""
    value = received.headers.get(name, "")
    if len(value) > LONGEST_HEADER or not form.fullmatch(value):
        raise WrongSignature(f"The header {name} is missing or not of its form.")
    return value


def hmac_sha256(key: str, message: bytes) -> str:
    """An HMAC-SHA-256 in hexadecimal digits."""
    return hmac.digest(key.encode(), message, "sha256").hex()


def refuse_unless_signed(expected: Iterable[str], given: Iterable[str]) -> None:
    """Raises `WrongSignature` unless one of the signatures that were given is what a key makes; all are ASCII."""
    signatures = list(given)
    if not any(hmac.compare_digest(ours, theirs) for ours in expected for theirs in signatures):
        raise WrongSignature(
            "The signature was not made with a key of this source over what arrived."
        )


def refuse_stale(signed_at: float, now: float) -> None:
    """Raises `StaleDelivery`; both in seconds since the epoch."""
    if abs(now - signed_at) > TOLERANCE.total_seconds():
        raise StaleDelivery("The delivery was signed more than 5 minutes ago, or for the future.")


def read_json(text: bytes | str) -> Any:  # noqa: ANN401 - whatever the source sends
    """A body that is rightly signed. Raises `MalformedBody`."""
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise MalformedBody("The body is signed but is not valid JSON.") from None


def sha256(signed: bytes) -> str:
    """The key of a delivery whose id is not signed."""
    return hashlib.sha256(signed).hexdigest()
