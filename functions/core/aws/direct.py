"""Requests to AWS without its SDK, for what users wait for: DynamoDB, secrets, messages, schedules.

Loading botocore is two thirds of a cold start, and its layers are half of a request (decision 94).
A request needs little of it: a signature, an open connection, and a second attempt where AWS's SDKs
make one. It is made so in Lambda's usual environment alone. Elsewhere, such as with a proxy or
certificates of one's own, botocore's client makes it.
"""

import random
import re
import time
from collections.abc import Callable
from http.client import HTTPException
from typing import Any, Unpack

from functions.core import aws, config
from functions.core.aws import protocols
from functions.core.aws.connections import Connections, NotConnected
from functions.core.aws.environment import AwsEnvironment
from functions.core.aws.protocols import SERVICES, Message, Service
from functions.core.aws.signature import Keys, signed
from functions.core.aws.timeouts import ATTEMPTS, ClientOptions

_OK = 200
_ASKED_ONCE = frozenset({"ConflictException", "ServiceQuotaExceededException"})
"""Transient errors of EventBridge Scheduler that AWS's SDKs do not ask about again: of a new
schedule they say that its name is taken, and that there are too many.
"""
_FIRST_PAUSE_SECONDS = 1.0
"""Most that the second attempt waits (SDKs and Tools Reference Guide, "Retry behavior")."""


def request(
    service: Service,
    operation: str,
    parameters: dict[str, Any],
    **options: Unpack[ClientOptions],
) -> dict[str, Any]:
    """A service's answer to an operation, as botocore gives it.

    Args:
        service: botocore's name of it.
        operation: AWS's name of it.
        parameters: of the operation.
        options: as in `clients.client`.

    Raises:
        AwsError: as the clients of clients.py.
    """
    try:
        return ask(service, operation, parameters, **options)
    except Exception as error:
        from functions.core.aws.errors import AwsError, translate  # noqa: PLC0415 - no cold start pays for errors

        if isinstance(error, AwsError) or not _is_botocores(error):
            raise
        raise translate(error, SERVICES[service].name) from error


def ask(
    service: Service,
    operation: str,
    parameters: dict[str, Any],
    **options: Unpack[ClientOptions],
) -> dict[str, Any]:
    """As `request`, but raises botocore's errors, as PynamoDB expects them."""
    environment = config.read(AwsEnvironment)
    patient = options.get("answer_seconds") is not None  # a time of one's own
    if patient or not (environment.usual and protocols.is_known(operation)):
        return _by_sdk(service, operation, parameters, options)
    message = protocols.message(service, operation, parameters)
    for attempt in range(options.get("attempts", ATTEMPTS)):
        if attempt:
            time.sleep(random.uniform(0, _FIRST_PAUSE_SECONDS))  # noqa: S311 - jitter, no secret
        try:
            about, answer = _post(service, message)
        except (OSError, HTTPException, ValueError) as error:
            failure = _no_answer(error, environment.url(service))
            continue
        if about["HTTPStatusCode"] == _OK:
            return answer
        failure, transient = _refusal(service, operation, parameters, about, answer)
        if not transient:
            break
    raise failure


def connect(service: Service = "dynamodb", **options: Unpack[ClientOptions]) -> None:
    """Opens a connection, for init. A request opens one where that fails.

    Args:
        service: botocore's name of it.
        options: those of the requests.
    """
    if config.read(AwsEnvironment).usual:
        _connections(service).warm()
    else:
        aws.client(service, **options)


@config.cached
def _connections(service: Service) -> Connections:
    return Connections(config.read(AwsEnvironment).url(service))


def _post(service: Service, message: Message) -> tuple[dict[str, Any], dict[str, Any]]:
    """Botocore's `ResponseMetadata` of an answer, and the answer."""
    environment, connections = config.read(AwsEnvironment), _connections(service)
    name = SERVICES[service].signing_name
    headers = {**message.headers, "host": connections.host}
    keys, region = _keys(environment), environment.aws_region
    signature = signed(headers, message.body, keys, region, name, path=message.path)
    answer = connections.post(message.body, signature, message.path)
    about = {"HTTPStatusCode": answer.status, "HTTPHeaders": answer.headers}
    if answer.status == _OK:
        return about, protocols.answer_of(service, answer.body)
    return about, protocols.error_of(service, answer.body)


def _keys(environment: AwsEnvironment) -> Keys:
    if environment.aws_access_key_id:
        return Keys(
            environment.aws_access_key_id,
            environment.aws_secret_access_key,
            environment.aws_session_token,
        )
    from functions.core.aws.credentials import served_keys  # noqa: PLC0415 - only SnapStart has them

    return served_keys()


def _refusal(
    service: Service,
    operation: str,
    parameters: dict[str, Any],
    metadata: dict[str, Any],
    answer: dict[str, Any],
) -> tuple[Exception, bool]:
    """Botocore's error of an answer, and whether another attempt may help."""
    from botocore.exceptions import ClientError  # noqa: PLC0415 - no cold start pays for errors

    from functions.core.aws.errors import is_transient, name_what_is_denied  # noqa: PLC0415 - as above

    said = protocols.take_error(answer, metadata["HTTPHeaders"], metadata["HTTPStatusCode"])
    name_what_is_denied(said, f"{SERVICES[service].signing_name}:{operation}", parameters)
    about: Any = {"Error": said, "ResponseMetadata": metadata}
    error = ClientError(answer | about, operation)
    return error, is_transient(error) and said["Code"] not in _ASKED_ONCE


def _no_answer(error: Exception, url: str) -> Exception:
    """Botocore's error of a request without an answer."""
    from botocore import exceptions  # noqa: PLC0415 - no cold start pays for errors

    kind: Callable[..., Exception] = exceptions.HTTPClientError
    if isinstance(error, NotConnected):
        kind = exceptions.EndpointConnectionError
    elif isinstance(error, TimeoutError):
        kind = exceptions.ReadTimeoutError
    elif isinstance(error, ConnectionError | HTTPException):
        kind = exceptions.ConnectionClosedError
    return kind(endpoint_url=url, error=error)


def _is_botocores(error: Exception) -> bool:
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 - no cold start pays for errors

    return isinstance(error, ClientError | BotoCoreError)


def _by_sdk(
    service: Service, operation: str, parameters: dict[str, Any], options: ClientOptions
) -> dict[str, Any]:
    method = re.sub(r"(?<!^)(?=[A-Z])", "_", operation).lower()
    answer: dict[str, Any] = getattr(aws.client(service, **options), method)(**parameters)
    return answer
