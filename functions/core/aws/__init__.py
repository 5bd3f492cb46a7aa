"""AWS: its clients and its errors as the project's own. Nothing else imports botocore."""

from typing import TYPE_CHECKING

from functions.core.aws.timeouts import (
    ATTEMPTS,
    CONNECT_TIMEOUT_SECONDS,
    READ_TIMEOUT_SECONDS,
    ClientOptions,
    read_timeout_seconds,
)

if TYPE_CHECKING:
    from functions.core.aws.clients import Client, client, session
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
    """Clients, which only who makes one pays for, and errors, once one has occurred."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    if name.startswith("Aws"):
        from functions.core.aws import errors  # noqa: PLC0415 - as above

        return getattr(errors, name)
    from functions.core.aws import clients  # noqa: PLC0415 - as above

    return getattr(clients, name)
