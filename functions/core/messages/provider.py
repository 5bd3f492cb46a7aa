"""What a provider's failure means: refused for good, or not available right now. Counted and logged here, once."""

from collections.abc import Callable, Iterable
from collections.abc import Set as AbstractSet
from typing import NamedTuple

from functions.core import aws
from functions.core.errors import ProviderRefused, ProviderUnavailable
from functions.core.observability import count, logger

ProviderFailure = ProviderRefused | ProviderUnavailable

TIME_TO_LIVE_SECONDS = 600
"""For how long a provider goes on trying: no code is valid for longer (NIST SP 800-63B-4 §3.1.3.2)."""


class Sent(NamedTuple):
    """A message that a provider took."""

    provider: str
    message_id: str


def first_that_takes(tries: Iterable[tuple[str, Callable[[], str]]]) -> Sent:
    """Tries one after the other until one takes the message.

    Args:
        tries: a provider's name, and what sends by it and returns its id of the message.

    Raises:
        ProviderRefused: when a provider definitely refused it; `nothing_sent` is false when one before it may have sent it.
        ProviderUnavailable: when no provider took it; `connected` is false when none can have been reached.
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
    """The error to raise for a failure of an AWS provider, told by AWS's code of it."""
    refused = error.code in refusals
    return failed(provider, error.code, refused=refused, connected=error.connected, text=text)


def failed(
    provider: str, code: str, *, refused: bool = False, connected: bool = True, text: str = ""
) -> ProviderFailure:
    """The error to raise for a provider's failure, which is counted and logged here.

    A failure that is neither a known refusal nor transient is a fault of the set-up, for instance a missing permission:
    for the client the provider is unavailable, the log says why.

    Args:
        provider: whose failure it is.
        code: the provider's word for it.
        refused: whether it definitely sent nothing, because of this message or destination.
        connected: false when it is certain that no request reached the provider.
        text: the provider's sentence, for the log; only where it cannot quote the message.
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
