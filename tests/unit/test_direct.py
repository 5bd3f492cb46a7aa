"""Requests to AWS without its SDK, against a server and beside the SDK."""

import json
import random
import select
import socket
import threading
from collections.abc import Callable, Iterator
from datetime import datetime
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError
from pynamodb.attributes import BinaryAttribute, UnicodeAttribute

from functions.core import aws, clock, config
from functions.core.aws import direct, dynamodb, protocols
from functions.core.aws.environment import AwsEnvironment
from functions.core.aws.signature import Keys, signed
from functions.core.deadline import deadline
from functions.core.errors import TooSlow
from functions.core.parameters import ValidatedStr
from tests import fakes
from tests.builders.certificates import Authority

GET = {"TableName": "t", "Key": {"id": {"S": "a"}}}
USUAL = {
    "AWS_LAMBDA_FUNCTION_NAME": "verify_check",
    "AWS_REGION": "eu-central-1",
    "AWS_ACCESS_KEY_ID": "key",
    "AWS_SECRET_ACCESS_KEY": "secret",
    "AWS_SESSION_TOKEN": "token",
}


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """The machine of a test may have one."""
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.delenv(name, raising=False)


def of_lambda(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Makes the environment Lambda's, with AWS at a URL."""
    for name, value in (USUAL | {"AWS_ENDPOINT_URL": url}).items():
        monkeypatch.setenv(name, value)
    config.reset()


class Service:
    """A service of AWS, which gives one of the answers to each request."""

    def __init__(self, *answers: tuple[int, Any] | fakes.Script) -> None:
        self.answers = list(answers)
        self.requests: list[tuple[dict[str, str], Any]] = []
        self.connections: set[Any] = set()

    def __call__(self, request: BaseHTTPRequestHandler, body: bytes) -> None:
        self.requests.append(({n.lower(): v for n, v in request.headers.items()}, json.loads(body)))
        self.connections.add(request.client_address)
        answer = self.answers.pop(0)
        if callable(answer):
            answer(request, body)
        else:
            fakes.reply(request, answer[0], json.dumps(answer[1]).encode(), {})


Serve = Callable[..., Service]


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> Iterator[Serve]:
    """Makes the environment Lambda's, with a service at AWS's place."""
    running = []

    def start(*answers: tuple[int, Any] | fakes.Script) -> Service:
        service = Service(*answers)
        running.append(fakes.server(service))
        monkeypatch.setattr(random, "uniform", lambda *_: 0)
        of_lambda(running[-1].__enter__(), monkeypatch)
        return service

    yield start
    config.reset()
    for each in running:
        each.__exit__(None, None, None)


def refusal(code: str, **more: Any) -> dict[str, Any]:
    return {"__type": f"com.amazonaws.dynamodb.v20120810#{code}", "message": "no"} | more


def breaks(request: BaseHTTPRequestHandler, _: bytes) -> None:
    request.close_connection = True


@pytest.mark.parametrize("session_token", ["", "token/+="])
@pytest.mark.parametrize("path", ["/", "/schedules/k1.d6a_b-c~", "/schedules/a%20b%2Fc"])
def test_a_signature_is_that_of_the_sdk(
    session_token: str, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    body, headers = b'{"a": "b"}', {"content-type": "application/json", "x-amz-target": "T.Op"}
    sdks = AWSRequest("POST", f"https://dynamodb.eu-west-1.amazonaws.com{path}", headers, body)
    keys = Credentials("key", "secret", session_token or None)
    SigV4Auth(keys, "dynamodb", "eu-west-1").add_auth(sdks)
    host = {"host": "dynamodb.eu-west-1.amazonaws.com"}
    at = sdks.context["timestamp"]
    held = datetime.strptime(f"{at}+0000", "%Y%m%dT%H%M%SZ%z").timestamp()
    monkeypatch.setattr(clock, "now", lambda: held)
    ours = signed(
        headers | host,
        body,
        Keys("key", "secret", session_token),
        "eu-west-1",
        "dynamodb",
        path=path,
    )
    assert ours["authorization"] == sdks.headers["Authorization"]
    assert ours["x-amz-date"] == sdks.headers["X-Amz-Date"]
    assert ours.get("x-amz-security-token", "") == session_token


def test_a_request_and_its_answer_are_as_the_sdk_has_them(serve: Serve) -> None:
    item = {"id": {"S": "a"}, "raw": {"B": "AAE="}, "set": {"BS": ["AAE=", "Ag=="]}}
    item |= {"B": {"S": "named B"}, "deep": {"M": {"B": {"L": [{"B": "AA=="}]}}}}
    service = serve((200, {"Item": item}))
    found = direct.request("dynamodb", "GetItem", GET | {"raw": {"B": b"\0\1"}})
    assert found["Item"] == {
        "id": {"S": "a"},
        "raw": {"B": b"\0\1"},
        "set": {"BS": [b"\0\1", b"\2"]},
        "B": {"S": "named B"},
        "deep": {"M": {"B": {"L": [{"B": b"\0"}]}}},
    }
    headers, body = service.requests[0]
    assert body == GET | {"raw": {"B": "AAE="}}
    assert headers["x-amz-target"] == "DynamoDB_20120810.GetItem"
    assert headers["content-type"] == "application/x-amz-json-1.0"
    assert headers["x-amz-security-token"] == "token"
    assert "/eu-central-1/dynamodb/aws4_request" in headers["authorization"]


def test_a_text_of_a_validated_type_is_sent_as_a_text(serve: Serve) -> None:
    class Purpose(ValidatedStr):
        pass

    service = serve((200, {}))
    direct.request("dynamodb", "PutItem", {"Item": {"purpose": {"S": Purpose("sign_in")}}})
    assert service.requests[0][1] == {"Item": {"purpose": {"S": "sign_in"}}}


def test_a_secret_is_read_so_too(serve: Serve) -> None:
    service = serve((200, {"SecretString": "text"}))
    assert direct.request("secretsmanager", "GetSecretValue", {"SecretId": "a"}) == {
        "SecretString": "text"
    }
    assert service.requests[0][0]["x-amz-target"] == "secretsmanager.GetSecretValue"


@pytest.mark.parametrize(
    "first",
    [
        (500, refusal("InternalServerError")),
        (400, refusal("ProvisionedThroughputExceededException")),
        (400, refusal("ThrottlingException")),
        (503, "no object"),
        breaks,
    ],
)
def test_what_may_pass_is_asked_a_second_time(first: Any, serve: Serve) -> None:
    service = serve(first, (200, {"Item": {"id": {"S": "a"}}}))
    assert direct.request("dynamodb", "GetItem", GET)["Item"] == {"id": {"S": "a"}}
    assert len(service.requests) == 2


def test_after_the_second_time_it_is_unavailable(serve: Serve) -> None:
    service = serve(*[(500, refusal("InternalServerError"))] * 3)
    with pytest.raises(aws.AwsUnavailable, match=r"The database is not available right now\."):
        direct.request("dynamodb", "GetItem", GET)
    assert len(service.requests) == 2


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("ResourceNotFoundException", "AwsNotFound"),
        ("AccessDeniedException", "AwsDenied"),
        ("ValidationException", "AwsError"),
    ],
)
def test_what_is_refused_for_good_is_asked_once(code: str, kind: str, serve: Serve) -> None:
    service = serve((400, refusal(code)))
    with pytest.raises(getattr(aws, kind)) as raised:
        direct.request("dynamodb", "GetItem", GET)
    assert (raised.value.code, raised.value.connected) == (code, True)
    assert len(service.requests) == 1


