"""Standard Webhooks: the headers `webhook-id`, `-timestamp` and `-signature`, an HMAC over "id.timestamp.body".

Svix, where the standard comes from, calls them `svix-…`, and so do the many who send through it.
Source: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

import base64
import re
from collections.abc import Sequence
from datetime import UTC, datetime

from standardwebhooks.webhooks import EmptyWebhookSecretError, Webhook

from functions.api.webhooks.checks import (
    SECONDS,
    header,
    read_json,
    refuse_stale,
    refuse_unless_signed,
)
from functions.api.webhooks.delivery import Delivery, Received
from functions.core.config import SettingsError
from functions.core.errors import WrongSignature
from functions.core.observability import logger

_ID = re.compile(r"[!-\-/-~]{1,255}")
"""No full stop: an id that held one could take a part of the time or the body for itself (spec, "Signature scheme")."""


def verify(received: Received, keys: Sequence[str], now: float) -> Delivery:
    """The library signs and we compare: its own `verify` judges the time first, by a clock that cannot be passed in."""
    sender = "webhook" if "webhook-id" in received.headers else "svix"
    message_id = header(received, f"{sender}-id", _ID)
    signed_at = int(header(received, f"{sender}-timestamp", SECONDS))
    given = header(received, f"{sender}-signature").split(" ")
    text = _text(received.body)
    time = datetime.fromtimestamp(signed_at, UTC)
    refuse_unless_signed((signer.sign(message_id, time, text) for signer in _signers(keys)), given)
    refuse_stale(signed_at, now)
    return Delivery(key=message_id, payload=read_json(text))


def _text(body: bytes) -> str:
    try:
        return body.decode()
    except UnicodeDecodeError:
        raise WrongSignature(
            "The body is not UTF-8, which is what Standard Webhooks sign."
        ) from None


def _signers(keys: Sequence[str]) -> list[Webhook]:
    """Of the keys that are some: a slip in a new one must not stop the one before."""
    usable = [signer for key in keys if (signer := _signer(key))]
    if len(usable) < len(keys):
        logger.warning("a key of this source is not base64, with or without whsec_ before it")
    if not usable:
        raise SettingsError("No key of this source is base64, with or without whsec_ before it.")
    return usable


def _signer(key: str) -> Webhook | None:
    """Null unless each character is base64: the library drops those that are not, and would never find a match."""
    text = key.removeprefix("whsec_").rstrip("=")
    try:
        return Webhook(base64.b64decode(text + "=" * (-len(text) % 4), validate=True))
    except (ValueError, EmptyWebhookSecretError):
        return None
