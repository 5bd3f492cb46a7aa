"""Signs an event (Standard Webhooks) and delivers it."""

from datetime import datetime
from typing import Any

import msgspec

from functions.core.config import SettingsError
from functions.core.errors import DeliveryRefused, NotDelivered
from functions.core.events.endpoints import Endpoint
from functions.core.outbound_http.post import INTERNET, Network, post
from functions.core.signing.keys import standard_key

_USER_AGENT = "backend-workflows"
_TRY_AGAIN_SECONDS = 5
_OK = range(200, 300)
_GONE = 410
"""The receiver refuses further events (Standard Webhooks 1.0.0, "Delivery success and failure")."""


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """An event, sent as JSON."""

    id: str
    type: str
    timestamp: str
    """Time of the event, RFC 3339 UTC."""
    data: dict[str, Any]


def deliver(event: Event, endpoint: Endpoint, now: datetime, network: Network = INTERNET) -> int:
    """Delivers an event; returns the receiver's status.

    Raises:
        DeliveryRefused: another try would fail as well.
        NotDelivered: another try may succeed.
        SettingsError: a key is malformed.
    """
    body = msgspec.json.encode(event)
    answer = post(endpoint.url, body, _headers(event, body, endpoint.keys, now), network)
    if answer.status in _OK:
        return answer.status
    sentence = f"The receiver answered {answer.status}."
    if answer.status == _GONE:
        raise DeliveryRefused(sentence)
    raise NotDelivered(sentence, retry_after=answer.retry_after or _TRY_AGAIN_SECONDS)


def _headers(event: Event, body: bytes, keys: tuple[str, ...], now: datetime) -> dict[str, str]:
    from standardwebhooks import Webhook  # noqa: PLC0415 - only a delivery pays for it

    signatures = [Webhook(_key(each)).sign(event.id, now, body.decode()) for each in keys]
    return {
        "content-type": "application/json",
        "user-agent": _USER_AGENT,
        "webhook-id": event.id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": " ".join(signatures),
    }


def _key(text: str) -> bytes:
    """The key's bytes. The package itself would accept any text as a key."""
    try:
        return standard_key(text)
    except ValueError as error:
        raise SettingsError(f"The secret of the receiver's keys: {error}") from None