def test_a_permission_that_is_denied_is_named(serve: Serve) -> None:
    serve((400, refusal("AccessDeniedException")))
    with pytest.raises(aws.AwsDenied, match=r"\[dynamodb:GetItem on resource: TableName=t\]"):
        direct.request("dynamodb", "GetItem", GET)


def test_an_error_has_the_id_by_which_aws_finds_the_request(serve: Serve) -> None:
    def refuses(request: BaseHTTPRequestHandler, _: bytes) -> None:
        body = json.dumps(refusal("ValidationException")).encode()
        fakes.reply(request, 400, body, {"x-amzn-RequestId": "7B1"})

    serve(refuses)
    with pytest.raises(aws.AwsError) as raised:
        direct.request("dynamodb", "GetItem", GET)
    headers = raised.value.response["ResponseMetadata"]["HTTPHeaders"]
    assert headers["x-amzn-requestid"] == "7B1"


def test_where_nobody_answers_no_request_was_sent(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    serve()
    monkeypatch.setenv("AWS_ENDPOINT_URL", fakes.nobody())
    config.reset()
    direct.connect("dynamodb")  # as init does, which it must not fail
    with pytest.raises(aws.AwsUnavailable) as raised:
        direct.request("dynamodb", "GetItem", GET)
    assert raised.value.connected is False


def test_pynamodb_reads_the_item_on_which_a_condition_failed(serve: Serve) -> None:
    class Record(dynamodb.Table):
        class Meta:
            table_name = "t"

        id = UnicodeAttribute(hash_key=True)
        raw = BinaryAttribute(legacy_encoding=False)

    stored = {"id": {"S": "a"}, "raw": {"B": "AAE="}}
    failed = (400, refusal("ConditionalCheckFailedException", Item=stored))
    service = serve((200, {"Attributes": stored}), failed, failed)
    change = [Record.raw.set(b"\2")]
    assert Record.update_if("a", change, None)[0] is True
    held, found = Record.update_if("a", change, Record.id.exists())
    assert (held, found and found.raw) == (False, b"\0\1")
    with pytest.raises(ClientError):
        direct.ask("dynamodb", "UpdateItem", GET)
    assert len(service.requests) == 3


def test_a_transaction_that_is_tried_again_is_the_same_one(serve: Serve) -> None:
    service = serve((500, refusal("InternalServerError")), (200, {}))
    direct.request("dynamodb", "TransactWriteItems", {"TransactItems": []})
    first, second = (body["ClientRequestToken"] for _, body in service.requests)
    assert first == second
    assert len(first) == 36


def test_a_connection_serves_one_request_after_another(serve: Serve) -> None:
    service = serve(*[(200, {})] * 3)
    direct.connect("dynamodb")
    for _ in range(3):
        direct.request("dynamodb", "GetItem", GET)
    assert len(service.connections) == 1


def test_the_first_request_takes_the_connection_that_init_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[int] = []
    connect = socket.create_connection

    def counting(*args: Any, **options: Any) -> socket.socket:
        made = connect(*args, **options)
        opened.append(made.fileno())
        return made

    authority = Authority(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.path))
    monkeypatch.setattr(socket, "create_connection", counting)
    with fakes.server(Service((200, {})), authority.server("localhost")) as url:
        of_lambda(url.replace("127.0.0.1", "localhost"), monkeypatch)
        direct.connect("dynamodb")
        assert select.select(opened, [], [], 5)[0], "TLS 1.3 has the server send tickets"
        direct.request("dynamodb", "GetItem", GET)
    config.reset()
    assert len(opened) == 1


