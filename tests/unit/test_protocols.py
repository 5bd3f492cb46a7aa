"""Requests and refusals of AWS's protocols, beside those of botocore."""

import json
import random
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from typing import Any, NamedTuple, get_args
from urllib.parse import parse_qsl, urlsplit

import botocore.session
import pytest
from botocore.awsrequest import AWSResponse

from functions.core import aws, config
from functions.core.aws import direct, protocols
from functions.core.aws.environment import AwsEnvironment
from functions.core.aws.protocols import SERVICES, Service
from tests import fakes

REGION = "eu-central-1"
USUAL = {
    "AWS_LAMBDA_FUNCTION_NAME": "verify_send",
    "AWS_REGION": REGION,
    "AWS_DEFAULT_REGION": REGION,
    "AWS_ACCESS_KEY_ID": "key",
    "AWS_SECRET_ACCESS_KEY": "secret",
}
TEXT = {"Data": "Ü & <b>", "Charset": "UTF-8"}
SCHEDULE: dict[str, Any] = {
    "Name": "k1.d6a_b-c d/e",
    "GroupName": "verifications",
    "ClientToken": "t",
    "StartDate": 1_800_000_000,
    "ScheduleExpression": "at(2027-01-01T00:00:00)",
    "FlexibleTimeWindow": {"Mode": "OFF"},
    "Target": {"Arn": "a", "RoleArn": "b", "Input": '{"a": "ü"}'},
}
REQUESTS: list[tuple[Service, str, dict[str, Any]]] = [
    ("dynamodb", "GetItem", {"TableName": "t", "Key": {"id": {"B": b"\0\1"}}}),
    ("dynamodb", "TransactWriteItems", {"TransactItems": [{}], "ClientRequestToken": "t"}),
    ("secretsmanager", "GetSecretValue", {"SecretId": "a"}),
    (
        "sesv2",
        "SendEmail",
        {
            "FromEmailAddress": "App <no-reply@example.com>",
            "Destination": {"ToAddresses": ["ana@example.com"]},
            "Content": {"Simple": {"Subject": TEXT, "Body": {"Text": TEXT}}},
            "EmailTags": [{"Name": "a", "Value": "b"}],
        },
    ),
    ("scheduler", "CreateSchedule", SCHEDULE),
    (
        "pinpoint-sms-voice-v2",
        "SendTextMessage",
        {"DestinationPhoneNumber": "+4366012345", "Context": {"verification_id": "v"}},
    ),
    (
        "sns",
        "Publish",
        {
            "PhoneNumber": "+4366012345",
            "Message": "1 & 2 = ü\n@example.com #12",
            "MessageAttributes": {
                "AWS.SNS.SMS.SMSType": {"DataType": "String", "StringValue": "Transactional"},
                "AWS.SNS.SMS.SenderID": {"DataType": "String", "StringValue": "App"},
            },
        },
    ),
    ("sns", "Publish", {"PhoneNumber": "+4366012345", "Message": "a", "MessageAttributes": {}}),
]


def sdks_request(service: str, operation: str, parameters: dict[str, Any]) -> Any:
    """The request that botocore would send, signed."""
    sent: list[Any] = []

    def take(request: Any, **_: object) -> AWSResponse:
        sent.append(request)
        answer = AWSResponse(request.url, 200, {}, None)
        answer._content = b"<a><PublishResult/></a>" if service == "sns" else b"{}"
        return answer

    client = botocore.session.get_session().create_client(
        service, REGION, aws_access_key_id="key", aws_secret_access_key="secret"
    )
    client.meta.events.register("before-send", take)
    client._make_api_call(operation, parameters)
    return sent[0]


def content(body: bytes | str, content_type: str) -> Any:
    text = body if isinstance(body, str) else body.decode()
    return sorted(parse_qsl(text)) if "form" in content_type else json.loads(text)


@pytest.mark.parametrize(("service", "operation", "parameters"), REQUESTS)
def test_a_request_is_that_of_the_sdk(
    service: Service, operation: str, parameters: dict[str, Any]
) -> None:
    ours, sdks = (
        protocols.message(service, operation, parameters),
        sdks_request(service, operation, parameters),
    )
    headers = {name.lower(): value for name, value in sdks.headers.items()}
    headers = {n: v.decode() if isinstance(v, bytes) else v for n, v in headers.items()}
    url, kind = urlsplit(sdks.url), headers["content-type"]
    assert sdks.method == "POST"
    assert (ours.path, f"https://{url.netloc}") == (
        url.path,
        AwsEnvironment(aws_region=REGION).url(service),
    )
    assert ours.headers == {n: headers[n] for n in ("content-type", "x-amz-target") if n in headers}
    assert content(ours.body, kind) == content(sdks.body, kind)
    assert f"/{SERVICES[service].signing_name}/aws4_request" in headers["authorization"]


def test_each_service_is_compared_with_the_sdk() -> None:
    assert {service for service, *_ in REQUESTS} == set(get_args(Service)) == SERVICES.keys()
    assert all(protocols.is_known(operation) for _, operation, _ in REQUESTS)


@pytest.mark.parametrize(
    ("service", "operation"),
    [("scheduler", "CreateSchedule"), ("dynamodb", "TransactWriteItems")],
)
def test_aws_knows_a_second_attempt_by_a_token(service: Service, operation: str) -> None:
    made = [json.loads(protocols.message(service, operation, {"Name": "a"}).body) for _ in "ab"]
    tokens = {value for body in made for name, value in body.items() if name.startswith("Client")}
    assert sorted(map(len, tokens)) == [36, 36]


def xml(code: str) -> bytes:
    error = f"<Type>Sender</Type><Code>{code}</Code><Message>a &lt; b</Message>"
    return (
        f'<ErrorResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><Error>{error}</Error>'
        "<RequestId>7B1</RequestId></ErrorResponse>"
    ).encode()


