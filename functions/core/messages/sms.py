"""SMS through the configured providers, each the next one's stand-in."""

from collections.abc import Iterator
from functools import partial
from importlib import import_module
from typing import Protocol, cast

from functions.core import aws, config
from functions.core.messages.provider import Sent, first_that_takes
from functions.core.messages.providers.settings import ProviderSettings, SmsProvider

TRY_SECONDS = aws.CONNECT_TIMEOUT_SECONDS + aws.READ_TIMEOUT_SECONDS
"""What one try may take: no provider's SDK repeats a request."""

LEAST_TRIES = 2
"""A provider that is alone is tried again: a connection that broke is not worth a failed sign-in."""

WORST_CASE_SECONDS = 3 * TRY_SECONDS + TRY_SECONDS
"""All three providers hang, one after the other, and so does Secrets Manager before Twilio: 20 s of a call's 25 s."""


class Provider(Protocol):
    """What each module in providers/ is."""

    def send_sms(self, to: str, text: str, verification_id: str) -> str:
        """Sends one SMS; returns the provider's id of it. What it tells of it later names the verification, if it can."""

    def prepare(self) -> None:
        """Makes the client, for init."""


def send_sms(to: str, text: str, verification_id: str = "") -> Sent:
    """Sends an SMS to an E.164 number through the first provider that takes it; its delivery events name `verification_id`.

    The next provider is tried when one is unavailable. It is also tried when a request got no answer and may have been
    carried out: the person then gets the same code twice, which is better than not at all. It is not tried when one
    refuses: the number or the text would be as wrong there, and going around a block is what blocks are for.

    Raises:
        ProviderRefused: when a provider definitely refused it; `nothing_sent` is false when one before it may have sent it.
        ProviderUnavailable: when no provider took it; `connected` is false when none can have been reached.
    """
    return first_that_takes(
        (name, partial(_send_by, name, to, text, verification_id)) for name in _tries()
    )


def _send_by(name: SmsProvider, to: str, text: str, verification_id: str) -> str:
    return _provider(name).send_sms(to, text, verification_id)


def prepare() -> None:
    """Imports and makes what the configured providers need, and nothing of the others, for init."""
    for name in config.read(ProviderSettings).sms_providers:
        _provider(name).prepare()


def _tries() -> Iterator[SmsProvider]:
    order = config.read(ProviderSettings).sms_providers
    yield from order
    yield from order[:1] * (LEAST_TRIES - len(order))


def _provider(name: SmsProvider) -> Provider:
    """Imported when first used: Twilio's SDK alone takes longer than a whole cold start."""
    return cast("Provider", import_module(f"{__package__}.providers.{name}"))
