"""HMAC over parts of the request, in a header, as the source's section of sources.toml says.

The body may be JSON, a form, or a form whose field `payload` is JSON. The content type is not
signed, so the section says which.
"""

import hmac
import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from urllib.parse import parse_qsl

from functions.api.webhooks.checks import (
    MAX_FIELDS,
    header,
    read_payload,
    refuse_stale,
    refuse_unless_signed,
    sha256,
)
from functions.api.webhooks.declared.expressions import DoesNotFit, encoded, search
from functions.api.webhooks.delivery import Received, WebhookDelivery
from functions.api.webhooks.scheme import PLACES, Signature
from functions.core.errors import MalformedBody, WrongSignature

_TIME = {
    "s": re.compile(r"[0-9]{1,11}"),
    "ms": re.compile(r"[0-9]{1,14}"),
    "iso": re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)", re.ASCII),
}
_ID = re.compile(r"[!-~]{1,255}")
_METHOD = b"POST"


def verify(of: Signature, received: Received, keys: Sequence[str], now: float) -> WebhookDelivery:
    """Verifies a delivery. Its key is its id if that is signed, else the body."""
    parts = _parts(of, received)
    time = _time(of, received, parts)
    delivery_id = _id(of, received)
    message = b"".join(_message(of, received, time, delivery_id))
    digests = (hmac.digest(key.encode(), message, of.algorithm) for key in keys)
    prefix = of.prefix or ""
    signatures = [each.removeprefix(prefix) for each in parts if each.startswith(prefix)]
    if of.encoding == "base64url":
        signatures = [each.rstrip("=") for each in signatures]
    refuse_unless_signed((encoded(each, of.encoding) for each in digests), signatures)
    if time:
        refuse_stale(_seconds(of, time), now, of.tolerance)
    payload = read_payload(received.body, of.body)
    if of.timestamp_path:
        refuse_stale(_seconds(of, _time_within(of, payload)), now, of.tolerance)
    return WebhookDelivery(
        key=delivery_id or sha256(_signed_content(of, received)),
        payload=payload,
        query=_query(received) if "url" in of.places else {},
    )


def _id(of: Signature, received: Received) -> str:
    """Id of the delivery, where it is signed."""
    return header(received, str(of.id_header).lower(), _ID) if "id" in of.places else ""


def _parts(of: Signature, received: Received) -> list[str]:
    text = header(received, str(of.header).lower())
    return text.split(of.separator) if of.separator else [text]


def _time(of: Signature, received: Received, parts: Sequence[str]) -> str:
    """The time as it is signed; empty where none is signed, or where it is in the body."""
    if of.timestamp_header:
        return header(received, of.timestamp_header.lower(), _TIME[of.timestamp_unit])
    if not of.timestamp_prefix:
        return ""
    prefix = of.timestamp_prefix
    times = [each.removeprefix(prefix) for each in parts if each.startswith(prefix)]
    if len(times) != 1 or not _TIME[of.timestamp_unit].fullmatch(times[0]):
        raise WrongSignature(
            f"The header {str(of.header).lower()} must have exactly one timestamp {prefix}…."
        )
    return times[0]


def _time_within(of: Signature, payload: object) -> str:
    try:
        found = search(str(of.timestamp_path), {"payload": payload})
    except DoesNotFit:
        found = None
    text = str(found)
    if isinstance(found, bool) or not _TIME[of.timestamp_unit].fullmatch(text):
        raise WrongSignature("The body has no time where this source signs one.")
    return text


def _seconds(of: Signature, time: str) -> float:
    if of.timestamp_unit == "iso":
        try:
            return datetime.fromisoformat(time).timestamp()
        except ValueError:
            raise WrongSignature("The signature's time does not exist.") from None
    return int(time) / (1000 if of.timestamp_unit == "ms" else 1)


def _message(of: Signature, received: Received, time: str, delivery_id: str) -> Iterator[bytes]:
    values = {
        "body": received.body,
        "timestamp": time.encode(),
        "id": delivery_id.encode(),
        "method": _METHOD,
        "url": _full_url(received).encode(errors="replace"),
    }
    # Every second piece is the name of a place.
    for position, piece in enumerate(PLACES.split(of.signed)):
        yield values[piece] if position % 2 else piece.encode()


def _full_url(received: Received) -> str:
    return f"{received.url}?{received.query}" if received.query else received.url


def _query(received: Received) -> dict[str, str]:
    try:
        return dict(parse_qsl(received.query, keep_blank_values=True, max_num_fields=MAX_FIELDS))
    except ValueError:
        raise MalformedBody("The query is signed but has too many fields.") from None


def _signed_content(of: Signature, received: Received) -> bytes:
    """Content by which two deliveries are the same: without their time, which each try has anew."""
    url = _full_url(received).encode(errors="replace") + b"\n" if "url" in of.places else b""
    return url + received.body
