"""The registration token: a secret of the stack that works once. Whoever may read it can make the first private token."""

import hashlib
import hmac
import math
import secrets
import string
import uuid
from typing import Any

import msgspec
from botocore.exceptions import BotoCoreError, ClientError

from functions.core import aws, clock, config
from functions.core.errors import Unavailable

_ALPHABET = string.ascii_letters + string.digits
_LENGTH = 48
"""285 random bits, as template.yaml makes the first one."""

_FRESH_SECONDS = 2.0
"""For which a token that another process has renewed may be refused here."""

_MAY_BE_RENEWED = "Secrets Manager did not answer as it should. The registration token may be another one now: read it again."


@config.settings()
class RegistrationSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Where the token is; read from the environment."""

    registration_token_secret: str
    """ARN of the secret."""


class _Last:
    """What the token was when this process last read or wrote it: enough to refuse by, never to accept by."""

    def __init__(self) -> None:
        self.value = ""
        self._at = -math.inf

    def keep(self, value: str) -> None:
        self.value, self._at = value, clock.monotonic()

    def is_fresh(self) -> bool:
        return clock.monotonic() - self._at < _FRESH_SECONDS


@config.cached
def _last() -> _Last:
    return _Last()


def use_up(given: str) -> bool:
    """Whether it was the registration token. It is renewed then: of any number of parallel calls one is told true.

    Anybody may guess, and each look at the secret costs: a guess that is not what was read a moment ago causes none.

    Raises:
        Unavailable: when Secrets Manager is; the token may be renewed all the same.
    """
    if _last().is_fresh() and not _equal(given, _last().value):
        return False
    current = _read()
    return _equal(given, current) and _renew(current)


def _equal(given: str, current: str) -> bool:
    return hmac.compare_digest(given.encode(), current.encode())


def _read() -> str:
    """Fresh: a value that is kept would accept a token that was used up meanwhile."""
    with aws.unavailable_if_transient("Secrets Manager"):
        value = str(
            client().get_secret_value(
                SecretId=config.read(RegistrationSettings).registration_token_secret
            )["SecretString"]
        )
    _last().keep(value)
    return value


def _renew(used: str) -> bool:
    """Writes the version whose id follows from the token that is used up. A version that is there cannot be written with
    another value (Secrets Manager API, PutSecretValue): who comes second is refused, and the SDK's own repetition is not.
    """
    renewed = "".join(secrets.choice(_ALPHABET) for _ in range(_LENGTH))
    about = {
        "SecretId": config.read(RegistrationSettings).registration_token_secret,
        "ClientRequestToken": _version(used),
    }
    try:
        client().put_secret_value(**about, SecretString=renewed)
    except (ClientError, BotoCoreError) as error:
        if isinstance(error, ClientError) and aws.code_of(error) == "ResourceExistsException":
            return False
        if aws.is_transient(error):
            raise Unavailable(_MAY_BE_RENEWED) from error
        raise
    _last().keep(renewed)
    return True


def _version(used: str) -> str:
    """In the form of a UUID, as Secrets Manager recommends; 128 bits of a hash tell nothing of a token of 285."""
    return str(uuid.UUID(bytes=hashlib.sha256(used.encode()).digest()[:16]))


def client() -> Any:  # noqa: ANN401 - botocore's clients are made at run time
    """Of Secrets Manager."""
    return aws.client("secretsmanager")
