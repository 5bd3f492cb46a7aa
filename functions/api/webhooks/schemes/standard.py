"""Standard Webhooks: an HMAC over "id.timestamp.body" in `webhook-signature`.

The other headers are `webhook-id` and `webhook-timestamp`. Svix, the origin of the standard, and
services that send through it name them `svix-…`.
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
from functions.api.webhooks.delivery import Received, WebhookDelivery
from functions.core.config import SettingsError
from functions.core.errors import WrongSignature
from functions.core.observability import logger

_ID = re.compile(r"[!-\-/-~]{1,255}")
"""No full stop, which separates the id from the time and the body (spec, "Signature scheme")."""


def verify(received: Received, keys: Sequence[str], now: float) -> WebhookDelivery:
    """Verifies a delivery. Compares here, because the library's `verify` takes no clock."""
    sender = "webhook" if "webhook-id" in received.headers else "svix"
    message_id = header(received, f"{sender}-id", _ID)
    signed_at = int(header(received, f"{sender}-timestamp", SECONDS))
    signatures = header(received, f"{sender}-signature").split(" ")
    text = _text(received.body)
    time = datetime.fromtimestamp(signed_at, UTC)
    expected = (signer.sign(message_id, time, text) for signer in _signers(keys))
    refuse_unless_signed(expected, signatures)
    refuse_stale(signed_at, now)
    return WebhookDelivery(key=message_id, payload=read_json(text))


def _text(body: bytes) -> str:
    try:
        return body.decode()
    except UnicodeDecodeError:
        raise WrongSignature("The body must be UTF-8 text for this signature scheme.") from None


def _signers(keys: Sequence[str]) -> list[Webhook]:
    """Signers of the valid keys. A typo in a new key must not disable the previous one."""
    usable = [signer for key in keys if (signer := _signer(key))]
    if len(usable) < len(keys):
        logger.warning("a key of this source is not base64 with an optional prefix whsec_")
    if not usable:
        raise SettingsError("No key of this source is base64 with an optional prefix whsec_.")
    return usable


def _signer(key: str) -> Webhook | None:
    """Signer of a key; None if it is not base64.

    The library drops other characters, and would then never find a match.
    """
    text = key.removeprefix("whsec_").rstrip("=")
    try:
        return Webhook(base64.b64decode(text + "=" * (-len(text) % 4), validate=True))
    except (ValueError, EmptyWebhookSecretError):
        return None
