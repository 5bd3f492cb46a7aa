"""What arrives at a webhook, and what of it its source has signed."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import msgspec


class Received(NamedTuple):
    """What arrived: nobody is known to have sent it yet."""

    body: bytes
    """As it came over the wire, no longer in base64."""
    headers: Mapping[str, str]
    """By names in lower case."""
    query: str
    """The query as it stood in the URL; "" when there was none."""
    url: str
    """The public URL of the source without a query, from the settings: a Host header is anybody's word."""


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """What a source has signed, and nothing else."""

    key: str
    """What makes it this delivery: its id, where that is signed, else a hash of what is signed. The same again is the same
    delivery."""
    payload: Any
    """JSON, or the fields of a form."""
    query: dict[str, str] = {}
    """Where the URL is signed."""
    starts_run: bool = True
    """False of what a scheme says about itself, such as that a subscription ended."""
    confirm_url: str | None = None
    """Where a subscription waits for its confirmation (`scheme.confirm`)."""
