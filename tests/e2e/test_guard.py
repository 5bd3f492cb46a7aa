"""Web pages against the local stack: requests to the emulator, as a page would send them."""

import base64
import io
import json
import socket
import time
import zipfile
from collections.abc import Callable
from typing import Any, NamedTuple

import httpx
import pytest

from infra.local.guard import KEY_HEADER
from tests.e2e.conftest import LocalStack

PAGES = {
    "a page of another site": {"origin": "https://evil.example", "sec-fetch-site": "cross-site"},
    "a browser without Fetch Metadata": {"origin": "https://evil.example"},
    "a sandboxed frame": {"origin": "null", "sec-fetch-site": "cross-site"},
    "an image": {"sec-fetch-site": "cross-site"},
    "a page whose name resolves to loopback": {"host": "evil.example"},
    "a page of an allowed origin": {
        "origin": "http://localhost:3000",
        "sec-fetch-site": "cross-site",
    },
}


class Attack(NamedTuple):
    """A request to the emulator."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes

    def send(self, stack: LocalStack, headers: dict[str, str]) -> httpx.Response:
        url = stack.running.emulator_url + self.path
        return httpx.request(
            self.method,
            url,
            params=self.query,
            headers=self.headers | headers,
            content=self.body,
            timeout=60,
        )


def unsigned(service: str) -> dict[str, str]:
    """Query that names root's well-known key and has no valid signature.

    It needs no header, so a browser sends no preflight.
    """
    now = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    scope = f"test/{now[:8]}/us-east-1/{service}/aws4_request"
    about = {"X-Amz-Algorithm": "AWS4-HMAC-SHA256", "X-Amz-Credential": scope, "X-Amz-Date": now}
    return about | {
        "X-Amz-Expires": "900",
        "X-Amz-SignedHeaders": "host",
        "X-Amz-Signature": "junk",
    }


def simple(service: str, path: str, body: dict[str, Any], **query: str) -> Attack:
    """POST that a browser sends without a preflight."""
    return Attack(
        "POST",
        path,
        unsigned(service) | query,
        {"content-type": "text/plain"},
        json.dumps(body).encode(),
    )


def create_function(stack: LocalStack) -> Attack:
    role = stack.emulator.client("lambda").get_function_configuration(
        FunctionName="local-wf-verify_delete"
    )["Role"]
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as code:
        code.writestr("x.py", "def handler(event, context):\n    return 'ran'\n")
    about = {
        "FunctionName": f"evil{time.time_ns()}",
        "Runtime": "python3.13",
        "Role": role,
        "Handler": "x.handler",
    }
    return simple(
        "lambda",
        "/2015-03-31/functions",
        about | {"Code": {"ZipFile": base64.b64encode(archive.getvalue()).decode()}},
    )


def get_secret_value(stack: LocalStack) -> Attack:
    """Call that a page can send because the emulator itself answers preflights with `*`."""
    headers = {
        "content-type": "application/x-amz-json-1.1",
        "x-amz-target": "secretsmanager.GetSecretValue",
    }
    body = json.dumps({"SecretId": stack.running.outputs["RegistrationTokenSecret"]}).encode()
    return Attack("POST", "/", unsigned("secretsmanager"), headers, body)


def preflight(_: LocalStack) -> Attack:
    asked = {
        "access-control-request-method": "POST",
        "access-control-request-headers": "x-amz-target",
    }
    return Attack("OPTIONS", "/", {}, asked, b"")


def list_queues(_: LocalStack) -> Attack:
    form = {"content-type": "application/x-www-form-urlencoded"}
    return Attack("POST", "/", unsigned("sqs"), form, b"Action=ListQueues&Version=2012-11-05")


def list_topics(_: LocalStack) -> Attack:
    return Attack(
        "GET", "/", unsigned("sns") | {"Action": "ListTopics", "Version": "2010-03-31"}, {}, b""
    )


def put_object(stack: LocalStack) -> Attack:
    s3 = stack.emulator.client("s3")
    about = {"Bucket": stack.running.outputs["RunsBucket"], "Key": f"runs/{time.time_ns()}"}
    url = httpx.URL(s3.generate_presigned_url("put_object", Params=about))
    return Attack("PUT", url.path, dict(url.params), {}, b"x")


def call_api(stack: LocalStack) -> Attack:
    """Call that bypasses the local server."""
    headers = {
        "content-type": "application/json",
        "authorization": f"Bearer {stack.printed('secret')}",
    }
    path = f"/_aws/execute-api/{stack.running.outputs['ApiId']}/$default/workflows/verify_check"
    return Attack("POST", path, {}, headers, b'{"verification_id":"k1.unknown","code":"000000"}')


def read_messages(stack: LocalStack) -> Attack:
    return Attack(
        "GET", "/_ministack/ses/messages", {}, {KEY_HEADER: stack.running.emulator_key}, b""
    )


def configure(stack: LocalStack) -> Attack:
    return Attack("POST", "/_ministack/config", {}, {KEY_HEADER: stack.running.emulator_key}, b"{}")


SIGNED_BY_US = [read_messages, configure]
ATTACKS = [
    create_function,
    get_secret_value,
    preflight,
    list_queues,
    list_topics,
    put_object,
    call_api,
    *SIGNED_BY_US,
]


@pytest.mark.parametrize("attack", ATTACKS)
def test_programs_get_an_answer_and_pages_a_refusal(
    attack: Callable[[LocalStack], Attack], stack: LocalStack
) -> None:
    for page, headers in PAGES.items():
        # A page cannot know the key of the run.
        made = attack(stack)
        made = made._replace(
            headers={name: value for name, value in made.headers.items() if name != KEY_HEADER}
        )
        refused = made.send(stack, headers)
        assert (refused.status_code, "access-control-allow-origin" in refused.headers) == (
            403,
            False,
        ), page
        assert refused.text.startswith(
            ("The emulator answers only", "Web pages have no access", "Only make run")
        ), page
    allowed = attack(stack).send(stack, {})
    assert allowed.status_code < 300, allowed.text


@pytest.mark.parametrize(
    "path", ["/_ministack/reset", "/_ministack/sns/sms-messages", "/health", "/latest/meta-data/"]
)
def test_the_emulators_own_pages_want_the_key_of_this_run(path: str, stack: LocalStack) -> None:
    for key in ({}, {KEY_HEADER: "wrong"}):
        assert httpx.post(stack.running.emulator_url + path, headers=key).status_code == 403
    assert stack.emulator.inspect("/_ministack/health")["auth"] == "enabled"


def says(port: int, text: str) -> list[str]:
    """Statuses of the answers on one connection, until the server closes it."""
    with socket.create_connection(("127.0.0.1", port), timeout=60) as plain:
        plain.sendall(text.replace("\n", "\r\n").encode())
        answer = plain.makefile("rb").read().decode("latin-1")
    return [line[9:12] for line in answer.splitlines() if line.startswith("HTTP/1.1 ")]


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("GET http://evil.example/_ministack/ses/messages HTTP/1.1\nHost: {host}\n\n", "403"),
        ("GET http://{host}/_ministack/ses/messages HTTP/1.1\nHost: {host}\n\n", "403"),
        ("GET /?Action=ListTopics HTTP/1.1\nHost: {host}\nHost: evil.example\n\n", "400"),
        ("GET /?Action=ListTopics HTTP/1.1\n\n", "400"),
        ("GET /?Action=ListTopics HTTP/1.0\n\n", "403"),
        ("GET /?Action=ListTopics HTTP/1.1\nHOST: EVIL.EXAMPLE\n\n", "403"),
        ("POST / HTTP/1.1\nHost: {host}\nORIGIN: null\nContent-Length: 0\n\n", "403"),
        ("GET /%5fministack/ses/messages HTTP/1.1\nHost: {host}\n\n", "403"),
        ("GET /_ministack/../_ministack/ses/messages HTTP/1.1\nHost: {host}\n\n", "403"),
        ("OPTIONS * HTTP/1.1\nHost: {host}\n\n", "403"),
    ],
)
def test_no_way_of_writing_a_request_gets_around_it(
    text: str, status: str, stack: LocalStack
) -> None:
    url = httpx.URL(stack.running.emulator_url)
    assert says(url.port or 0, text.format(host=f"127.0.0.1:{url.port}")) == [status]


def test_a_body_that_is_refused_is_not_the_next_request(stack: LocalStack) -> None:
    url = httpx.URL(stack.running.emulator_url)
    hidden = "GET /?Action=ListTopics HTTP/1.1\nHost: 127.0.0.1\n\n"
    page = "Host: 127.0.0.1\nOrigin: https://evil.example"
    first = f"POST / HTTP/1.1\n{page}\nContent-Length: {len(hidden) + 3}\n\n"
    assert says(url.port or 0, first + hidden) == ["403"]


@pytest.mark.parametrize(
    "origin", ["Origin: https://evil.example\n", "Origin: http://localhost:3000\n"]
)
def test_a_page_opens_no_websocket(origin: str, stack: LocalStack) -> None:
    url = httpx.URL(stack.running.emulator_url)
    upgrade = (
        "Connection: Upgrade\nUpgrade: websocket\n"
        "Sec-WebSocket-Version: 13\nSec-WebSocket-Key: dGhlIHNhbXBsZQ==\n"
    )
    path = f"/_aws/execute-api/{stack.running.outputs['ApiId']}/$default"
    assert says(url.port or 0, f"GET {path} HTTP/1.1\nHost: 127.0.0.1\n{origin}{upgrade}\n") == [
        "403"
    ]


def new_form(stack: LocalStack) -> dict[str, Any]:
    with stack.api() as api:
        form: dict[str, Any] = api.post("/runs/uploads", json={"format": "csv"}).json()
    return form


@pytest.mark.parametrize(
    "origin", ["http://localhost:3000", "http://localhost:4200", "https://[::1]:8443"]
)
def test_a_page_that_may_call_the_api_uploads_a_list(origin: str, stack: LocalStack) -> None:
    page = {"origin": origin, "sec-fetch-site": "cross-site"}
    form = new_form(stack)
    asked = httpx.options(form["url"], headers=page | {"access-control-request-method": "POST"})
    assert (asked.status_code, asked.headers["access-control-allow-origin"]) == (200, origin)
    files = {"file": ("list.csv", b"verification_id\nk1.one\n")}
    sent = httpx.post(form["url"], data=form["fields"], files=files, headers=page, timeout=60)
    assert (sent.status_code, sent.headers["access-control-allow-origin"]) == (204, origin)
    assert "ETag" in sent.headers["access-control-expose-headers"]
    with stack.api() as api:
        run = api.post(
            "/runs",
            json={"workflow": "verify_delete", "upload_id": form["upload_id"]},
            headers=page,
        )
    assert (run.status_code, run.headers["access-control-allow-origin"]) == (202, origin)


def test_a_page_that_may_not_call_the_api_uploads_nothing(stack: LocalStack) -> None:
    form, page = new_form(stack), {"origin": "https://evil.example"}
    files = {"file": ("list.csv", b"verification_id\nk1.one\n")}
    assert (
        httpx.options(
            form["url"], headers=page | {"access-control-request-method": "POST"}
        ).status_code
        == 403
    )
    assert (
        httpx.post(form["url"], data=form["fields"], files=files, headers=page).status_code == 403
    )
    page = {"origin": "http://localhost:3000"}
    other = f"{stack.running.emulator_url}/local-artifacts"
    assert httpx.post(other, data=form["fields"], files=files, headers=page).status_code == 403


def test_functions_do_not_see_the_key(stack: LocalStack) -> None:
    """The emulator passes it on neither in the environment nor with a request."""
    name = f"shows{time.time_ns()}"
    shown = "{'seen': [str(dict(os.environ)), str(event)]}"
    code = f"import os\ndef lambda_handler(event, context):\n    return {shown}\n"
    stack.add_workflow(name, code)
    answer = stack.emulator.client("lambda").invoke(FunctionName=f"local-wf-{name}", Payload=b"{}")
    assert "LOCAL_LINKS" in (seen := answer["Payload"].read().decode())
    assert stack.running.emulator_key not in seen
