"""AWS clients: the only module that makes them. Made once per process, from one session, with timeouts that fit a call.

botocore's session rather than boto3's: boto3 wraps it and adds about 120 ms of import to a cold start (decision 9).
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import botocore.session
import msgspec
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    HTTPClientError,
    IncompleteReadError,
)
from botocore.exceptions import (
    ConnectionError as BotocoreConnectionError,
)

from functions.core import config
from functions.core.errors import Unavailable

CONNECT_TIMEOUT_SECONDS = 1
READ_TIMEOUT_SECONDS = 4
ATTEMPTS = 2
"""Two attempts of at most 5 s: the three or four calls of a workflow stay below its 25 s deadline."""

_CONFIG: dict[str, dict[str, Any]] = {
    "s3": {"signature_version": "s3v4", "s3": {"addressing_style": "virtual"}}
}
"""So that a presigned URL names the bucket's region: the global name of a new bucket redirects for hours."""

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


@config.settings()
class ClientSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Settings of clients; read from the environment."""

    read_timeout_seconds: float | None = None
    """Instead of READ_TIMEOUT_SECONDS, for an emulator that is slower than AWS; no parameter of template.yaml."""


def read_timeout_seconds() -> float:
    """How long a request may wait for its answer."""
    return config.read(ClientSettings).read_timeout_seconds or READ_TIMEOUT_SECONDS


@config.cached(lasting=True)
def session() -> botocore.session.Session:
    """The process's one botocore session: a second one would load the same models and credentials again."""
    made = botocore.session.get_session()
    made.register("provide-client-params", _keep_parameters)
    made.register("after-call", _name_what_is_denied)
    return made


@config.cached(lasting=True)
def client(service: str, *, attempts: int = ATTEMPTS, answer_seconds: float | None = None) -> Any:  # noqa: ANN401 - made at run time
    """A client of an AWS service.

    Args:
        service: botocore's name of it.
        attempts: 1 where a repetition could do a thing twice.
        answer_seconds: how long to wait for an answer, where that is longer than usual.
    """
    retries = {"total_max_attempts": attempts, "mode": "standard"}
    options = Config(
        connect_timeout=CONNECT_TIMEOUT_SECONDS,
        read_timeout=answer_seconds or read_timeout_seconds(),
        retries=retries,
        parameter_validation=False,
        **_CONFIG.get(service, {}),
    )
    return session().create_client(service, config=options)


_DENIED = ("AccessDenied", "AuthorizationError", "UnauthorizedOperation")
"""With which AWS's codes of a denied permission begin."""
_NAMES_A_RESOURCE = re.compile(r"(?i:.*(name|arn|id|url|bucket|identity))|Key")
"""Names of parameters that say what a request is about. Other keys than S3's may be secret."""


def _keep_parameters(params: Mapping[str, Any], context: dict[str, Any], **_: object) -> None:
    context["parameters"] = params


def _name_what_is_denied(
    parsed: dict[str, Any],
    model: Any,  # noqa: ANN401 - botocore's OperationModel has no types
    context: dict[str, Any],
    **_: object,
) -> None:
    """Adds what an error of a denied permission leaves out: S3 names neither action nor resource, an emulator no resource."""
    error = parsed.get("Error", {})
    if not str(error.get("Code", "")).startswith(_DENIED) or "on resource" in error.get(
        "Message", ""
    ):
        return
    parameters = context.get("parameters", {}).items()
    about = [
        f"{name}={value}"
        for name, value in parameters
        if isinstance(value, str) and _NAMES_A_RESOURCE.fullmatch(name)
    ]
    action = f"{model.service_model.signing_name}:{model.name}"
    error["Message"] = (
        f"{error.get('Message', '')} [{action} on resource: {' '.join(about) or '*'}]"
    )


@contextmanager
def unavailable_if_transient(what: str) -> Iterator[None]:
    """Raises `Unavailable` for failures of AWS that another try may cure; every other error goes on as it is."""
    try:
        yield
    except (ClientError, BotoCoreError) as error:
        if is_transient(error):
            raise Unavailable(f"{what} is not available right now.") from error
        raise


def is_transient(error: ClientError | BotoCoreError) -> bool:
    """Whether an error of botocore's is one that may heal: throttling, a fault of AWS, a network that fails."""
    if isinstance(error, ClientError):
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        fault = status == _TOO_MANY_REQUESTS or status >= 500  # noqa: PLR2004 - RFC 9110 §15.6
        return code_of(error) in _TRANSIENT or fault
    return isinstance(error, BotocoreConnectionError | HTTPClientError | IncompleteReadError)


def never_connected(error: Exception) -> bool:
    """Whether it is certain that no request reached AWS."""
    return isinstance(error, EndpointConnectionError | ConnectTimeoutError)


def code_of(error: ClientError) -> str:
    """AWS's code of an error, such as `MessageRejected`."""
    return str(error.response.get("Error", {}).get("Code", ""))
