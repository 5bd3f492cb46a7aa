"""Limits of sending: their settings, how they are stored, and which apply to a send.

The item of a limit names no destination and no address: its key is an HMAC with a key of its own that does not rotate, so that
limits outlive the rotation of the code keys. Items go by TTL when nothing in them can matter any more.
"""

import hashlib
import hmac
import ipaddress
import math
from functools import cache
from typing import Annotated

import msgspec
from msgspec import Meta
from pynamodb.attributes import NumberAttribute, UnicodeAttribute
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action

from functions.core import table
from functions.core.errors import LimitExceeded, Policy
from functions.core.secret import Secret
from functions.core.settings import read_settings, table_name
from functions.core.verification import counters
from functions.core.verification.counters import Counter
from functions.core.verification.destinations import Destination
from functions.core.verification.history import DAY_SECONDS, History, Refusal, SendRules

Quota = Annotated[int, Meta(ge=1)]


class LimitSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Settings of limits, each a parameter of template.yaml; read from the environment."""

    resend_after_seconds: Annotated[int, Meta(ge=1, le=3600)] = 60
    """Between the first two sends to one destination; doubles with each further one within an hour."""
    sends_per_hour: Quota = 5
    """To one destination, for publishable and for secret tokens each."""
    sends_per_day: Quota = 10
    """As sends_per_hour."""
    ip_sends_per_hour: Quota = 60
    """From one client address, to all destinations; many people may share an address."""
    prefix_sends_per_day: Quota = 50
    """SMS to one block of 10,000 numbers."""
    country_sends_per_day: Quota = 1000
    """SMS to one country."""
    sms_per_day: Quota = 1000
    """SMS of this deployment, WhatsApp messages and calls included."""
    emails_per_day: Quota = 10_000
    """Emails of this deployment."""

    @property
    def send_rules(self) -> SendRules:
        """The rules for one destination."""
        return SendRules(self.resend_after_seconds, self.sends_per_hour, self.sends_per_day)


class LimitKeySettings(msgspec.Struct, frozen=True, kw_only=True):
    """What only who makes limit keys needs; read from the environment."""

    limit_key_secret: str
    """ARN of the secret with the key that limit keys are made with."""


@cache
def settings() -> LimitSettings:
    """Raises `SettingsError` with a sentence for each wrong variable."""
    return read_settings(LimitSettings)


@cache
def _secret() -> Secret:
    return Secret(read_settings(LimitKeySettings).limit_key_secret)


class Limit(table.Table):
    """One limit: the history of a destination, a counter, or a paused country."""

    class Meta:
        """PynamoDB's description of the table."""

        table_name = table_name("LIMITS_TABLE")

    limit_key = UnicodeAttribute(hash_key=True)
    history = UnicodeAttribute(null=True)
    """Of a destination: `History` as JSON."""
    version = NumberAttribute(null=True)
    """Of a history, raised with each write of it."""
    used = NumberAttribute(null=True)
    """Of a counter."""
    valid = NumberAttribute(null=True)
    """Of a counter of conversions: those that led to a valid check."""
    paused_until = NumberAttribute(null=True)
    """Of a country, seconds since the epoch."""
    delete_at = NumberAttribute(null=True)

    def read_history(self) -> History:
        """The history; an empty one where nothing is stored."""
        return msgspec.json.decode(self.history, type=History) if self.history else History()

    def with_history(self, history: History, now: float) -> "Limit":
        """The next version of the item."""
        text = msgspec.json.encode(history).decode()
        return Limit(self.limit_key, history=text, version=(self.version or 0) + 1, delete_at=history.keep_until(now))

    def unchanged(self) -> Condition:
        """That nobody has written the item since it was read."""
        return Limit.version == self.version if self.version else Limit.version.does_not_exist()


def destination_key(destination: Destination) -> str:
    """Key of a destination's history, the same for all spellings and channels that reach one mailbox or phone."""
    return _key("destination", destination.canonical)


def country_key(country: str) -> str:
    """Key under which a country is paused."""
    return f"country#{country}"


def counters_of(destination: Destination, client_ip: str | None, now: float) -> list[Counter]:
    """The counters that a send raises, beside its destination's own history."""
    rules = settings()
    by_email = destination.channel == "email"
    ceiling = rules.emails_per_day if by_email else rules.sms_per_day
    found = [counters.daily("channel", "email" if by_email else "phone", ceiling, now)]
    if destination.prefix:
        found.append(counters.daily("prefix", _key("prefix", destination.prefix), rules.prefix_sends_per_day, now))
    if destination.country:
        found.append(counters.daily("country", destination.country, rules.country_sends_per_day, now))
    if client_ip:
        found.append(counters.hourly("ip", _key("ip", _network(client_ip)), rules.ip_sends_per_hour, now))
    return found


def raised(counter: Counter) -> tuple[list[Action], Condition]:
    """The update that raises a counter, and the condition that it has room."""
    actions: list[Action] = [Limit.used.add(1), Limit.delete_at.set(counter.ends_at + 60)]
    return actions, Limit.used.does_not_exist() | (Limit.used < counter.quota)


def exceeded(refusal: Refusal, now: float) -> LimitExceeded:
    """The error for a refusal."""
    seconds = max(1, math.ceil(refusal.opens_at - now))
    return LimitExceeded(f"Too many codes; try again in {seconds} s.", retry_after=seconds, policy=refusal.policy)


def paused(country: str, until: float) -> Refusal:
    """Why a paused country is refused."""
    return Refusal(Policy(f"paused-{country}", 0, DAY_SECONDS), until)


def is_ip_address(text: str) -> bool:
    """Whether a text is an IPv4 or IPv6 address."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _network(client_ip: str) -> str:
    """An IPv4 address, or the /64 in which whoever has an IPv6 address can choose any other."""
    address = ipaddress.ip_address(client_ip)
    if isinstance(address, ipaddress.IPv6Address):
        return str(address.ipv4_mapped or ipaddress.ip_network((address, 64), strict=False))
    return str(address)


def _key(kind: str, subject: str) -> str:
    """`<kind>#<HMAC-SHA-256, hex>`."""
    digest = hmac.new(_secret().value().encode(), f"{kind}\0{subject}".encode(), hashlib.sha256).hexdigest()
    return f"{kind}#{digest}"


def prepare() -> None:
    """Reads settings and key, for init."""
    settings()
    _secret().value()
