"""Limits on sending codes: settings, stored records, and the counters of a send."""

import random
from collections.abc import Iterator
from typing import Annotated

import msgspec
from msgspec import Meta
from pynamodb.attributes import NumberAttribute, NumberSetAttribute, UnicodeAttribute
from pynamodb.expressions.condition import Condition

from functions.core import config
from functions.core.clock import DAY_SECONDS, HOUR_SECONDS
from functions.core.errors import Policy
from functions.core.rate_limits import counters, limits
from functions.core.rate_limits.counters import Counter, Quota, Refusal
from functions.core.verification.destinations import Destination
from functions.core.verification.limits import networks
from functions.core.verification.limits.send_history import SendHistory
from functions.core.verification.limits.sends import Allowance, Sender, SendRules

_HISTORY_NETWORK_SHIFT = 16

_PROFILES = {
    "strict": {
        "resend_after_seconds": 120,
        "sends_per_hour": 3,
        "sends_per_day": 6,
        "ip_sends_per_hour": 20,
        "prefix_sends_per_day": 20,
        "country_sends_per_day": 200,
        "sms_per_day": 200,
        "emails_per_day": 2000,
    },
    "high": {
        "sends_per_day": 20,
        "ip_sends_per_hour": 300,
        "prefix_sends_per_day": 200,
        "country_sends_per_day": 20_000,
        "sms_per_day": 50_000,
        "emails_per_day": 200_000,
    },
}


@config.settings("limits", _PROFILES)
class SendLimitSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Limits of sends. functions/settings.toml describes them."""

    resend_after_seconds: Annotated[int, Meta(ge=1, le=3600)] = 60
    sends_per_hour: Quota = 5
    sends_per_day: Quota = 10
    ip_sends_per_hour: Quota = 60
    prefix_sends_per_day: Quota = 50
    country_sends_per_day: Quota = 1000
    sms_per_day: Quota = 1000
    """SMS, WhatsApp messages and calls of this deployment."""
    emails_per_day: Quota = 10_000

    @property
    def send_rules(self) -> SendRules:
        """Limits on the sends to one destination."""
        return SendRules(self.resend_after_seconds, self.sends_per_hour, self.sends_per_day)


class SendLimitRecord(limits.LimitRecord):
    """Limit of sending codes: a counter, a destination's history, or a paused country."""

    history = UnicodeAttribute(null=True)
    """`SendHistory` of a destination, as JSON."""
    version = NumberAttribute(null=True)
    """Version of the history; each write raises it."""
    valid = NumberAttribute(null=True)
    """Sends that led to a valid check, in a counter of sms_pumping.py."""
    valid_marks = NumberSetAttribute(null=True)
    """Marks of the networks of valid sends, in a counter of strangers' sends (sms_pumping.py)."""
    failed_marks = NumberSetAttribute(null=True)
    """Marks of the networks of sends that led to no valid check."""
    paused_until = NumberAttribute(null=True)
    """End of a country's pause, seconds since the epoch."""
    not_paused_before = NumberAttribute(null=True)
    """Earliest new pause of a country that an operator resumed, seconds since the epoch."""

    def read_history(self) -> SendHistory:
        """Reads the history; an empty one where nothing is stored."""
        return (
            msgspec.json.decode(self.history, type=SendHistory) if self.history else SendHistory()
        )

    def with_history(self, history: SendHistory, now: float) -> "SendLimitRecord":
        """Returns the next version of the record."""
        text = msgspec.json.encode(history).decode()
        return SendLimitRecord(
            self.limit_key,
            history=text,
            version=(self.version or 0) + 1,
            delete_at=history.keep_until(now),
        )

    def unchanged(self) -> Condition:
        """Condition: no write since the record was read."""
        return (
            SendLimitRecord.version == self.version
            if self.version
            else SendLimitRecord.version.does_not_exist()
        )


def destination_key(destination: Destination) -> str:
    """Key of a destination's history.

    It is the same for all spellings and channels that reach one mailbox or phone.
    """
    return limits.key("destination", destination.canonical)


def sender(destination: Destination, allowance: Allowance, client_ip: str | None) -> Sender:
    """Who sends, as the destination's history counts it.

    A stranger's network is 16 bits of an HMAC that also covers the destination. They tell the
    networks of one history apart, and nothing about those of another.
    """
    if allowance == "secret" or client_ip is None:
        return Sender(allowance, destination.channel)
    subject = f"{destination.canonical}\0{networks.origin(client_ip)}"
    network = limits.pseudonym("sender", subject) >> _HISTORY_NETWORK_SHIFT
    return Sender(allowance, destination.channel, network)


def country_key(country: str) -> str:
    """Key of a country's pause."""
    return f"country#{country}"


def counters_of(
    destination: Destination,
    allowance: Allowance,
    client_ip: str | None,
    now: float,
) -> list[Counter]:
    """Counters that a send raises besides its destination's history: at most six."""
    publishable = allowance == "publishable"
    found = [
        counters.daily(name, subject, quota, now, publishable=publishable)
        for name, subject, quota in _ceilings(destination)
    ]
    for network in networks.networks(client_ip) if client_ip else ():
        quota = config.read(SendLimitSettings).ip_sends_per_hour * network.quota
        found.append(counters.hourly(network.limit, limits.key("ip", network.address), quota, now))
    return found


def _ceilings(destination: Destination) -> Iterator[tuple[str, str, int]]:
    """Yields name, subject and quota of each shared ceiling."""
    rules = config.read(SendLimitSettings)
    if destination.channel == "email":
        yield "channel", "email", rules.emails_per_day
    else:
        yield "channel", "phone", rules.sms_per_day
    if destination.prefix:
        yield "prefix", limits.key("prefix", destination.prefix), rules.prefix_sends_per_day
    if destination.country:
        yield "country", destination.country, rules.country_sends_per_day


def client_network(client_ip: str | None) -> int:
    """Pseudonym of a stranger's network; a random one where the network is unknown."""
    if client_ip is None:
        return random.getrandbits(32)
    return limits.pseudonym("network", networks.origin(client_ip))


def resume(country: str, now: float) -> None:
    """Ends a country's pause. For an hour, while older sends still count, no new one begins."""
    until = int(now) + HOUR_SECONDS
    SendLimitRecord(country_key(country), not_paused_before=until, delete_at=until).save()


def pause_refusal(country: str, until: float) -> Refusal:
    """Refusal of a send to a paused country."""
    return Refusal(Policy(f"paused-{country}", 0, DAY_SECONDS), until)
