"""Errors of AWS over real HTTP: callers of core/aws get this project's errors, not botocore's."""

import json
import subprocess
import sys
from http.server import BaseHTTPRequestHandler

import pytest
from botocore.exceptions import ClientError

from functions.core import aws
from functions.core.aws import kms, s3, secrets
from functions.core.errors import Unavailable
from functions.core.http.problems import problem
from infra import sam
from tests import fakes
from tests.workflows.conftest import Settings

pytestmark = pytest.mark.usefixtures("cloud")


def refused(settings: Settings, code: str, status: int = 400) -> aws.AwsError:
    """Error of a request that AWS answers with this code."""
    reply = json.dumps({"__type": code, "message": "What AWS says."}).encode()
    with fakes.server(fakes.answers(status, reply)) as url:
        settings.set(AWS_ENDPOINT_URL=url)
        with pytest.raises(aws.AwsError) as caught:
            secrets.read("s1", attempts=1)
    return caught.value


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("ResourceNotFoundException", aws.AwsNotFound),
        ("ResourceExistsException", aws.AwsAlreadyExists),
        ("AccessDeniedException", aws.AwsDenied),
        ("ThrottlingException", aws.AwsUnavailable),
        ("ValidationException", aws.AwsError),
    ],
)
def test_a_code_of_aws_is_an_error_of_its_kind(
    code: str, kind: type[aws.AwsError], settings: Settings
) -> None:
    error = refused(settings, code)
    assert type(error) is kind
    assert (error.code, error.connected) == (code, True)
    assert "What AWS says." in error.message
    assert isinstance(error.__cause__, ClientError), "AWS's error is not its cause"


def test_an_uncaught_error_is_a_500_and_its_text_is_only_logged(settings: Settings) -> None:
    error = refused(settings, "ValidationException")
    told = problem(error, "r1")
    assert (told.status, told.code) == (500, "internal_error")
    assert "What AWS says." not in told.detail
    assert "What AWS says." in str(error)


def test_a_transient_error_is_a_503_that_names_only_the_service(settings: Settings) -> None:
    error = refused(settings, "InternalServiceError", 500)
    told = problem(error, "r1")
    assert (told.status, told.code, told.retry_after_seconds) == (503, "unavailable", 5)
    assert told.detail == "Secrets Manager is not available right now."
    assert error.transient


def test_a_network_that_fails_is_unavailable_and_says_whether_it_connected(
    settings: Settings,
) -> None:
    settings.set(AWS_ENDPOINT_URL=fakes.nobody())
    with pytest.raises(aws.AwsUnavailable) as caught:
        secrets.read("s1", attempts=1)
    assert (caught.value.code, caught.value.connected) == ("EndpointConnectionError", False)
    assert caught.value.response == {}


def test_an_answer_of_s3_that_breaks_off_is_unavailable_too(settings: Settings) -> None:
    def breaks_off(request: BaseHTTPRequestHandler, _: bytes) -> None:
        request.send_response(200)
        request.send_header("content-length", "100")
        request.end_headers()
        request.wfile.write(b"the beginning")
        request.close_connection = True

    with fakes.server(breaks_off) as url:
        settings.set(AWS_ENDPOINT_URL=url)
        with pytest.raises(Unavailable, match="S3 is not available right now"):
            s3.read("runs/1")
        with pytest.raises(Unavailable):
            list(s3.read_lines("runs/1"))
        with pytest.raises(Unavailable):
            list(s3.read_parts("runs/1"))


def test_dynamodbs_client_keeps_the_errors_that_pynamodb_and_powertools_read(
    settings: Settings,
) -> None:
    reply = b'{"__type": "ConditionalCheckFailedException"}'
    with fakes.server(fakes.answers(400, reply)) as url:
        settings.set(AWS_ENDPOINT_URL=url)
        with pytest.raises(ClientError):
            aws.client("dynamodb", attempts=1).get_item(TableName="t", Key={"id": {"S": "1"}})


@pytest.mark.parametrize("code", ["NotFoundException", "DisabledException"])
def test_a_key_that_cannot_be_used_has_no_public_half(code: str, settings: Settings) -> None:
    with fakes.server(fakes.answers(400, json.dumps({"__type": code}).encode())) as url:
        settings.set(AWS_ENDPOINT_URL=url)
        assert kms.public_key("arn:aws:kms:us-east-1:1:key/1") is None


def test_an_object_is_written_once() -> None:
    assert [s3.write_once("uploads/1.run", text) for text in (b"first", b"second")] == [True, False]
    assert s3.read("uploads/1.run") == b"first"


def test_lines_and_parts_of_an_object_are_those_that_were_written() -> None:
    writer = s3.ObjectWriter("runs/1")
    for number in range(3):
        writer.write(b"line %d\n" % number)
    assert s3.read("runs/1") is None, "the stream was closed too early"
    writer.close()
    assert list(s3.read_lines("runs/1")) == [b"line 0", b"line 1", b"line 2"]
    assert b"".join(s3.read_parts("runs/1")) == b"line 0\nline 1\nline 2\n"
    assert s3.read_range("runs/1", 7, 6) == b"line 1"


def test_no_cold_start_pays_for_clients_or_errors() -> None:
    code = "import sys, functions.api.authorize.handler, functions.workflows.verify_check.handler;"
    code += "print([f'functions.core.aws.{each}' in sys.modules for each in ('clients', 'errors')])"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=sam.ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[False, False]"
