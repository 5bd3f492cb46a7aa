"""AWS: its clients and its errors as the project's own. Nothing else imports botocore."""

from typing import TYPE_CHECKING

from functions.core.aws.clients import (
    ATTEMPTS,
    CONNECT_TIMEOUT_SECONDS,
    READ_TIMEOUT_SECONDS,
    Client,
    ClientOptions,
    client,
    read_timeout_seconds,
    session,
)

if TYPE_CHECKING:
    from functions.core.aws.errors import (
        AwsAlreadyExists,
        AwsDenied,
        AwsError,
        AwsNotFound,
        AwsUnavailable,
    )

__all__ = [
    "ATTEMPTS",
    "CONNECT_TIMEOUT_SECONDS",
    "READ_TIMEOUT_SECONDS",
    "AwsAlreadyExists",
    "AwsDenied",
    "AwsError",
    "AwsNotFound",
    "AwsUnavailable",
    "Client",
    "ClientOptions",
    "client",
    "read_timeout_seconds",
    "session",
]


def __getattr__(name: str) -> object:
    """The errors, which are imported once one has occurred."""
    if not name.startswith("Aws"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from functions.core.aws import errors  # noqa: PLC0415 - no cold start pays for errors

    return getattr(errors, name)
