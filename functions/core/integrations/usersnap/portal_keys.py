"""The keys that feedback is signed with on its way to the client portal: one secret of the stack, which makes the first key
itself, so that there always is one. They leave it to sign, and for nothing else.
"""

from functools import cache

import msgspec

from functions.core.aws import secrets
from functions.core.aws.secrets import Secret
from functions.core.config import read_settings
from functions.core.signing.keys import read_keys, with_new


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
    arn = _settings().usersnap_portal_key_secret
    if text := with_new(secrets.read(arn), key):
        secrets.write(arn, text)


@cache
def _settings() -> UsersnapKeySettings:
    return read_settings(UsersnapKeySettings)


@cache
def _secret() -> Secret:
    return Secret(_settings().usersnap_portal_key_secret)
