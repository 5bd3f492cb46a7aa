"""AWS's errors as this project's own. Nothing outside core/aws sees one of botocore's.

    AwsError                  a 500 with its traceback, where nobody catches it
      AwsNotFound
      AwsAlreadyExists
      AwsDenied
      AwsUnavailable          also `Unavailable`: a 503, and worth another try

clients.py translates the errors of every client it makes, and dynamodb.py those of PynamoDB.
"""

import re
from collections.abc import Mapping
from typing import Any

from botocore.exceptions import (
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    HTTPClientError,
    IncompleteReadError,
)
from botocore.exceptions import (
    ConnectionError as BotocoreConnectionError,
)

from functions.core.errors import Unavailable

_TRANSIENT = frozenset(
    {
        # What AWS's SDKs repeat (SDKs and Tools Reference Guide, "Retry behavior").
        "BandwidthLimitExceeded",
        "EC2ThrottledException",
        "LimitExceededException",
        "PriorRequestNotComplete",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestThrottledException",
        "RequestTimeout",
        "RequestTimeoutException",
        "SlowDown",
        "ThrottledException",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
        "TransactionInProgressException",
        # Faults of AWS, where the HTTP status does not say so.
        "InternalServerError",
        "InternalServerException",
        "InternalServiceError",
        "ServiceUnavailable",
        # DynamoDB: another write of the same item.
        "ReplicatedWriteConflictException",
        "TransactionConflictException",
        # EventBridge Scheduler: another change of the same schedule, and its quota of schedules.
        # Of a new one the first means that the name is taken; scheduler.py sees to that.
        "ConflictException",
        "ServiceQuotaExceededException",
        # Step Functions: too many executions are open.
        "ExecutionLimitExceeded",
        # Lambda: the function is being updated.
        "ResourceConflictException",
        # S3: another write of the same object.
        "OperationAborted",
        # SNS: its throttling, and that of a topic's key.
        "KMSThrottling",
        "Throttled",
    }
)
"""Codes as they arrive, by botocore's service models. A shape may be called otherwise, such as
`ThrottledException` of SNS.
"""

_TOO_MANY_REQUESTS = 429
"""RFC 6585 §4."""


class AwsError(Exception):
    """A request that AWS refused, or whose answer never came."""

    transient = False
    """Whether the same request may succeed later."""

    def __init__(
        self, text: str, *, code: str, message: str, connected: bool, response: Mapping[str, Any]
    ) -> None:
        super().__init__(text)
        self.code = code
        """AWS's, such as `MessageRejected`; the name of botocore's error where AWS sent none."""
        self.message = message
        """AWS's sentence, or botocore's."""
        self.connected = connected
        """False when it is certain that no request reached AWS."""
        self.response = response
        """AWS's answer; empty where there was none."""


class AwsNotFound(AwsError):
    """The resource does not exist."""


class AwsAlreadyExists(AwsError):
    """The resource exists already."""


class AwsDenied(AwsError):
    """IAM does not allow the request. For some requests it says so of names that do not exist."""


class AwsUnavailable(AwsError, Unavailable):
    """Throttling, a fault of AWS, or a network that fails."""

    transient = True


_KINDS: Mapping[str, type[AwsError]] = {
    "404": AwsNotFound,
    "ExecutionDoesNotExist": AwsNotFound,
    "NoSuchKey": AwsNotFound,
    "NotFoundException": AwsNotFound,
    "ResourceNotFoundException": AwsNotFound,
    "StateMachineDoesNotExist": AwsNotFound,
    "ExecutionAlreadyExists": AwsAlreadyExists,
    "PreconditionFailed": AwsAlreadyExists,
    "ResourceExistsException": AwsAlreadyExists,
    "AccessDenied": AwsDenied,
    "AccessDeniedException": AwsDenied,
    "AuthorizationError": AwsDenied,
}
"""Error types by AWS's code. `PreconditionFailed` is S3's answer to `If-None-Match: *` and
to `If-Match` of another object, and 404 its answer to a HEAD request, which has no body to name
another code in.
"""


def translate(error: Exception, service: str) -> AwsError:
    """Makes one of botocore's errors this project's own.

    Args:
        error: botocore's.
        service: name of the service, for people.
    """
    response = error.response if isinstance(error, ClientError) else {}
    code = str(response.get("Error", {}).get("Code", "")) if response else type(error).__name__
    transient = is_transient(error)
    kind = AwsUnavailable if transient else _KINDS.get(code, AwsError)
    return kind(
        f"{service} is not available right now." if transient else str(error),
        code=code,
        message=str(error),
        connected=not isinstance(error, EndpointConnectionError | ConnectTimeoutError),
        response=response,
    )


def is_transient(error: Exception) -> bool:
    """True if one of botocore's errors is throttling, a fault of AWS, or a network that fails."""
    if isinstance(error, ClientError):
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        fault = status == _TOO_MANY_REQUESTS or status >= 500  # noqa: PLR2004 - RFC 9110 §15.6
        return fault or error.response.get("Error", {}).get("Code") in _TRANSIENT
    return isinstance(error, BotocoreConnectionError | HTTPClientError | IncompleteReadError)


_DENIED = ("AccessDenied", "AuthorizationError", "UnauthorizedOperation")
"""Prefixes of AWS's codes of a denied permission."""
_NAMES_A_RESOURCE = re.compile(r"(?i:.*(name|arn|id|url|bucket|identity))|Key")
"""Names of parameters that say what a request is about. Other keys than S3's may be secret."""


def name_what_is_denied(
    error: dict[str, Any], action: str, parameters: Mapping[str, object]
) -> None:
    """Adds action and resource to an error of a denied permission, where AWS leaves them out.

    S3 names neither, an emulator no resource.

    Args:
        error: `Error` of an answer.
        action: IAM's name of it.
        parameters: of the request.
    """
    if not str(error.get("Code", "")).startswith(_DENIED) or "on resource" in error.get(
        "Message", ""
    ):
        return
    about = [
        f"{name}={value}"
        for name, value in parameters.items()
        if isinstance(value, str) and _NAMES_A_RESOURCE.fullmatch(name)
    ]
    error["Message"] = (
        f"{error.get('Message', '')} [{action} on resource: {' '.join(about) or '*'}]"
    )
