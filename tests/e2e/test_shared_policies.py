"""Policies that several roles share, by calls that a function with such a role makes."""

import io
import json
import uuid
import zipfile
from typing import Any

import pytest

from tests.e2e.conftest import LocalStack

CODE = """
import boto3, botocore.exceptions

def handler(event, _):
    answers = {}
    for name, (service, method, arguments) in event.items():
        try:
            getattr(boto3.client(service), method)(**arguments)
            answers[name] = "done"
        except botocore.exceptions.ClientError as error:
            answers[name] = error.response["Error"]["Code"]
    return answers
"""
KEY = {"call": {"S": "shared-policies"}}
OUTCOME = {"run_id": {"S": "shared-policies"}, "index": {"N": "0"}}
OUTCOMES = {"updates an outcome", "deletes an outcome"}
DENIED = {"AccessDenied", "AccessDeniedException"}


@pytest.mark.parametrize(
    ("workflow", "may"),
    [
        (
            "wf-verify_delete",
            {"writes a file", "updates an outcome", "keeps an answer", "reads a run"},
        ),
        # On AWS its outcomes are events with a key and their listeners: the emulator does not
        # enforce leading keys (unit/test_template.py).
        ("webhooks", {"writes a file", "keeps an answer", "reads a run", *OUTCOMES}),
        ("runs", {"writes a file", "keeps an answer", "reads a run", *OUTCOMES}),
        ("wf-update_usersnap", {"keeps an answer"}),
        ("wf-verify_check", set()),
    ],
)
def test_a_shared_policy_allows_what_it_says_and_nothing_else(
    stack: LocalStack, workflow: str, may: set[str]
) -> None:
    outputs = stack.running.outputs
    execution = outputs["RunWorkflowArn"].replace(":stateMachine:", ":execution:") + ":none"
    bucket, key = outputs["RunsBucket"], "shared-policies/x"
    calls: dict[str, tuple[str, str, dict[str, Any]]] = {
        "writes a file": ("s3", "put_object", {"Bucket": bucket, "Key": f"runs/{key}"}),
        "writes elsewhere": ("s3", "put_object", {"Bucket": bucket, "Key": f"others/{key}"}),
        "updates an outcome": (
            "dynamodb",
            "update_item",
            {"TableName": outputs["OutcomesTable"], "Key": OUTCOME},
        ),
        "deletes an outcome": (
            "dynamodb",
            "delete_item",
            {"TableName": outputs["OutcomesTable"], "Key": OUTCOME},
        ),
        "keeps an answer": (
            "dynamodb",
            "update_item",
            {"TableName": "local-idempotency", "Key": KEY},
        ),
        "reads all answers": ("dynamodb", "scan", {"TableName": "local-idempotency"}),
        "reads a run": ("stepfunctions", "describe_execution", {"executionArn": execution}),
        "reads a run's history": (
            "stepfunctions",
            "get_execution_history",
            {"executionArn": execution},
        ),
    }
    answers = called(stack, workflow, calls)
    assert {name for name, answer in answers.items() if answer not in DENIED} == may, answers


def called(stack: LocalStack, name: str, calls: dict[str, Any]) -> dict[str, str]:
    """Answers to calls of a function with the role of another one."""
    client = stack.emulator.client("lambda")
    like = client.get_function_configuration(FunctionName=f"local-{name}")
    made = f"as-{name}-{uuid.uuid4().hex[:8]}"
    client.create_function(
        FunctionName=made,
        Runtime=like["Runtime"],
        Role=like["Role"],
        Handler="code.handler",
        Code={"ZipFile": zipped()},
        Environment={"Variables": like["Environment"]["Variables"]},
        Timeout=like["Timeout"],
    )
    try:
        answer = client.invoke(FunctionName=made, Payload=json.dumps(calls))
        answers: dict[str, str] = json.load(answer["Payload"])
    finally:
        client.delete_function(FunctionName=made)
    return answers


def zipped() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("code.py", CODE)
    return buffer.getvalue()
