"""Usersnap: `X-Usersnap-Signature`, an HMAC-SHA-256 over the body and `X-Usersnap-Timestamp`.

Source: https://help.usersnap.com/docs/webhook
"""

import re
from collections.abc import Sequence
from email import message_from_bytes
from email.message import Message

from functions.api.webhooks.checks import (
    header,
    hmac_sha256,
    read_json,
    refuse_stale,
    refuse_unless_signed,
    sha256,
)
from functions.api.webhooks.delivery import Received, WebhookDelivery
from functions.core.errors import MalformedBody

ACCEPTED_STATUS = 200
"""Usersnap repeats a delivery after any other status."""

_MILLISECONDS = re.compile(r"[0-9]{1,14}")
_TIME_BYTES = 32
_FIRST_BOUNDARY = re.compile(rb"--([0-9A-Za-z'()+_,./:=?-]{1,70})\r\n")
"""Boundary in the body (RFC 2046 §5.1.1, without the space). The content type is not signed."""


def verify(received: Received, keys: Sequence[str], now: float) -> WebhookDelivery:
    """Verifies a delivery. Its key is the feedback; repetitions have new times and boundaries."""
    signature = header(received, "x-usersnap-signature")
    signed_at = int(header(received, "x-usersnap-timestamp", _MILLISECONDS))
    message = received.body + signed_at.to_bytes(_TIME_BYTES, "little")
    refuse_unless_signed((hmac_sha256(key, message) for key in keys), [signature])
    refuse_stale(signed_at / 1000, now)
    feedback = _feedback(received.body)
    return WebhookDelivery(key=sha256(feedback), payload=read_json(feedback))


def _feedback(body: bytes) -> bytes:
    """JSON of the feedback: the whole body, or the part `feedback` of a form without its files."""
    boundary = _FIRST_BOUNDARY.match(body)
    if not boundary:
        return body
    parts = [part for part in _parts(boundary[1], body) if _is_feedback(part)]
    if len(parts) != 1:
        raise MalformedBody("The form is signed but must have exactly one part named feedback.")
    return bytes(parts[0].get_payload(decode=True))


def _parts(boundary: bytes, body: bytes) -> list[Message]:
    try:
        form = message_from_bytes(
            b'Content-Type: multipart/form-data; boundary="' + boundary + b'"\r\n\r\n' + body
        )
    except RecursionError:
        raise MalformedBody("The form is signed but its parts are nested too deeply.") from None
    return [part for part in form.get_payload() if isinstance(part, Message)]


def _is_feedback(part: Message) -> bool:
    return (
        part.get_param("name", header="content-disposition") == "feedback"
        and not part.is_multipart()
    )
