"""Secrets from Secrets Manager, read once and again every five minutes, so that they can rotate."""

from functions.core import aws, clock
from functions.core.aws import direct
from functions.core.errors import Unavailable
from functions.core.observability import logger

MAX_AGE_SECONDS = 300


def read(arn: str, *, attempts: int = aws.ATTEMPTS) -> str:
    """A secret's text, as it is now."""
    found = direct.request("secretsmanager", "GetSecretValue", {"SecretId": arn}, attempts=attempts)
    return str(found["SecretString"])


def write(arn: str, text: str) -> None:
    """Gives a secret another text."""
    aws.client("secretsmanager").put_secret_value(SecretId=arn, SecretString=text)


class Secret:
    """One secret by its ARN or name.

    While Secrets Manager is unavailable, the value that is known goes on being used. That of a
    secret that was deleted, or may not be read any more, does not.
    """

    def __init__(
        self,
        arn: str,
        *,
        attempts: int = aws.ATTEMPTS,
    ) -> None:
        """`attempts`: 1 where a second one would not fit into the call's time."""
        self._arn = arn
        self._attempts = attempts
        self._value: str | None = None
        self._read_at = 0.0

    def value(self, max_age_seconds: float = MAX_AGE_SECONDS) -> str:
        """The secret's text, read again when it is older than `max_age_seconds`.

        Raises:
            Unavailable: when it was never read and cannot be read now.
        """
        if self._value is None or clock.monotonic() - self._read_at > max_age_seconds:
            known, self._value = self._value, None  # what is raised leaves nothing known
            self._read_at = clock.monotonic()
            self._value = self._fetch(known)
        return self._value

    def _fetch(self, known: str | None) -> str:
        try:
            return read(self._arn, attempts=self._attempts)
        except Unavailable:
            if known is None:
                raise
            logger.warning("secret not refreshed; the known value is used", exc_info=True)
            return known
