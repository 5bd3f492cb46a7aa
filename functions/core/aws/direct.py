"""Requests to DynamoDB and Secrets Manager without AWS's SDK, for what users wait for.

Loading botocore is two thirds of a cold start, and its layers are half of a request (decision 94).
A request needs little of it: a signature, an open connection, and a second attempt where AWS's SDKs
make one. It is made so in Lambda's usual environment alone. Elsewhere, such as with a proxy or
certificates of one's own, botocore's client makes it.
"""

import random
import re
import time
import uuid
from base64 import b64decode
from collections.abc import Callable
from http.client import HTTPException
from typing import Any, Literal, NamedTuple

import msgspec

from functions.core import aws, config
from functions.core.aws.connections import Connections, NotConnected
from functions.core.aws.environment import AwsEnvironment
from functions.core.aws.signature import Keys, signed
from functions.core.aws.timeouts import ATTEMPTS

Service = Literal["dynamodb", "secretsmanager"]
"""botocore's names of the services."""


class _Service(NamedTuple):
    """A service as AWS's JSON protocol knows it."""

    name: str
    """For people."""
    target: str
    version: str


_SERVICES: dict[str, _Service] = {
    "dynamodb": _Service("The database", "DynamoDB_20120810", "1.0"),
    "secretsmanager": _Service("Secrets Manager", "secretsmanager", "1.1"),
}
OPERATIONS = re.compile("[A-Z][A-Za-z]+Items?|Query|Scan|GetSecretValue")
"""Those on items and secrets. botocore makes times of numbers in the answers of others."""

_OK = 200
_FIRST_PAUSE_SECONDS = 1.0
"""Most that the second attempt waits (SDKs and Tools Reference Guide, "Retry behavior")."""


def request(
    service: Service, operation: str, parameters: dict[str, Any], *, attempts: int = ATTEMPTS
) -> dict[str, Any]:
    """A service's answer to an operation, as botocore gives it.

    Args:
        service: botocore's name of it.
        operation: AWS's name of it.
        parameters: of the operation.
        attempts: as in `clients.client`.

    Raises:
        AwsError: as the clients of clients.py.
    """
    try:
        return ask(service, operation, parameters, attempts=attempts)
    except Exception as error:
        from functions.core.aws.errors import AwsError, translate  # noqa: PLC0415 - no cold start pays for errors

        if isinstance(error, AwsError) or not _is_botocores(error):
            raise
        raise translate(error, _SERVICES[service].name) from error


def ask(
    service: Service, operation: str, parameters: dict[str, Any], *, attempts: int = ATTEMPTS
) -> dict[str, Any]:
    """As `request`, but raises botocore's errors, as PynamoDB expects them."""
    environment = config.read(AwsEnvironment)
    if not (environment.usual and OPERATIONS.fullmatch(operation)):
        return _by_sdk(service, operation, parameters, attempts)
    if operation == "TransactWriteItems":  # without a token the second attempt could do it twice
        parameters = {"ClientRequestToken": str(uuid.uuid4()), **parameters}
    body = msgspec.json.encode(parameters, enc_hook=_plain)  # bytes become base64
    for attempt in range(attempts):
        if attempt:
            time.sleep(random.uniform(0, _FIRST_PAUSE_SECONDS))  # noqa: S311 - jitter, no secret
        try:
            about, answer = _post(service, operation, body)
        except (OSError, HTTPException, msgspec.DecodeError) as error:
            failure = _no_answer(error, environment.url(service))
            continue
        if about["HTTPStatusCode"] == _OK:
            return answer
        failure, transient = _refusal(f"{service}:{operation}", parameters, about, answer)
        if not transient:
            break
    raise failure


def connect(service: Service = "dynamodb") -> None:
    """Opens a connection, for init. A request opens one where that fails."""
    if config.read(AwsEnvironment).usual:
        _connections(service).warm()
    else:
        aws.client(service)


@config.cached
def _connections(service: Service) -> Connections:
    return Connections(config.read(AwsEnvironment).url(service))


def _post(service: Service, operation: str, body: bytes) -> tuple[dict[str, Any], dict[str, Any]]:
    """Botocore's `ResponseMetadata` of an answer, and the answer."""
    environment, about = config.read(AwsEnvironment), _SERVICES[service]
    connections = _connections(service)
    headers = {
        "content-type": f"application/x-amz-json-{about.version}",
        "host": connections.host,
        "x-amz-target": f"{about.target}.{operation}",
    }
    signature = signed(headers, body, _keys(environment), environment.aws_region, service)
    answer = connections.post(body, signature)
    found = msgspec.json.decode(answer.body or b"{}", type=dict[str, Any])
    return {"HTTPStatusCode": answer.status, "HTTPHeaders": answer.headers}, with_bytes(found)


def _keys(environment: AwsEnvironment) -> Keys:
    if environment.aws_access_key_id:
        return Keys(
            environment.aws_access_key_id,
            environment.aws_secret_access_key,
            environment.aws_session_token,
        )
    from functions.core.aws.credentials import served_keys  # noqa: PLC0415 - only SnapStart has them

    return served_keys()


def _plain(value: object) -> str:
    """Msgspec's `enc_hook`: a text of a validated type is a text."""
    if isinstance(value, str):
        return str(value)
    raise NotImplementedError(f"{type(value).__name__} cannot stand in a request.")


def with_bytes(value: Any) -> Any:  # noqa: ANN401 - JSON
    """An answer of DynamoDB whose binary values are bytes.

    Only such a value is a text under `B`, or a list under `BS`: an attribute of that name has an
    object there.
    """
    if isinstance(value, list):
        return [with_bytes(each) for each in value]
    if not isinstance(value, dict):
        return value
    if isinstance(value.get("B"), str):
        return {"B": b64decode(value["B"])}
    if isinstance(value.get("BS"), list):
        return {"BS": [b64decode(each) for each in value["BS"]]}
    return {name: with_bytes(inner) for name, inner in value.items()}


def _refusal(
    action: str, parameters: dict[str, Any], metadata: dict[str, Any], answer: dict[str, Any]
) -> tuple[Exception, bool]:
    """Botocore's error of an answer, and whether another attempt may help."""
    from botocore.exceptions import ClientError  # noqa: PLC0415 - no cold start pays for errors

    from functions.core.aws.errors import is_transient, name_what_is_denied  # noqa: PLC0415 - as above

    code = str(answer.pop("__type", "")).rpartition("#")[2]
    code = code or str(metadata["HTTPStatusCode"])
    message = answer.pop("message", None) or answer.pop("Message", None) or ""
    about: Any = {
        "Error": {"Code": code, "Message": message},
        "ResponseMetadata": metadata,
    }
    name_what_is_denied(about["Error"], action, parameters)
    error = ClientError(answer | about, action.partition(":")[2])
    return error, is_transient(error)


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
    service: Service, operation: str, parameters: dict[str, Any], attempts: int
) -> dict[str, Any]:
    method = re.sub(r"(?<!^)(?=[A-Z])", "_", operation).lower()
    made = aws.client(service) if attempts == ATTEMPTS else aws.client(service, attempts=attempts)
    answer: dict[str, Any] = getattr(made, method)(**parameters)
    return answer
