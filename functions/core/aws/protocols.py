"""Requests of AWS's protocols, and what the answers say, for direct.py.

DynamoDB, Secrets Manager and End User Messaging have one path, and name the operation in a header
(Smithy, "AWS JSON 1.0 and 1.1"). SES and EventBridge Scheduler have a path for each operation
(Smithy, "AWS restJson1"). SNS is asked by forms (query_protocol.py).
"""

import re
import uuid
from base64 import b64decode
from collections.abc import Mapping
from typing import Any, Literal, NamedTuple
from urllib.parse import quote

import msgspec

Service = Literal[
    "dynamodb", "pinpoint-sms-voice-v2", "scheduler", "secretsmanager", "sesv2", "sns"
]
"""botocore's names of the services."""


class About(NamedTuple):
    """A service as its protocol and its signature know it."""

    name: str
    """For people."""
    host: str
    """First label of its host."""
    signing_name: str
    target: str = ""
    """Begins the name of an operation in the header; empty where operations have paths."""
    version: str = ""
    """Version of AWS JSON; for SNS that of its API."""


SERVICES: dict[Service, About] = {
    "dynamodb": About("The database", "dynamodb", "dynamodb", "DynamoDB_20120810", "1.0"),
    "pinpoint-sms-voice-v2": About(
        "End User Messaging", "sms-voice", "sms-voice", "PinpointSMSVoiceV2", "1.0"
    ),
    "scheduler": About("EventBridge Scheduler", "scheduler", "scheduler"),
    "secretsmanager": About(
        "Secrets Manager", "secretsmanager", "secretsmanager", "secretsmanager", "1.1"
    ),
    "sesv2": About("SES", "email", "ses"),
    "sns": About("SNS", "sns", "sns", version="2010-03-31"),
}

PATHS = {"CreateSchedule": "/schedules/{Name}", "SendEmail": "/v2/email/outbound-emails"}
"""Paths of POST requests, with parameters in braces; the others are in the body."""

_TOKENS = {"CreateSchedule": "ClientToken", "TransactWriteItems": "ClientRequestToken"}
"""Parameters by which AWS knows a second attempt, so that nothing is done twice."""

_OTHERS = {*PATHS, "GetSecretValue", "Publish", "SendTextMessage"}
_ON_ITEMS = re.compile("[A-Z][A-Za-z]+Items?|Query|Scan")


class Message(NamedTuple):
    """A POST request, without its signature."""

    path: str
    headers: dict[str, str]
    body: bytes


def is_known(operation: str) -> bool:
    """True if an operation's answer means what botocore gives: those of others have times in it."""
    return operation in _OTHERS or bool(_ON_ITEMS.fullmatch(operation))


def message(service: Service, operation: str, parameters: Mapping[str, Any]) -> Message:
    """A request, the same in each attempt."""
    given, about = dict(parameters), SERVICES[service]
    if token := _TOKENS.get(operation):
        given.setdefault(token, str(uuid.uuid4()))
    path = re.sub(
        r"{(\w+)}", lambda name: quote(given.pop(name[1]), safe=""), PATHS.get(operation, "/")
    )
    if service == "sns":
        from functions.core.aws import query_protocol  # noqa: PLC0415 - only SMS pay for it

        headers = {"content-type": query_protocol.CONTENT_TYPE}
        return Message(path, headers, query_protocol.form(operation, about.version, given))
    headers = {"content-type": "application/json"}
    if about.target:
        headers = {
            "content-type": f"application/x-amz-json-{about.version}",
            "x-amz-target": f"{about.target}.{operation}",
        }
    return Message(path, headers, msgspec.json.encode(given, enc_hook=_plain))  # bytes: base64


def answer_of(service: Service, body: bytes) -> dict[str, Any]:
    """An answer's values. Raises `ValueError` where it is none of AWS's."""
    if service == "sns":
        from functions.core.aws import query_protocol  # noqa: PLC0415 - as above

        return query_protocol.values(body)
    found = msgspec.json.decode(body or b"{}", type=dict[str, Any])
    return {name: with_bytes(value) for name, value in found.items()}


def error_of(service: Service, body: bytes) -> dict[str, Any]:
    """A refusal's values. One in no form of AWS's is text, as from a proxy, and has a status."""
    try:
        return answer_of(service, body)
    except ValueError:
        if service == "sns":
            raise
        return {"message": body.decode(errors="replace")}


def take_error(answer: dict[str, Any], headers: Mapping[str, str], status: int) -> dict[str, str]:
    """Code and message of a refusal, taken out of its answer, as botocore names them.

    REST says the code in a header, and AWS JSON in the body: `<namespace>#<code>:<more>`.
    """
    named = next((answer.pop(name) for name in ("__type", "code", "Code") if name in answer), "")
    said = headers.get("x-amzn-errortype", named)
    code = str(said).partition(":")[0].rpartition("#")[2] or str(status)
    return {
        "Code": code,
        "Message": answer.pop("message", None) or answer.pop("Message", None) or "",
    }


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
