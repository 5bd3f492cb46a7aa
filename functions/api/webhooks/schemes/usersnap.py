"""Usersnap: `X-Usersnap-Signature`, an HMAC-SHA-256 over the body and the milliseconds of `X-Usersnap-Timestamp`.

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
from functions.api.webhooks.delivery import Delivery, Received
from functions.core.errors import MalformedBody

ACCEPTED_STATUS = 200
"""Usersnap sends again what was answered with anything else."""

_MILLISECONDS = re.compile(r"[0-9]{1,14}")
_TIME_BYTES = 32
_FIRST_BOUNDARY = re.compile(rb"--([0-9A-Za-z'()+_,./:=?-]{1,70})\r\n")
"""RFC 2046 §5.1.1, without the space. The body's own: the content type, which names it too, is not signed."""


def verify(received: Received, keys: Sequence[str], now: float) -> Delivery:
    """A repeated delivery may have another time and another boundary; the feedback in it stays."""
    given = header(received, "x-usersnap-signature")
    signed_at = int(header(received, "x-usersnap-timestamp", _MILLISECONDS))
    message = received.body + signed_at.to_bytes(_TIME_BYTES, "little")
    refuse_unless_signed((hmac_sha256(key, message) for key in keys), [given])
    refuse_stale(signed_at / 1000, now)
    feedback = _feedback(received.body)
    return Delivery(key=sha256(feedback), payload=read_json(feedback))


def _feedback(body: bytes) -> bytes:
    """The JSON of a body that is nothing else, or the part `feedback` of a form; its files are left alone."""
    boundary = _FIRST_BOUNDARY.match(body)
    if not boundary:
        return body
    found = [part for part in _parts(boundary[1], body) if _is_feedback(part)]
    if len(found) != 1:
        raise MalformedBody("The form is signed but does not hold one part feedback.")
    return bytes(found[0].get_payload(decode=True))


def _parts(boundary: bytes, body: bytes) -> list[Message]:
    try:
        form = message_from_bytes(
            b'Content-Type: multipart/form-data; boundary="' + boundary + b'"\r\n\r\n' + body
        )
    except RecursionError:
        raise MalformedBody("The form is signed but its parts are nested too deep.") from None
    return [part for part in form.get_payload() if isinstance(part, Message)]


def _is_feedback(part: Message) -> bool:
    return (
        part.get_param("name", header="content-disposition") == "feedback"
        and not part.is_multipart()
    )
