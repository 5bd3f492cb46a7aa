"""Where what sources sign with is kept, and under which URL they call; read from the environment."""

from functools import cache
from typing import Annotated

import msgspec
from botocore.exceptions import ClientError
from msgspec import Meta

from functions.api.webhooks.sources import Source, not_there
from functions.core import aws
from functions.core.errors import Unavailable
from functions.core.log import logger
from functions.core.secret import Secret
from functions.core.settings import SettingsError, read_settings
from functions.core.signing_keys import read_keys


class WebhookSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Settings of webhooks."""

    webhook_secrets: str
    """With what the names of their secrets begin; what the source calls its secret follows."""
    stack_topics: str
    """With what the ARNs of the stack's topics begin; what the source calls its topic follows."""
    public_url: Annotated[str, Meta(pattern=r"^(https://|http://(127\.0\.0\.1|localhost):)[^\s?#]*[^\s?#/]$")] = ""
    """The API's URL, which some schemes sign; never taken from a request."""


@cache
def settings() -> WebhookSettings:
    """Raises `SettingsError` with a sentence for each wrong variable."""
    return read_settings(WebhookSettings)


def keys_of(source: Source) -> tuple[str, ...]:
    """What a source signs with: one key or two, or for SNS the ARN of the one topic whose messages are accepted.

    Raises:
        NotFound: nobody has set it up.
        Unavailable: the secret cannot be read, or does not hold keys.
    """
    if source.topic:
        return (source.topic if source.topic.startswith("arn:") else settings().stack_topics + source.topic,)
    try:
        return read_keys(_secret(settings().webhook_secrets + str(source.secret)).value())
    except ClientError as error:
        if aws.code_of(error) != "ResourceNotFoundException":
            raise
        logger.warning("the secret of this source of webhooks is not set: make webhook-secret")
        raise not_there() from None
    except SettingsError:
        logger.exception("the secret of this source of webhooks holds no keys")
        raise Unavailable("This source cannot be checked right now.") from None


def url_of(name: str, source: Source) -> str:
    """The URL that a source calls, as it signs it; empty where `PublicUrl` is not set. Raises `NotFound` where it must be."""
    if settings().public_url:
        return f"{settings().public_url}/webhooks/{name}"
    if source.scheme == "twilio":
        logger.warning("this source of webhooks signs the URL: PublicUrl must be set")
        raise not_there()
    return ""


@cache
def _secret(name: str) -> Secret:
    return Secret(name)
