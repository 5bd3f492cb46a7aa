"""Stripe: `Stripe-Signature: t=…,v1=…`, an HMAC-SHA-256 over "t.body".

While a key rotates there is one signature per key.

Source: https://docs.stripe.com/webhooks#verify-manually
"""

import re
from collections.abc import Sequence

from functions.api.webhooks.checks import (
    SECONDS,
    header,
    hmac_sha256,
    read_json,
    refuse_stale,
    refuse_unless_signed,
    sha256,
)
from functions.api.webhooks.delivery import Received, WebhookDelivery
from functions.core.errors import WrongSignature

_EVENT_ID = re.compile(r"evt_[0-9A-Za-z_]{1,200}")


def verify(received: Received, keys: Sequence[str], now: float) -> WebhookDelivery:
    """Verifies a delivery. Stripe signs each repetition anew, so the event's id is the key."""
    parts = [part.partition("=") for part in header(received, "stripe-signature").split(",")]
    signed_at = _one_time([value for name, _, value in parts if name == "t"])
    message = f"{signed_at}.".encode() + received.body
    signatures = (value for name, _, value in parts if name == "v1")
    refuse_unless_signed((hmac_sha256(key, message) for key in keys), signatures)
    refuse_stale(int(signed_at), now)
    payload = read_json(received.body)
    return WebhookDelivery(key=_event_id(payload) or sha256(received.body), payload=payload)


def _one_time(times: list[str]) -> str:
    if len(times) != 1 or not SECONDS.fullmatch(times[0]):
        raise WrongSignature("The header stripe-signature must have exactly one timestamp t=….")
    return times[0]


def _event_id(payload: object) -> str | None:
    event_id = payload.get("id") if isinstance(payload, dict) else None
    return event_id if isinstance(event_id, str) and _EVENT_ID.fullmatch(event_id) else None
