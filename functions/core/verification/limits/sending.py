"""Limits of sending codes: their settings, what is stored of a destination, and which limits apply to a send."""

import random
from collections.abc import Iterator
from functools import cache
from typing import Annotated

import msgspec
from msgspec import Meta
from pynamodb.attributes import NumberAttribute, NumberSetAttribute, UnicodeAttribute
from pynamodb.expressions.condition import Condition

from functions.core.clock import DAY_SECONDS, HOUR_SECONDS
from functions.core.config import read_settings
from functions.core.errors import Policy
from functions.core.rate_limits import counters, limits
from functions.core.rate_limits.counters import Counter, Quota, Refusal
from functions.core.verification.destinations import Destination
from functions.core.verification.limits import networks
from functions.core.verification.limits.send_history import Allowance, SendHistory, SendRules


class SendLimitSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Settings of limits, each a parameter of template.yaml; read from the environment."""

    resend_after_seconds: Annotated[int, Meta(ge=1, le=3600)] = 60
    """Between the first two sends to one destination; doubles with each further one within an hour."""
    sends_per_hour: Quota = 5
    """To one destination, for publishable and for secret tokens each."""
    sends_per_day: Quota = 10
    """As sends_per_hour."""
    ip_sends_per_hour: Quota = 60
    """From one client address, to all destinations; many people may share an address. For IPv6 from one
    /64, and more from the networks around it (networks.py)."""
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


@cache
def settings() -> SendLimitSettings:
    """Raises `SettingsError` with a sentence for each wrong variable."""
    return read_settings(SendLimitSettings)


class SendLimitRecord(limits.LimitRecord):
    """A limit as verifications use it: a counter, the history of a destination, or a paused country."""

    history = UnicodeAttribute(null=True)
    """Of a destination: `SendHistory` as JSON."""
    version = NumberAttribute(null=True)
    """Of a history, raised with each write of it."""
    valid = NumberAttribute(null=True)
    """Of a counter of conversions: those that led to a valid check."""
    valid_marks = NumberSetAttribute(null=True)
    """Of a counter of strangers' conversions: where those came from (conversions.py)."""
    failed_marks = NumberSetAttribute(null=True)
    """As valid_marks, of those that did not."""
    paused_until = NumberAttribute(null=True)
    """Of a country, seconds since the epoch."""
    not_paused_before = NumberAttribute(null=True)
    """Of a country that an operator resumed, seconds since the epoch."""

    def read_history(self) -> SendHistory:
        """The history; an empty one where nothing is stored."""
        return (
            msgspec.json.decode(self.history, type=SendHistory) if self.history else SendHistory()
        )

    def with_history(self, history: SendHistory, now: float) -> "SendLimitRecord":
        """The next version of the item."""
        text = msgspec.json.encode(history).decode()
        return SendLimitRecord(
            self.limit_key,
            history=text,
            version=(self.version or 0) + 1,
            delete_at=history.keep_until(now),
        )

    def unchanged(self) -> Condition:
        """That nobody has written the item since it was read."""
        return (
            SendLimitRecord.version == self.version
            if self.version
            else SendLimitRecord.version.does_not_exist()
        )


def destination_key(destination: Destination) -> str:
    """Key of a destination's history, the same for all spellings and channels that reach one mailbox or phone."""
    return limits.key("destination", destination.canonical)


def country_key(country: str) -> str:
    """Key under which a country is paused."""
    return f"country#{country}"


def counters_of(
    destination: Destination,
    allowance: Allowance,
    client_ip: str | None,
    now: float,
) -> list[Counter]:
    """The counters that a send raises, beside its destination's own history: at most six."""
    publishable = allowance == "publishable"
    found = [
        counters.daily(name, subject, quota, now, publishable=publishable)
        for name, subject, quota in _ceilings(destination)
    ]
    for network in networks.networks(client_ip) if client_ip else ():
        quota = settings().ip_sends_per_hour * network.quota
        found.append(counters.hourly(network.limit, limits.key("ip", network.address), quota, now))
    return found


def _ceilings(destination: Destination) -> Iterator[tuple[str, str, int]]:
    """Name, subject and quota of each ceiling that everybody shares."""
    rules = settings()
    if destination.channel == "email":
        yield "channel", "email", rules.emails_per_day
    else:
        yield "channel", "phone", rules.sms_per_day
    if destination.prefix:
        yield "prefix", limits.key("prefix", destination.prefix), rules.prefix_sends_per_day
    if destination.country:
        yield "country", destination.country, rules.country_sends_per_day


def client_network(client_ip: str | None) -> int:
    """A pseudonym of a stranger's network; one of its own where the network is unknown."""
    if client_ip is None:
        return random.getrandbits(32)
    return limits.pseudonym("network", networks.origin(client_ip))


def resume(country: str, now: float) -> None:
    """Ends a country's pause, and lets none begin while what came before counts, for an hour."""
    until = int(now) + HOUR_SECONDS
    SendLimitRecord(country_key(country), not_paused_before=until, delete_at=until).save()


def pause_refusal(country: str, until: float) -> Refusal:
    """Why a paused country is refused."""
    return Refusal(Policy(f"paused-{country}", 0, DAY_SECONDS), until)


def prepare() -> None:
    """Reads settings and key, for init."""
    settings()
    limits.prepare()
