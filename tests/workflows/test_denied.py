"""Errors of denied permissions: they name action and resource, even if AWS's text does not."""

from typing import Any

import pytest

from functions.core import aws
from functions.core.auth.lookup import read_token
from tests import fakes
from tests.workflows.conftest import Settings

S3_DENIES = b"<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>"
DENIES = (
    b'{"__type": "AccessDeniedException", "message": "User: x is not authorized to perform: %s"}'
)


def denied(
    service: str, operation: str, reply: bytes, settings: Settings, **parameters: Any
) -> str:
    """Text of the error with which a denied call ends."""
    with fakes.server(fakes.answers(403, reply)) as url:
        settings.set(AWS_ENDPOINT_URL=url)
        with pytest.raises(aws.AwsError) as caught:
            getattr(aws.client(service, attempts=1), operation)(**parameters)
    return str(caught.value)


def test_s3_which_names_nothing_is_told_with_action_and_object(settings: Settings) -> None:
    text = denied(
        "s3",
        "get_object",
        S3_DENIES,
        settings,
        Bucket="app-runs",
        Key="runs/1",
        SSECustomerKey="secret",
    )
    assert text.endswith("Access Denied [s3:GetObject on resource: Bucket=app-runs Key=runs/1]")


def test_an_errors_missing_parts_are_added_and_its_own_are_kept(settings: Settings) -> None:
    text = denied(
        "secretsmanager",
        "get_secret_value",
        DENIES % b"secretsmanager:GetSecretValue",
        settings,
        SecretId="s1",
    )
    assert "is not authorized to perform: secretsmanager:GetSecretValue" in text
    assert text.endswith("[secretsmanager:GetSecretValue on resource: SecretId=s1]")


def test_an_error_that_names_its_resource_stays_as_it_is(settings: Settings) -> None:
    reply = DENIES % b"kms:Sign on resource: arn:aws:kms:us-east-1:1:key/1"
    text = denied("kms", "get_public_key", reply, settings, KeyId="another")
    assert text.endswith("kms:Sign on resource: arn:aws:kms:us-east-1:1:key/1")


def test_a_message_and_a_number_are_no_resources(settings: Settings) -> None:
    reply = b"<ErrorResponse>%s</ErrorResponse>" % S3_DENIES.replace(
        b"AccessDenied", b"AuthorizationError"
    )
    text = denied(
        "sns", "publish", reply, settings, PhoneNumber="+14155550123", Message="Your code is 584311"
    )
    assert text.endswith("Access Denied [sns:Publish on resource: *]")


def test_a_table_is_named_too(settings: Settings) -> None:
    """Errors of PynamoDB come from the same botocore session."""
    with fakes.server(fakes.answers(400, DENIES % b"dynamodb:Query")) as url:
        settings.set(AWS_ENDPOINT_URL=url)
        with pytest.raises(Exception, match=r"\[dynamodb:\w+ on resource: TableName=local-tokens"):
            read_token("0123456789abcdef")


def test_any_other_error_stays_as_it_is(settings: Settings) -> None:
    reply = b'{"__type": "ResourceNotFoundException", "message": "There is no such secret."}'
    assert "[" not in denied("secretsmanager", "get_secret_value", reply, settings, SecretId="s1")
