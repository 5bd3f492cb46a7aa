"""The registration token: a secret of the stack that works once.

Anybody who may read it can create the first private token.
"""

import hashlib
import hmac
import math
import secrets
import string
import uuid

import msgspec

from functions.core import aws, clock, config
from functions.core.errors import Unavailable

_ALPHABET = string.ascii_letters + string.digits
_LENGTH = 48
"""285 random bits, as in the first token, which template.yaml makes."""

_FRESH_SECONDS = 2.0
"""Cache time. For as long, a token that another process has renewed may be refused here."""

_MAY_BE_RENEWED = (
    "Secrets Manager gave an unexpected answer, so the registration token may have been renewed. "
    "Read it again, then retry."
)


@config.settings()
class RegistrationSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Place of the token; read from the environment."""

    registration_token_secret: str
    """ARN of the secret."""


class _LastSeen:
    """Token as this process last read or wrote it. It may refuse a token, but never accept one."""

    def __init__(self) -> None:
        self.value = ""
        self._at = -math.inf

    def keep(self, value: str) -> None:
        self.value, self._at = value, clock.monotonic()

    def is_fresh(self) -> bool:
        return clock.monotonic() - self._at < _FRESH_SECONDS


@config.cached
def _last_seen() -> _LastSeen:
    return _LastSeen()


def redeem(token: str) -> bool:
    """Renews the registration token if `token` is the current one. Returns whether it was.

    Of parallel calls with the same token, one returns true. Anybody may guess, and each read of the
    secret costs, so a guess that differs from the value read a moment ago causes no read.

    Raises:
        Unavailable: Secrets Manager is unavailable; the token may have been renewed.
    """
    if _last_seen().is_fresh() and not _equal(token, _last_seen().value):
        return False
    current = _read()
    return _equal(token, current) and _renew(current)


def _equal(token: str, current: str) -> bool:
    return hmac.compare_digest(token.encode(), current.encode())


def _read() -> str:
    """Current token. Never cached: a cached value would accept a token used up meanwhile."""
    secret = config.read(RegistrationSettings).registration_token_secret
    value = str(client().get_secret_value(SecretId=secret)["SecretString"])
    _last_seen().keep(value)
    return value


def _renew(used: str) -> bool:
    """Writes a new token, once per used token. Returns whether this call wrote it.

    The version's id is derived from the used token. An existing version cannot be written with
    another value (Secrets Manager API, PutSecretValue). So a second call is refused, while a retry
    by the SDK is not.
    """
    renewed = "".join(secrets.choice(_ALPHABET) for _ in range(_LENGTH))
    version = {
        "SecretId": config.read(RegistrationSettings).registration_token_secret,
        "ClientRequestToken": _version(used),
    }
    try:
        client().put_secret_value(**version, SecretString=renewed)
    except aws.AwsAlreadyExists:
        return False
    except aws.AwsUnavailable as error:
        raise Unavailable(_MAY_BE_RENEWED) from error
    _last_seen().keep(renewed)
    return True


def _version(used: str) -> str:
    """Version id as a UUID, as Secrets Manager recommends. 128 bits of a hash do not reveal 285."""
    return str(uuid.UUID(bytes=hashlib.sha256(used.encode()).digest()[:16]))


def client() -> aws.Client:
    """Client of Secrets Manager."""
    return aws.client("secretsmanager")
