"""SMS through the configured providers, tried in order."""

from collections.abc import Iterator
from functools import partial
from importlib import import_module
from typing import Protocol, cast

from functions.core import aws, config
from functions.core.messages.provider_failures import Sent, first_that_takes
from functions.core.messages.providers.settings import ProviderSettings, SmsProvider

TRY_SECONDS = aws.CONNECT_TIMEOUT_SECONDS + aws.READ_TIMEOUT_SECONDS
"""Longest time of one try; no provider's SDK repeats a request."""

LEAST_TRIES = 2
"""Least number of tries: a broken connection to a single provider must not fail a sign-in."""

WORST_CASE_SECONDS = 3 * TRY_SECONDS + TRY_SECONDS
"""Time when all three providers hang in turn, and Secrets Manager before Twilio.

20 s of a call's 25 s.
"""


class Provider(Protocol):
    """Interface of the modules in providers/."""

    def send_sms(self, to: str, text: str, verification_id: str) -> str:
        """Sends one SMS; returns the provider's message id.

        The provider's delivery events name the verification where that is possible.
        """

    def prepare(self) -> None:
        """Makes the client at init."""


def send_sms(to: str, text: str, verification_id: str = "") -> Sent:
    """Sends an SMS to an E.164 number through the first provider that accepts it.

    The next provider is tried when one is unavailable, also when a request got no answer and may
    have been carried out: the same code twice is better than none. It is not tried when one
    refuses: the number or the text is as wrong there, and a block must not be circumvented.

    Delivery events name `verification_id`.

    Raises:
        ProviderRefused: when a provider definitely refused it; `nothing_sent` is false when an
            earlier one may have sent it.
        ProviderUnavailable: when no provider accepted it; `connected` is false when certainly no
            request reached any.
    """
    return first_that_takes(
        (name, partial(_send_by, name, to, text, verification_id)) for name in _tries()
    )


def _send_by(name: SmsProvider, to: str, text: str, verification_id: str) -> str:
    return _provider(name).send_sms(to, text, verification_id)


def prepare() -> None:
    """Makes the clients of the configured providers at init; the others are not imported."""
    for name in config.read(ProviderSettings).sms_providers:
        _provider(name).prepare()


def _tries() -> Iterator[SmsProvider]:
    order = config.read(ProviderSettings).sms_providers
    yield from order
    yield from order[:1] * (LEAST_TRIES - len(order))


def _provider(name: SmsProvider) -> Provider:
    """Imports a provider on first use: Twilio's SDK alone takes longer than a whole cold start."""
    return cast("Provider", import_module(f"{__package__}.providers.{name}"))
