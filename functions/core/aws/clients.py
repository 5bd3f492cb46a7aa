"""AWS clients, made once per process, from one session, with timeouts that fit a call.

They raise this project's errors (errors.py). botocore's session rather than boto3's: boto3 wraps it
and adds about 120 ms of import to a cold start (decision 9).
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Protocol

import botocore.session
from botocore.client import BaseClient
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from botocore.loaders import Loader, create_loader
from botocore.model import OperationModel
from botocore.parsers import ResponseParserError

from functions.core import config
from functions.core.aws.timeouts import ATTEMPTS, CONNECT_TIMEOUT_SECONDS, read_timeout_seconds

_CONFIG: dict[str, dict[str, Any]] = {
    "s3": {"signature_version": "s3v4", "s3": {"addressing_style": "virtual"}}
}
"""Presigned URLs name the bucket's region. The global name of a new bucket redirects for hours."""

_SERVICES = {
    "Lambda": "AWS Lambda",
    "Pinpoint SMS Voice V2": "End User Messaging",
    "SESv2": "SES",
    "SFN": "Step Functions",
    "Scheduler": "EventBridge Scheduler",
}
"""Names for people, where AWS's service id is none."""


class Client(Protocol):
    """A client of a service. botocore makes its operations at run time.

    Its operations raise the errors of errors.py; only those of DynamoDB raise botocore's.
    """

    meta: Any

    def __getattr__(self, operation: str) -> Callable[..., dict[str, Any]]: ...


@config.cached(lasting=True)
def _loader() -> Loader:
    """AWS's models. Sessions share them, so that one made after a snapshot loads none again."""
    return create_loader()


@config.cached(clients=True)
def session() -> botocore.session.Session:
    """The process's one session. A second one would load credentials again."""
    made = botocore.session.get_session()
    made.register_component("data_loader", _loader())
    made.register("creating-client-class", _translate_errors)
    made.register("provide-client-params", _keep_parameters)
    made.register("after-call", _name_what_is_denied)
    return made


@config.cached(clients=True)
def client(
    service: str, *, attempts: int = ATTEMPTS, answer_seconds: float | None = None
) -> Client:
    """A client of an AWS service.

    Args:
        service: botocore's name of it.
        attempts: 1 where a repetition could do a thing twice.
        answer_seconds: how long to wait for an answer, where that is longer than usual.

    The name that it gives itself (`User-Agent`) is made once: botocore would make it twice a
    request. Its connections stay open between calls; TCP keep-alive notices those that a NAT has
    forgotten while the process was frozen (decision 94).
    """
    retries = {"total_max_attempts": attempts, "mode": "standard"}
    options = Config(
        connect_timeout=CONNECT_TIMEOUT_SECONDS,
        read_timeout=answer_seconds or read_timeout_seconds(),
        retries=retries,
        parameter_validation=False,
        tcp_keepalive=True,
        user_agent=session().user_agent(),
        **_CONFIG.get(service, {}),
    )
    made: Client = session().create_client(service, config=options)
    return made


def _translate_errors(class_attributes: dict[str, object], event_name: str, **_: object) -> None:
    """Makes the clients of a service raise this project's errors.

    Not those of DynamoDB: PynamoDB and Powertools use them, and read botocore's.
    """
    if not event_name.endswith(".dynamodb"):
        class_attributes["_make_api_call"] = _make_api_call


def _make_api_call(
    client: BaseClient, operation: str, parameters: Mapping[str, Any]
) -> dict[str, Any]:
    service = str(client.meta.service_model.service_id)
    with translated_errors(_SERVICES.get(service, service)):
        # All operations go through this method, and a class of botocore's may be extended so.
        answer: dict[str, Any] = BaseClient._make_api_call(client, operation, parameters)  # noqa: SLF001
        return answer


@contextmanager
def translated_errors(service: str) -> Iterator[None]:
    """Raises botocore's errors as this project's. `service`: its name for people."""
    try:
        yield
    except (ClientError, BotoCoreError, ResponseParserError) as error:
        from functions.core.aws.errors import translate  # noqa: PLC0415 - no cold start pays for errors

        raise translate(error, service) from error


def _keep_parameters(params: Mapping[str, Any], context: dict[str, Any], **_: object) -> None:
    context["parameters"] = params


def _name_what_is_denied(
    parsed: dict[str, Any],
    model: OperationModel,
    context: dict[str, Any],
    **_: object,
) -> None:
    if error := parsed.get("Error"):
        from functions.core.aws.errors import name_what_is_denied  # noqa: PLC0415 - no cold start pays for errors

        action = f"{model.service_model.signing_name}:{model.name}"
        name_what_is_denied(error, action, context.get("parameters", {}))
