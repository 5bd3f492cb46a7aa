"""Stripe: `Stripe-Signature: t=…,v1=…`, an HMAC-SHA-256 over "t.body".

While a key rotates there is one signature per key.

Source: https://docs.stripe.com/webhooks#verify-manually
"""

import re
from collections.abc import Sequence

import msgspec

from functions.api.webhooks.delivery import Received, WebhookDelivery
from functions.api.webhooks.scheme import Signature
from functions.api.webhooks.schemes import hmac

SIGNATURE = Signature(
    header="stripe-signature",
    separator=",",
    prefix="v1=",
    timestamp_prefix="t=",
    signed="{timestamp}.{body}",
)
_EVENT_ID = re.compile(r"evt_[0-9A-Za-z_]{1,200}")


def verify(received: Received, keys: Sequence[str], now: float) -> WebhookDelivery:
    """Verifies a delivery. Stripe signs each repetition anew, so the event's id is the key."""
    delivery = hmac.verify(SIGNATURE, received, keys, now)
    return msgspec.structs.replace(delivery, key=_event_id(delivery.payload) or delivery.key)


def _event_id(payload: object) -> str | None:
    event_id = payload.get("id") if isinstance(payload, dict) else None
    return event_id if isinstance(event_id, str) and _EVENT_ID.fullmatch(event_id) else None