class Refusal(NamedTuple):
    service: Service
    operation: str
    status: int
    body: bytes
    error_type: str = ""


REFUSALS = [
    Refusal("sesv2", "SendEmail", 400, b'{"message": "no"}', "MessageRejected"),
    Refusal("sesv2", "SendEmail", 429, b"{}", "TooManyRequestsException:http://a"),
    Refusal("sesv2", "SendEmail", 400, b'{"code": "BadRequestException", "Message": "no"}'),
    Refusal("sesv2", "SendEmail", 403, b'{"message": "no"}'),
    Refusal(
        "scheduler",
        "CreateSchedule",
        409,
        b'{"Message": "taken"}',
        "ConflictException",
    ),
    Refusal("scheduler", "CreateSchedule", 403, b'{"__type": "a#AccessDeniedException"}'),
    Refusal(
        "pinpoint-sms-voice-v2",
        "SendTextMessage",
        400,
        b'{"__type": "ConflictException", "Message": "no", "Reason": "DESTINATION_PHONE_NUMBER"}',
    ),
    Refusal(
        "pinpoint-sms-voice-v2",
        "SendTextMessage",
        400,
        b'{"__type": "ValidationException", "Fields": [{"Name": "MessageBody", "Message": "a"}]}',
    ),
    Refusal("sesv2", "SendEmail", 403, b"<html>Forbidden</html>"),
    Refusal("scheduler", "CreateSchedule", 400, b"no"),
    Refusal("dynamodb", "GetItem", 403, b""),
    Refusal("sns", "Publish", 400, xml("InvalidParameter")),
    Refusal("sns", "Publish", 400, xml("Throttling")),
    Refusal("sns", "Publish", 403, xml("AuthorizationError")),
    Refusal("sns", "Publish", 500, xml("InternalFailure")),
    Refusal("dynamodb", "GetItem", 400, b'{"__type": "com.amazonaws#ResourceNotFoundException"}'),
]


@pytest.fixture(autouse=True)
def usual(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Lambda's environment, without a proxy of this machine."""
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.delenv(name, raising=False)
    for name, value in USUAL.items():
        monkeypatch.setenv(name, value)
    config.reset()
    yield
    config.reset(everything=True)


@pytest.mark.parametrize("refusal", REFUSALS)
def test_a_refusal_is_that_of_the_sdk(refusal: Refusal, monkeypatch: pytest.MonkeyPatch) -> None:
    headers = {"x-amzn-ErrorType": refusal.error_type} if refusal.error_type else {}

    def refuses(request: BaseHTTPRequestHandler, _: bytes) -> None:
        fakes.reply(request, refusal.status, refusal.body, headers)

    with fakes.server(refuses) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL", url)
        config.reset(everything=True)
        ours, sdks = raised(refusal), raised(refusal, answer_seconds=4)
    assert described(ours) == described(sdks)


@pytest.mark.parametrize("body", [b"", b"{}", b"<html><title>Hello</title></html>"])
def test_an_answer_of_another_server_is_none_of_sns(
    body: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = Refusal("sns", "Publish", 200, body)
    with fakes.server(lambda request, _: fakes.reply(request, 200, body, {})) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL", url)
        config.reset(everything=True)
        assert raised(answers).connected, "the SMS may have been sent"


@pytest.mark.parametrize(
    ("status", "code", "times"),
    [
        (409, "ConflictException", 1),
        (402, "ServiceQuotaExceededException", 1),
        (400, "ValidationException", 1),
        (429, "ThrottlingException", 2),
        (500, "InternalServerException", 2),
    ],
)
def test_a_schedule_is_asked_for_as_often_as_by_the_sdk(
    status: int, code: str, times: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[bytes] = []

    def refuses(request: BaseHTTPRequestHandler, body: bytes) -> None:
        asked.append(body)
        fakes.reply(request, status, b"{}", {"x-amzn-ErrorType": code})

    monkeypatch.setattr(random, "uniform", lambda *_: 0)
    with fakes.server(refuses) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL", url)
        config.reset(everything=True)
        about = {name: value for name, value in SCHEDULE.items() if name != "ClientToken"}
        for seconds in (None, 4):  # with a time of its own the SDK asks
            asked.clear()
            with pytest.raises(aws.AwsError):
                direct.request("scheduler", "CreateSchedule", about, answer_seconds=seconds)
            assert (len(asked), len(set(asked))) == (times, 1)


def raised(refusal: Refusal, **options: Any) -> aws.AwsError:
    """The error of a request; where it has a time of its own, the SDK makes it."""
    service, operation = refusal.service, refusal.operation
    about = next(about for *named, about in REQUESTS if named == [service, operation])
    with pytest.raises(aws.AwsError) as caught:
        direct.request(service, operation, about, attempts=1, **options)
    return caught.value


def described(error: aws.AwsError) -> tuple[Any, ...]:
    said = error.response
    more = {name: said.get(name) for name in ("Reason", "Fields")}
    sentence = error.message.replace(" (reached max retries: 0)", "")
    return type(error), error.code, error.transient, error.connected, sentence, more


@pytest.mark.parametrize("service", get_args(Service))
def test_a_services_own_endpoint_is_where_the_sdk_finds_it(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = service.replace("-", "_").replace("secretsmanager", "secrets_manager").upper()
    monkeypatch.setenv(f"AWS_ENDPOINT_URL_{name}", "http://127.0.0.1:5000")
    config.reset()
    sdks = botocore.session.get_session().create_client(service, REGION).meta.endpoint_url
    assert config.read(AwsEnvironment).url(service) == sdks == "http://127.0.0.1:5000"