def test_a_connection_that_was_closed_meanwhile_is_replaced_at_once(serve: Serve) -> None:
    closed = threading.Event()

    def then_closes(request: BaseHTTPRequestHandler, _: bytes) -> None:
        fakes.reply(request, 200, b"{}", {})
        request.close_connection = True
        request.connection.shutdown(2)
        closed.set()

    service = serve(then_closes, (200, {}))
    direct.request("dynamodb", "GetItem", GET)
    assert closed.wait(5)
    direct.request("dynamodb", "GetItem", GET, attempts=1)
    assert len(service.connections) == 2


def test_an_answer_that_comes_after_the_deadline_is_no_later_requests(serve: Serve) -> None:
    service = serve(fakes.hangs, (200, {"Item": {}}))
    with pytest.raises(TooSlow), deadline(0.2, 60_000):
        direct.request("dynamodb", "GetItem", GET)
    assert direct.request("dynamodb", "GetItem", GET) == {"Item": {}}
    assert len(service.connections) == 2


def test_only_a_server_with_a_certificate_that_is_trusted_gets_a_request(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority, service = Authority(tmp_path), Service((200, {}))
    with fakes.server(service, authority.server("localhost")) as url:
        named = url.replace("127.0.0.1", "localhost")
        assert ask_at(named, monkeypatch) == "no answer"
        monkeypatch.setenv("SSL_CERT_FILE", str(authority.path))
        config.reset(everything=True)
        assert ask_at(url, monkeypatch) == "no answer", "the certificate is for localhost"
        assert service.requests == []
        assert ask_at(named, monkeypatch) == {}


def ask_at(url: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    of_lambda(url, monkeypatch)
    try:
        return direct.request("dynamodb", "GetItem", GET, attempts=1)
    except aws.AwsUnavailable as error:
        return error if error.connected else "no answer"


@pytest.mark.parametrize(
    "special",
    [
        {"AWS_LAMBDA_FUNCTION_NAME": ""},
        {"AWS_ACCESS_KEY_ID": ""},  # nor has it a server of keys
        {"AWS_REGION": "us-iso-east-1"},
        {"AWS_REGION": "nowhere"},
        {"AWS_CA_BUNDLE": "/etc/ca.pem"},
        {"AWS_USE_FIPS_ENDPOINT": "true"},
        {"AWS_USE_DUALSTACK_ENDPOINT": "true"},
        {"AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true"},
        {"HTTPS_PROXY": "http://proxy:8080"},
        {"http_proxy": "http://proxy:8080"},
    ],
)
def test_elsewhere_the_sdk_makes_the_request(
    special: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Sdk:
        def get_item(self, **parameters: Any) -> dict[str, Any]:
            return {"asked": parameters}

    for name, value in (USUAL | special).items():
        monkeypatch.setenv(name, value)
    config.reset()
    monkeypatch.setattr(aws, "client", lambda *_, **__: Sdk(), raising=False)
    assert direct.request("dynamodb", "GetItem", GET) == {"asked": GET}


def test_what_only_the_sdk_reads_is_the_sdks() -> None:
    operations = ("DescribeTable", "CreateTable", "UpdateTimeToLive", "ListTables")
    assert not any(protocols.is_known(each) for each in operations)


@pytest.mark.parametrize("region", ["eu-central-1", "us-gov-west-1", "cn-north-1", "ap-south-2"])
@pytest.mark.parametrize("service", protocols.SERVICES)
def test_the_endpoint_is_that_of_the_sdk(service: Any, region: str) -> None:
    sdks = aws.session().create_client(service, region_name=region).meta.endpoint_url
    assert AwsEnvironment(aws_region=region).url(service) == sdks
    at = AwsEnvironment(aws_region=region, aws_endpoint_url="http://127.0.0.1:5000/").url(service)
    assert at == "http://127.0.0.1:5000"
