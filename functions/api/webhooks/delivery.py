"""Webhook deliveries: as received, and the part that the source has signed."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import msgspec


class Received(NamedTuple):
    """Request as received, before its sender is known."""

    body: bytes
    """Bytes as sent, decoded from API Gateway's base64."""
    headers: Mapping[str, str]
    """Headers, with names in lower case."""
    query: str
    """Query exactly as in the URL; "" if there was none."""
    url: str
    """Public URL of the source without a query. From the settings, since a Host can be forged."""


class WebhookDelivery(msgspec.Struct, frozen=True, kw_only=True):
    """Signed content of a delivery, and nothing else."""

    key: str
    """Identity of the delivery: its id if that is signed, else a hash of the signed content.

    A delivery with a known key is a repetition.
    """
    payload: Any
    """JSON, or the fields of a form."""
    query: dict[str, str] = {}
    """Query, if the URL is signed."""
    starts_run: bool = True
    """False for a scheme's own messages, such as the end of a subscription."""
    confirm_url: str | None = None
    """URL that confirms a new subscription (`scheme.confirm`)."""
