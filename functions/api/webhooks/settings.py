"""Signing keys and public URLs of webhook sources."""

import msgspec

from functions.api.webhooks.declared.source import Source
from functions.api.webhooks.sources import no_such_source
from functions.core import aws, clock, config, http
from functions.core.aws.secrets import Secret
from functions.core.observability import logger
from functions.core.signing.keys import read_keys

UNSET_SECONDS = 30.0
"""Cache time for "this secret is not set". Anybody can call, and each lookup costs."""


@config.settings()
class WebhookSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Settings of webhooks."""

    webhook_secrets: str
    """Prefix of the secrets' names; a source's `secret` follows."""
    stack_topics: str = ""
    """Prefix of the stack's topics' ARNs; a source's `topic` follows. Empty without topics."""


def keys_of(source: Source) -> tuple[str, ...]:
    """Keys of a source: one or two signing keys, or for SNS the ARN of the one accepted topic.

    Raises:
        NotFound: the source is not set up.
        SettingsError: the secret holds no keys.
        Unavailable: the secret cannot be read now.
    """
    if source.topic:
        return (_topic(source.topic),)
    name = config.read(WebhookSettings).webhook_secrets + str(source.secret)
    if _unset_until().get(name, 0.0) > clock.monotonic():
        raise no_such_source()
    try:
        return read_keys(_secret(name).value())
    except (aws.AwsNotFound, aws.AwsDenied) as error:
        # Permissions name ARNs, which end in a suffix: IAM may deny a name that there is not.
        _unset_until()[name] = clock.monotonic() + UNSET_SECONDS
        logger.warning(
            "the secret of this webhook source is not set: make webhook-secret",
            reason=error.code,
        )
        raise no_such_source() from None


def _topic(topic: str) -> str:
    if topic.startswith("arn:"):
        return topic
    if not config.read(WebhookSettings).stack_topics:
        raise no_such_source()
    return config.read(WebhookSettings).stack_topics + topic


def url_of(name: str, source: Source) -> str:
    """URL that a source calls and signs; empty if `PublicUrl` is not set.

    Raises `NotFound` if the scheme needs `PublicUrl`.
    """
    if public_url := http.public_url():
        return f"{public_url}/webhooks/{name}"
    if source.signs_url:
        logger.warning("this webhook source signs the URL, so PublicUrl must be set")
        raise no_such_source()
    return ""


@config.cached
def _unset_until() -> dict[str, float]:
    """End of the cache time by name of the secret, on the monotonic clock."""
    return {}


@config.cached
def _secret(name: str) -> Secret:
    return Secret(name)
