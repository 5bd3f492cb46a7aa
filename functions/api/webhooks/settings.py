"""Where what sources sign with is kept, and under which URL they call; read from the environment."""

import msgspec
from botocore.exceptions import ClientError

from functions.api.webhooks.sources import Source, not_there
from functions.core import aws, clock, config, http
from functions.core.aws.secrets import Secret
from functions.core.observability import logger
from functions.core.signing.keys import read_keys

UNSET_SECONDS = 30.0
"""For which it is not asked again whether a secret is set: anybody can call, and each question costs."""

_UNSET = frozenset({"ResourceNotFoundException", "AccessDeniedException"})
"""The second may be IAM's word for a name that there is not, since permissions name ARNs, which end in a suffix."""


@config.settings()
class WebhookSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Settings of webhooks."""

    webhook_secrets: str
    """With what the names of their secrets begin; what the source calls its secret follows."""
    stack_topics: str = ""
    """With what the ARNs of the stack's topics begin; what the source calls its topic follows. Empty where it has none."""


def keys_of(source: Source) -> tuple[str, ...]:
    """What a source signs with: one key or two, or for SNS the ARN of the one topic whose messages are accepted.

    Raises:
        NotFound: nobody has set it up.
        SettingsError: the secret holds no keys.
        Unavailable: it cannot be read.
    """
    if source.topic:
        return (_topic(source.topic),)
    name = config.read(WebhookSettings).webhook_secrets + str(source.secret)
    if _unset_until().get(name, 0.0) > clock.monotonic():
        raise not_there()
    try:
        return read_keys(_secret(name).value())
    except ClientError as error:
        if aws.code_of(error) not in _UNSET:
            raise
        _unset_until()[name] = clock.monotonic() + UNSET_SECONDS
        logger.warning(
            "the secret of this source of webhooks is not set: make webhook-secret",
            reason=aws.code_of(error),
        )
        raise not_there() from None


def _topic(topic: str) -> str:
    if topic.startswith("arn:"):
        return topic
    if not config.read(WebhookSettings).stack_topics:
        raise not_there()
    return config.read(WebhookSettings).stack_topics + topic


def url_of(name: str, source: Source) -> str:
    """The URL that a source calls, as it signs it; empty where `PublicUrl` is not set. Raises `NotFound` where it must be."""
    if public_url := http.public_url():
        return f"{public_url}/webhooks/{name}"
    if source.scheme == "twilio":
        logger.warning("this source of webhooks signs the URL: PublicUrl must be set")
        raise not_there()
    return ""


@config.cached
def _unset_until() -> dict[str, float]:
    """Until when a secret is taken for unset, by its name; on the monotonic clock."""
    return {}


@config.cached
def _secret(name: str) -> Secret:
    return Secret(name)
