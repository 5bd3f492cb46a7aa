"""Limits: what may be sent to a destination, and how soon again.

A limit is one item under a key that names no destination: an HMAC with a key of its own that does not rotate, so that
limits outlive the rotation of the code keys. Each limit is a `Charge`; all charges of a send go into one transaction, so
that who is refused by one limit burns no other.
"""

import hashlib
import hmac
import math
from collections.abc import Sequence
from functools import cache
from typing import Annotated, Any, NamedTuple

import msgspec
from msgspec import Meta
from pynamodb.attributes import NumberAttribute, UnicodeAttribute
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action

from functions.core import table
from functions.core.errors import LimitExceeded
from functions.core.secret import Secret
from functions.core.settings import read_settings, table_name
from functions.core.verification.destinations import Destination


class LimitSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Settings of limits, each a parameter of template.yaml; read from the environment."""

    limit_key_secret: str
    """ARN of the secret with the key that limit keys are made with."""

    resend_after_seconds: Annotated[int, Meta(ge=1, le=3600)] = 60
    """Between two sends to one destination."""


@cache
def settings() -> LimitSettings:
    """Raises `SettingsError` with a sentence for each wrong variable."""
    return read_settings(LimitSettings)


@cache
def _secret() -> Secret:
    return Secret(settings().limit_key_secret)


class Limit(table.Table):
    """The state of one limit."""

    class Meta:
        """PynamoDB's description of the table."""

        table_name = table_name("LIMITS_TABLE")

    limit_key = UnicodeAttribute(hash_key=True)
    opens_at = NumberAttribute()
    holder = UnicodeAttribute(null=True)
    delete_at = NumberAttribute()


class Charge(NamedTuple):
    """What a send takes from one limit: an update that a condition guards."""

    limit: Limit
    actions: Sequence[Action]
    condition: Condition
    now: float

    def refusal(self, stored: dict[str, Any] | None) -> LimitExceeded:
        """The error for a charge whose condition failed on the item as it is `stored`."""
        opens_at = Limit.from_raw_data(stored).opens_at if stored else self.now + 1
        seconds = max(1, math.ceil(opens_at - self.now))
        return LimitExceeded(f"A code was just sent there; try again in {seconds} s.", retry_after=seconds)


def cooldown(destination: Destination, holder: str, now: float) -> Charge:
    """One send to a destination opens the next after `resend_after_seconds`.

    Args:
        destination: whose canonical form is limited.
        holder: id of the verification that is sent, by which a refund knows that it is its own.
        now: seconds since the epoch.
    """
    opens_at = now + settings().resend_after_seconds
    limit = Limit(limit_key("cooldown", destination))
    actions = [Limit.opens_at.set(opens_at), Limit.holder.set(holder), Limit.delete_at.set(int(opens_at) + 60)]
    return Charge(limit, actions, Limit.opens_at.does_not_exist() | (Limit.opens_at <= now), now)


def refund_cooldown(destination: Destination, holder: str) -> None:
    """Opens the cooldown again after a send that certainly reached nobody, if no later send holds it."""
    Limit.update_if(limit_key("cooldown", destination), [Limit.opens_at.set(0)], Limit.holder == holder)


def limit_key(limit: str, destination: Destination) -> str:
    """`<limit>#<HMAC-SHA-256 of channel and canonical destination, hex>`."""
    subject = f"{destination.channel}\0{destination.canonical}".encode()
    return f"{limit}#{hmac.new(_secret().value().encode(), subject, hashlib.sha256).hexdigest()}"


def prepare() -> None:
    """Reads settings and key, for init."""
    _secret().value()
