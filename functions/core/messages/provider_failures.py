"""Failures of providers: refused for good, or unavailable now, so that the next one is tried.

Each is counted and logged here.
"""

from collections.abc import Callable, Iterable
from collections.abc import Set as AbstractSet
from typing import NamedTuple

from functions.core import aws
from functions.core.errors import ProviderRefused, ProviderUnavailable
from functions.core.observability import count, logger

ProviderFailure = ProviderRefused | ProviderUnavailable

TIME_TO_LIVE_SECONDS = 600
"""Time in which a provider may deliver; no code is valid longer (NIST SP 800-63B-4 §3.1.3.2)."""


class Sent(NamedTuple):
    """Message that a provider accepted."""

    provider: str
    message_id: str


def first_that_takes(tries: Iterable[tuple[str, Callable[[], str]]]) -> Sent:
    """Calls providers in order until one accepts the message.

    Args:
        tries: name of a provider, and the function that sends through it and returns a message id.

    Raises:
        ProviderRefused: when a provider definitely refused the message; `nothing_sent` is false
            when an earlier one may have sent it.
        ProviderUnavailable: when no provider accepted it; `connected` is false when certainly no
            request reached any.
    """
    connected = False
    for provider, send in tries:
        try:
            return Sent(provider, send())
        except ProviderRefused as error:
            error.nothing_sent = not connected
            raise
        except ProviderUnavailable as error:
            connected = connected or error.connected
    raise ProviderUnavailable("The message could not be sent right now.", connected=connected)


def failure(
    provider: str,
    error: "aws.AwsError",
    *,
    refusals: AbstractSet[str],
    text: str = "",
) -> ProviderFailure:
    """Error to raise for the failure of an AWS provider, by AWS's error code."""
    refused = error.code in refusals
    return failed(provider, error.code, refused=refused, connected=error.connected, text=text)


def failed(
    provider: str, code: str, *, refused: bool = False, connected: bool = True, text: str = ""
) -> ProviderFailure:
    """Error to raise for a provider's failure, which is counted and logged here.

    A failure that is neither a known refusal nor transient is a fault of the set-up, such as a
    missing permission. Clients are told that the provider is unavailable; the log says why.

    Args:
        provider: name of the provider.
        code: its word for the failure.
        refused: whether it definitely sent nothing, because of this message or destination.
        connected: false when certainly no request reached the provider.
        text: its sentence, for the log; only where it cannot quote the message.
    """
    count("ProviderFailed", provider=provider, kind="refused" if refused else "unavailable")
    about = {
        "provider_code": code,
        "provider_text": text,
        "refused": refused,
        "connected": connected,
    }
    logger.warning("provider failed", extra={"provider": provider} | about)
    if refused:
        return ProviderRefused("The provider refused to send this message.")
    return ProviderUnavailable("The message could not be sent right now.", connected=connected)
