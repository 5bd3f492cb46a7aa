"""What a provider's failure means: refused for good, or not available right now."""

from collections.abc import Set as AbstractSet

from botocore.exceptions import BotoCoreError, ClientError

from functions.core import aws
from functions.core.errors import ProviderRefused, ProviderUnavailable
from functions.core.log import count, logger


def failure(provider: str, error: ClientError | BotoCoreError, *, refusals: AbstractSet[str]) -> Exception:
    """The error to raise for a provider's failure, which is counted and logged here.

    A failure that is neither a known refusal nor passing is a fault of the set-up, for instance a missing permission:
    for the client the provider is unavailable, the log says why.
    """
    code = aws.code_of(error) if isinstance(error, ClientError) else type(error).__name__
    refused = code in refusals
    count("ProviderFailed", provider=provider, kind="refused" if refused else "unavailable")
    logger.warning("provider failed", provider=provider, provider_code=code, provider_text=str(error), refused=refused)
    if refused:
        return ProviderRefused("The provider refused to send this message.")
    message = "The message could not be sent right now."
    return ProviderUnavailable(message, connected=not aws.never_connected(error))
