"""Emails from templates to one or several people, each as a message of its own, within the limits on them."""

import time
from collections import Counter as Counting
from collections.abc import Callable, Mapping, Sequence
from functools import cache, partial
from typing import Annotated, NamedTuple, Protocol

import msgspec
from msgspec import Meta

from functions.core.config import read_settings
from functions.core.deadline import remaining_seconds
from functions.core.email_address import EmailAddress
from functions.core.errors import (
    FieldError,
    InvalidParameters,
    ProviderRefused,
    ProviderUnavailable,
    TooSlow,
    Unavailable,
    WorkflowError,
)
from functions.core.messages import email
from functions.core.messages.email import Email
from functions.core.messages.settings import settings as message_settings
from functions.core.parameters import NotValid
from functions.core.rate_limits import counters, limits
from functions.core.rate_limits.counters import Counter

MOST_RECIPIENTS = 50
"""SES's limit of recipients in a call (SES API v2, SendEmail), kept though each gets a message of his own."""

_SECONDS_FOR_ONE = 11
"""Two tries of 5 s, see core/aws/clients.py, and some: with less time left, a message is not begun, so that none is left in doubt."""

Quota = Annotated[int, Meta(ge=1)]


class MailingSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Settings of mailings, each a parameter of template.yaml; read from the environment."""

    template_emails_per_day: Quota = 10_000
    """Emails from templates that this deployment sends; codes have a ceiling of their own."""
    recipient_emails_per_day: Quota = 20
    """Of these to one mailbox."""


@cache
def settings() -> MailingSettings:
    """Raises `SettingsError` with a sentence for each wrong variable."""
    return read_settings(MailingSettings)


class Steps(Protocol):
    """Steps of a call that are done once (`definition.call.Call`)."""

    @property
    def recorded(self) -> bool:
        """As `Call.recorded`."""

    def once(self, step: str, do: Callable[[], str]) -> str:
        """As `Call.once`."""

    def recall(self, step: str) -> str | None:
        """As `Call.recall`."""


class EmailDelivery(NamedTuple):
    """What became of one recipient's message; one of the last two is null."""

    to: EmailAddress
    message_id: str | None
    error: WorkflowError | None


def read_recipients(to: str | Sequence[str], at: str = "/to") -> list[EmailAddress]:
    """One address or several as addresses. Raises `InvalidParameters` with a pointer to the one that is wrong."""
    if isinstance(to, str):
        return [_address(to, at)]
    found = [_address(text, f"{at}/{index}") for index, text in enumerate(to)]
    first: dict[str, int] = {}
    for index, address in enumerate(found):
        if first.setdefault(address.lower(), index) != index:
            raise InvalidParameters(
                FieldError(f"{at}/{index}", f"is the same address as {at}/{first[address.lower()]}")
            )
    if not 1 <= len(found) <= MOST_RECIPIENTS:
        raise InvalidParameters(
            FieldError(at, f"must be 1 to {MOST_RECIPIENTS} addresses; a run takes any number")
        )
    return found


def read_reply_to(text: str | None, at: str = "/reply_to") -> EmailAddress | None:
    """An address for answers. Raises `InvalidParameters` unless it is of a domain of the setting `ReplyToDomains`."""
    if text is None:
        return None
    address = _address(text, at)
    if address.domain not in message_settings().reply_to_domains:
        raise InvalidParameters(FieldError(at, "is of a domain that is not one of ReplyToDomains"))
    return address


def deliver(
    message: Email,
    recipients: Sequence[EmailAddress],
    *,
    reply_to: EmailAddress | None,
    tags: Mapping[str, str],
    call: Steps,
) -> list[EmailDelivery]:
    """Charges the limits for all recipients, or for none, then sends to each.

    With one recipient, or when nobody's message was taken, a failure is raised. Otherwise each recipient's is told, because a
    repetition of the call would send to the others again. Not so in a run: there it is recorded who was sent to, and a failure
    that is transient is raised, so that the item is tried again for the others. What certainly reached nobody is
    not charged to the mailbox (the deployment's ceiling is not refunded).

    Raises:
        InvalidParameters: when one unsubscribe link would serve several people.
        LimitExceeded: before anything is sent.
        ProviderRefused, ProviderUnavailable: as above.
    """
    if message.unsubscribe_url and len(recipients) > 1:
        sentence = "is one person's own, so the email can go to one recipient only"
        raise InvalidParameters(FieldError("/data/unsubscribe_url", sentence))
    steps = {address: f"email to {index}" for index, address in enumerate(recipients)}
    own = _charge(
        [address for address in recipients if call.recall(steps[address]) is None], time.time()
    )
    send = partial(
        email.send_email,
        email=message,
        reply_to=reply_to.deliver_to if reply_to else None,
        tags=tags,
        configuration_set=message_settings().email_configuration_set,
    )
    deliveries = [
        _deliver(
            address,
            partial(call.once, step, partial(send, address.deliver_to)),
            own.get(address.canonical),
        )
        for address, step in steps.items()
    ]
    failed = [delivery.error for delivery in deliveries if delivery.error]
    transient = [error for error in failed if isinstance(error, Unavailable)]
    if len(failed) == len(deliveries) or (call.recorded and transient):
        raise (transient or failed)[0]
    return deliveries


def _deliver(
    address: EmailAddress, send: Callable[[], str], counter: Counter | None
) -> EmailDelivery:
    """`counter` is null where an earlier try has sent the message already."""
    if counter and remaining_seconds() < _SECONDS_FOR_ONE:
        limits.refund(counter)
        return EmailDelivery(
            address, None, TooSlow("The call took too long to begin with this message.")
        )
    try:
        return EmailDelivery(address, send(), None)
    except (ProviderRefused, ProviderUnavailable) as error:
        if counter and error.nothing_sent:
            limits.refund(counter)
        return EmailDelivery(address, None, error)


def _charge(recipients: Sequence[EmailAddress], now: float) -> dict[str, Counter]:
    """The counters of the mailboxes, by canonical address, each for one message."""
    if not recipients:
        return {}
    rules = settings()
    messages = Counting(address.canonical for address in recipients)
    pointers = {
        address.canonical: f"/to/{index}"
        for index, address in reversed(list(enumerate(recipients)))
    }
    keys = {canonical: limits.key("recipient", canonical) for canonical in messages}

    def counters_of() -> list[Counter]:
        ceiling = counters.daily("template-emails", "email", rules.template_emails_per_day, now)
        own = [
            counters.daily(
                "recipient", keys[canonical], rules.recipient_emails_per_day, now
            )._replace(amount=amount, pointer=pointers[canonical])
            for canonical, amount in messages.items()
        ]
        return [ceiling._replace(amount=len(recipients)), *own]

    _, *own = limits.charge(counters_of, now)
    return {
        canonical: counter._replace(amount=1)
        for canonical, counter in zip(messages, own, strict=True)
    }


def _address(text: str, at: str) -> EmailAddress:
    try:
        return EmailAddress.read(text)
    except NotValid as error:
        raise InvalidParameters(FieldError(at, str(error))) from None


def prepare() -> None:
    """Reads settings and key and makes the client, for init."""
    settings()
    limits.prepare()
    email.prepare()
