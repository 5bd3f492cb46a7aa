"""A shared secret in a header, or as the password of Basic authentication. Nothing is signed.

Whoever learns the token can send anything. It is never read from the URL, which logs keep.
"""

import base64
import binascii
import hmac
from collections.abc import Sequence

from functions.api.webhooks.checks import header, read_payload, sha256
from functions.api.webhooks.delivery import Received, WebhookDelivery
from functions.api.webhooks.scheme import Signature
from functions.core.errors import WrongSignature

_BASIC = "basic "


def verify(of: Signature, received: Received, keys: Sequence[str], _now: float) -> WebhookDelivery:
    """Verifies a delivery. Its key is the body."""
    sent = _sent(of, received)
    if not any(hmac.compare_digest(key.encode(), sent) for key in keys):
        raise WrongSignature("The token is not this source's.")
    return WebhookDelivery(key=sha256(received.body), payload=read_payload(received.body, of.body))


def _sent(of: Signature, received: Received) -> bytes:
    if not of.header:
        return _password(header(received, "authorization"))
    text, prefix = header(received, of.header.lower()), of.prefix or ""
    if not text.startswith(prefix):
        raise WrongSignature(f"The header {of.header.lower()} does not begin as it should.")
    return text.removeprefix(prefix).encode()


def _password(text: str) -> bytes:
    """Password of Basic authentication (RFC 7617), after the first colon."""
    if text[: len(_BASIC)].lower() != _BASIC:
        raise WrongSignature("The header authorization is not of Basic authentication.")
    try:
        user, colon, password = base64.b64decode(text[len(_BASIC) :], validate=True).partition(b":")
    except binascii.Error:
        raise WrongSignature("The header authorization is not valid base64.") from None
    del user
    if not colon:
        raise WrongSignature("The header authorization has no password.")
    return password
