"""Checks and their requests to AWS. Each request is made once, and only if there is time for it."""

from collections.abc import Callable
from typing import Literal, NamedTuple, TypeVar

from functions.core import aws
from functions.core.deadline import remaining_seconds
from functions.core.errors import TooSlow
from functions.core.observability import logger

ONCE: aws.ClientOptions = {"attempts": 1, "answer_seconds": aws.READ_TIMEOUT_SECONDS}
"""Options of each client: no retries, and the same timeouts locally as on AWS.

Otherwise the checks would not fit into a call.
"""

_LONGEST_SECONDS = aws.CONNECT_TIMEOUT_SECONDS + aws.READ_TIMEOUT_SECONDS
_MARGIN_SECONDS = 1.0
"""Time for work besides waiting: the first client of a service loads its model."""

Service = Literal[
    "lambda", "pinpoint-sms-voice-v2", "secretsmanager", "sesv2", "sns", "stepfunctions"
]
"""botocore's names of the services that are asked. The artifact has no others."""

T = TypeVar("T")


class Finding(NamedTuple):
    """Finding of a check."""

    ok: bool | None
    """None if the thing is not used, or could not be checked."""
    detail: str
    """The state in one sentence; if it is wrong, another sentence says what to do."""


class NoTimeLeft(Exception):
    """The call would exceed its deadline."""


def run_check(check: Callable[[], Finding]) -> Finding:
    """Runs a check. If it fails, that is its finding, and the other checks still run."""
    try:
        return check()
    except TooSlow:
        raise
    except Exception as error:  # noqa: BLE001 - one failing check must not stop the others
        logger.warning("not checked", check=check.__name__, exc_info=True)
        return Finding(None, f"Could not be checked: {_code(error)}.")


def ask(service: Service, question: Callable[[aws.Client], T]) -> T:
    """Makes one request to a service. Raises `AwsError`, `NoTimeLeft`.

    Args:
        service: the service.
        question: makes the request with the service's client.
    """
    require_time_for(1)
    return question(aws.client(service, **ONCE))


def look_up(
    service: Service, question: Callable[[aws.Client], T], *, denied_is_absent: bool = False
) -> T | None:
    """Makes one request like `ask`; null for a name that does not exist.

    `denied_is_absent`: whether IAM may deny access to a name because it does not exist.
    """
    try:
        return ask(service, question)
    except aws.AwsNotFound:
        return None
    except aws.AwsDenied:
        if not denied_is_absent:
            raise
        return None


def require_time_for(requests: int) -> None:
    """Raises `NoTimeLeft` if this many slow requests could exceed the call's deadline."""
    if remaining_seconds() < requests * _LONGEST_SECONDS + _MARGIN_SECONDS:
        raise NoTimeLeft


def _code(error: Exception) -> str:
    """AWS's error code, or the name of the exception if AWS gave no answer."""
    return error.code if isinstance(error, aws.AwsError) else type(error).__name__
