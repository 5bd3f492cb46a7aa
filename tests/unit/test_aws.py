"""Transient errors of AWS, according to botocore's service models."""

from collections.abc import Callable
from functools import cache
from typing import Any

import botocore.session
import pytest
from botocore.exceptions import (
    ClientError,
    ConnectTimeoutError,
    IncompleteReadError,
    ParamValidationError,
)
from botocore.retries.standard import ThrottledRetryableChecker, TransientRetryableChecker
from moto import mock_aws

from functions.core import aws
from functions.core.aws import dynamodb
from functions.core.aws.errors import is_transient

USED = {
    "dynamodb": ["GetItem", "PutItem", "UpdateItem", "DeleteItem", "BatchGetItem", "Query", "Scan"],
    "kms": ["Sign", "GetPublicKey"],
    "lambda": ["Invoke", "GetAccountSettings"],
    "s3": [
        "GetObject",
        "PutObject",
        "DeleteObjects",
        "CreateMultipartUpload",
        "UploadPart",
        "CompleteMultipartUpload",
    ],
    "scheduler": [
        "CreateSchedule",
        "UpdateSchedule",
        "GetSchedule",
        "DeleteSchedule",
        "ListSchedules",
    ],
    "secretsmanager": ["GetSecretValue", "PutSecretValue", "DescribeSecret"],
    "sesv2": ["SendEmail", "GetAccount"],
    "sns": ["Publish", "GetSMSSandboxAccountStatus", "ListSubscriptionsByTopic"],
    "stepfunctions": [
        "StartExecution",
        "DescribeExecution",
        "StopExecution",
        "ListExecutions",
        "ListMapRuns",
    ],
}
"""Operations that the functions call.

TransactWriteItems is absent, because its refusals have reasons of their own (limits.py).
"""

TRANSIENT = {
    "ConflictException",
    "ExecutionLimitExceeded",
    "InternalServerError",
    "KMSThrottling",
    "LimitExceededException",
    "ProvisionedThroughputExceededException",
    "ReplicatedWriteConflictException",
    "RequestLimitExceeded",
    "ResourceConflictException",
    "ServiceQuotaExceededException",
    "Throttled",
    "ThrottlingException",
    "TooManyRequestsException",
    "TransactionConflictException",
    "InternalServiceError",
}
"""Transient codes in the models whose HTTP status does not say so."""

WRONG = {
    "AccountSuspendedException",
    "ConditionalCheckFailedException",
    "ExecutionAlreadyExists",
    "ExecutionDoesNotExist",
    "InvalidName",
    "MessageRejected",
    "NoSuchKey",
    "ResourceExistsException",
    "ResourceNotFoundException",
    "StateMachineDoesNotExist",
    "ValidationException",
}
"""Examples of errors that are not transient."""


@cache
def modelled() -> dict[str, int]:
    """HTTP status of each code that AWS may answer; 400 where the model does not say."""
    found: dict[str, int] = {}
    for service, operations in USED.items():
        model = botocore.session.get_session().get_service_model(service)
        for operation in operations:
            for shape in model.operation_model(operation).error_shapes:
                about = shape.metadata.get("error", {})
                found[about.get("code", shape.name)] = about.get("httpStatusCode", 400)
    return found


def error(code: str, status: int) -> ClientError:
    response: Any = {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(response, "Anything")


@pytest.mark.parametrize(
    "client", [lambda: aws.client("dynamodb"), lambda: dynamodb.connection().client]
)
def test_in_tests_a_call_that_its_model_does_not_have_is_refused(client: Callable[[], Any]) -> None:
    with mock_aws(), pytest.raises(ParamValidationError):
        client()._make_api_call("GetItem", {"TableName": "t", "Key": {"id": "not an attribute"}})


def test_the_codes_are_those_of_the_models() -> None:
    assert modelled().keys() >= TRANSIENT | WRONG


@pytest.mark.parametrize("code", sorted(TRANSIENT))
def test_throttling_overload_and_conflicts_are_transient(code: str) -> None:
    assert is_transient(error(code, modelled()[code]))


@pytest.mark.parametrize(
    "code", sorted(code for code, status in modelled().items() if status == 429 or status >= 500)
)
def test_a_code_with_status_429_or_from_500_is_transient(code: str) -> None:
    assert is_transient(error(code, modelled()[code]))


@pytest.mark.parametrize("code", sorted(WRONG))
def test_an_invalid_request_is_not_transient(code: str) -> None:
    assert not is_transient(error(code, modelled()[code]))


@pytest.mark.parametrize(
    "code",
    sorted(
        {
            *ThrottledRetryableChecker._THROTTLED_ERROR_CODES,
            *TransientRetryableChecker._TRANSIENT_ERROR_CODES,
        }
    ),
)
def test_a_code_that_the_sdk_retries_is_transient(code: str) -> None:
    assert is_transient(error(code, 400))


def test_a_network_that_fails_is_transient_and_a_wrong_request_is_not() -> None:
    assert is_transient(ConnectTimeoutError(endpoint_url="https://example.com"))
    assert is_transient(IncompleteReadError(actual_bytes=1, expected_bytes=2))
    assert not is_transient(ParamValidationError(report="x"))
