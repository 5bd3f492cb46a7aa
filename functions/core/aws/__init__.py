"""AWS: its clients and its errors as the project's own. Nothing else imports botocore."""

from functions.core.aws.clients import (
    ATTEMPTS,
    CONNECT_TIMEOUT_SECONDS,
    READ_TIMEOUT_SECONDS,
    client,
    code_of,
    is_transient,
    never_connected,
    read_timeout_seconds,
    session,
    unavailable_if_transient,
)

__all__ = [
    "ATTEMPTS",
    "CONNECT_TIMEOUT_SECONDS",
    "READ_TIMEOUT_SECONDS",
    "client",
    "code_of",
    "is_transient",
    "never_connected",
    "read_timeout_seconds",
    "session",
    "unavailable_if_transient",
]
