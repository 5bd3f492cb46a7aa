"""Keys that sign feedback on its way to the client portal.

One secret of the stack holds them. The stack makes the first key, so there always is one.
"""

import msgspec

from functions.core import config
from functions.core.aws import secrets
from functions.core.aws.secrets import Secret
from functions.core.signing.keys import read_keys, with_new


@config.settings()
class UsersnapKeySettings(msgspec.Struct, frozen=True, kw_only=True):
    """Settings of the keys; read from the environment."""

    usersnap_portal_key_secret: str
    """ARN of the secret."""


def portal_keys() -> tuple[str, ...]:
    """The keys to sign with, the current one first.

    Read each time, because a new portal knows only the new key. While Secrets Manager is
    unavailable, the known keys stay in use.

    Raises:
        Unavailable: when they were never read and cannot be read now.
    """
    return read_keys(_secret().value(max_age_seconds=0))


def put_portal_key(key: str) -> None:
    """Makes a key the current one. The previous one signs beside it until the next change.

    Idempotent.

    Raises:
        Unavailable: when Secrets Manager is.
    """
    arn = config.read(UsersnapKeySettings).usersnap_portal_key_secret
    if text := with_new(secrets.read(arn), key):
        secrets.write(arn, text)


@config.cached
def _secret() -> Secret:
    return Secret(config.read(UsersnapKeySettings).usersnap_portal_key_secret)
