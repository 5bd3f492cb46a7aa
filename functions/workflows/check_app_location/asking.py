"""Questions to AWS, each asked once and only with time left for its answer, and what they find."""

from collections.abc import Callable
from typing import NamedTuple, TypeVar

from functions.core import aws
from functions.core.deadline import remaining_seconds
from functions.core.errors import TooSlow
from functions.core.observability import logger

ONCE: aws.ClientOptions = {"attempts": 1, "answer_seconds": aws.READ_TIMEOUT_SECONDS}
"""Options of each client: no repetitions, and no more patience here than on AWS, or the checks would not fit into a call."""

_LONGEST_SECONDS = aws.CONNECT_TIMEOUT_SECONDS + aws.READ_TIMEOUT_SECONDS
_MARGIN_SECONDS = 1.0
"""For what is not waiting: the first client of a service loads its model."""

T = TypeVar("T")


class Finding(NamedTuple):
    """What a check found."""

    ok: bool | None
    """Null where something is not used, or could not be asked."""
    detail: str
    """A sentence on what is; where that is wrong, another one on what to do."""


class NoTimeLeft(Exception):
    """The call would run into its deadline."""


def found(check: Callable[[], Finding]) -> Finding:
    """What a check finds. Whatever keeps it from that is its own: the others are made all the same."""
    try:
        return check()
    except TooSlow:
        raise
    except Exception as error:  # noqa: BLE001 - as said
        logger.warning("not checked", check=check.__name__, exc_info=True)
        return Finding(None, f"Could not be checked: {_code(error)}.")


def ask(service: str, question: Callable[[aws.Client], T]) -> T:
    """A service's answer. Raises `AwsError`, `NoTimeLeft`.

    Args:
        service: botocore's name of it.
        question: asks its client.
    """
    require_time_for(1)
    return question(aws.client(service, **ONCE))


def look_up(
    service: str, question: Callable[[aws.Client], T], *, denied_is_absent: bool = False
) -> T | None:
    """As `ask`; null where there is nothing of the name that is asked for.

    `denied_is_absent`: whether IAM may deny a name because there is nothing of that name.
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
    """Raises `NoTimeLeft` when as many requests, each answered at the last moment, could meet the call's deadline."""
    if remaining_seconds() < requests * _LONGEST_SECONDS + _MARGIN_SECONDS:
        raise NoTimeLeft


def _code(error: Exception) -> str:
    """AWS's code, or the name of what went wrong on the way there."""
    return error.code if isinstance(error, aws.AwsError) else type(error).__name__
