"""Emails from templates to one or several people: one message each, within the limits."""

from collections import Counter as Counting
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import NamedTuple, Protocol

import msgspec

from functions.core import clock, config
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
from functions.core.messages.settings import MessageSettings
from functions.core.parameters import NotValid
from functions.core.rate_limits import counters, limits
from functions.core.rate_limits.counters import Counter, Quota

MOST_RECIPIENTS = 50
"""Most recipients of one call; SES's own limit (SES API v2, SendEmail)."""

RESERVED_TAGS = frozenset({"verification_id"})
"""Tags of SES that only verify_send sets. Reports of delivery name the verification by it."""

_SECONDS_PER_MESSAGE = 11
"""Time that must be left to start a message, so that its outcome is always known.

Two tries of 5 s (core/aws/timeouts.py) and some reserve.
"""


_PROFILES = {
    "strict": {"template_emails_per_day": 2000, "recipient_emails_per_day": 10},
    "high": {"template_emails_per_day": 200_000, "recipient_emails_per_day": 50},
}


@config.settings("limits", _PROFILES)
class MailingSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Limits of mailings. functions/settings.toml describes them."""

    template_emails_per_day: Quota = 10_000
    recipient_emails_per_day: Quota = 20


class RecordedSteps(Protocol):
    """Steps of a call that are done once, as `definition.call.Call` has them."""

    @property
    def recorded(self) -> bool:
        """See `Call.recorded`."""

    def step(self, name: str, do: Callable[[], str]) -> str:
        """See `Call.step`."""

    def is_done(self, name: str) -> bool:
        """See `Call.is_done`."""


class EmailDelivery(NamedTuple):
    """Outcome of one recipient's message: a message id or an error, the other is null."""

    to: EmailAddress
    message_id: str | None
    error: WorkflowError | None


def read_recipients(to: str | Sequence[str], at: str = "/to") -> list[EmailAddress]:
    """Reads one address or several. Raises `InvalidParameters` with a pointer to the wrong one."""
    if isinstance(to, str):
        return [_address(to, at)]
    found = [_address(text, f"{at}/{index}") for index, text in enumerate(to)]
    first: dict[str, int] = {}
    for index, address in enumerate(found):
        if first.setdefault(address.lower(), index) != index:
            raise InvalidParameters(
                FieldError(
                    f"{at}/{index}",
                    f"is the same address as {at}/{first[address.lower()]}; leave one of them out",
                )
            )
    if not 1 <= len(found) <= MOST_RECIPIENTS:
        raise InvalidParameters(
            FieldError(at, f"must be 1 to {MOST_RECIPIENTS} addresses; start a run for more")
        )
    return found


def refuse_reserved_tags(tags: Mapping[str, str], at: str = "/tags") -> None:
    """Raises `InvalidParameters` for a tag by which a report would be that of a code's email."""
    for name in sorted(RESERVED_TAGS & tags.keys()):
        raise InvalidParameters(
            FieldError(f"{at}/{name}", "is the tag of emails with a code; use another name")
        )


def read_reply_to(text: str | None, at: str = "/reply_to") -> EmailAddress | None:
    """Reads an address for replies.

    Raises `InvalidParameters` unless its domain is in `reply_to_domains`.
    """
    if text is None:
        return None
    address = _address(text, at)
    if address.domain not in config.read(MessageSettings).reply_to_domains:
        raise InvalidParameters(
            FieldError(at, "must be at one of this deployment's reply_to_domains")
        )
    return address


def send_to_each(
    message: Email,
    recipients: Sequence[EmailAddress],
    *,
    reply_to: EmailAddress | None,
    tags: Mapping[str, str],
    call: RecordedSteps,
) -> list[EmailDelivery]:
    """Charges the limits for all recipients or for none, then sends to each.

    If nobody's message was sent, the failure is raised. If some were, each recipient's failure is
    returned instead, because a repeated call would send to the others again. A run records who was
    sent to: there a retryable failure is raised, and the retry sends to the rest only.

    A message that certainly reached nobody is refunded to the mailbox, not to the deployment's
    ceiling.

    Raises:
        InvalidParameters: when one unsubscribe link would serve several people.
        LimitExceeded: before anything is sent.
        ProviderRefused, ProviderUnavailable: as above.
    """
    if message.unsubscribe_url and len(recipients) > 1:
        sentence = "belongs to one reader; send each recipient an email of their own"
        raise InvalidParameters(FieldError("/data/unsubscribe_url", sentence))
    steps = {address: f"email to {index}" for index, address in enumerate(recipients)}
    own = _charge(
        [address for address in recipients if not call.is_done(steps[address])], clock.now()
    )
    send = partial(
        email.send_email,
        email=message,
        reply_to=reply_to.deliver_to if reply_to else None,
        tags=tags,
        configuration_set=config.read(MessageSettings).email_configuration_set,
    )
    deliveries = [
        _send_to_one(
            address,
            partial(call.step, step, partial(send, address.deliver_to)),
            own.get(address.canonical),
        )
        for address, step in steps.items()
    ]
    failed = [delivery.error for delivery in deliveries if delivery.error]
    retryable = [error for error in failed if isinstance(error, Unavailable)]
    if len(failed) == len(deliveries) or (call.recorded and retryable):
        raise (retryable or failed)[0]
    return deliveries


def _send_to_one(
    address: EmailAddress, send: Callable[[], str], counter: Counter | None
) -> EmailDelivery:
    """Sends one message; `counter` is null where an earlier try has sent it already."""
    if counter and remaining_seconds() < _SECONDS_PER_MESSAGE:
        limits.refund(counter)
        return EmailDelivery(
            address, None, TooSlow("There was no time left to send this message. Send it again.")
        )
    try:
        return EmailDelivery(address, send(), None)
    except (ProviderRefused, ProviderUnavailable) as error:
        if counter and error.nothing_sent:
            limits.refund(counter)
        return EmailDelivery(address, None, error)


def _charge(recipients: Sequence[EmailAddress], now: float) -> dict[str, Counter]:
    """Charges all recipients; returns a counter for one message, by canonical address."""
    if not recipients:
        return {}
    rules = config.read(MailingSettings)
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
