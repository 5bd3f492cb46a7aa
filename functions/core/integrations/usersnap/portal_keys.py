"""The keys that feedback is signed with on its way to the client portal: one secret of the stack, which makes the first key
itself, so that there always is one. They leave it to sign, and for nothing else.
"""

import msgspec

from functions.core import aws, config
from functions.core.aws.secrets import Secret
from functions.core.signing.keys import read_keys, with_new

_SERVICE = "secretsmanager"


@config.settings()
class UsersnapKeySettings(msgspec.Struct, frozen=True, kw_only=True):
    """Where the keys are; read from the environment."""

    usersnap_portal_key_secret: str
    """ARN of the secret."""


def portal_keys() -> tuple[str, ...]:
    """The keys to sign with, the current one first. Read each time, because a portal that is new knows only the new one; while
    Secrets Manager is unavailable, those that are known go on being used.

    Raises:
        Unavailable: when they were never read and cannot be read now.
    """
    return read_keys(_secret().value(max_age_seconds=0))


def put_portal_key(key: str) -> None:
    """Makes a key the current one. The one before goes on signing beside it, until the next one comes. The current one again
    changes nothing.

    Raises:
        Unavailable: when Secrets Manager is.
    """
    arn = config.read(UsersnapKeySettings).usersnap_portal_key_secret
    with aws.unavailable_if_transient("Secrets Manager"):
        known = aws.client(_SERVICE).get_secret_value(SecretId=arn)["SecretString"]
        if text := with_new(known, key):
            aws.client(_SERVICE).put_secret_value(SecretId=arn, SecretString=text)


@config.cached
def _secret() -> Secret:
    return Secret(config.read(UsersnapKeySettings).usersnap_portal_key_secret)
