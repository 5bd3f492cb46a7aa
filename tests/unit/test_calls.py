"""The record of every function's calls (`make calls`)."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from functions.core.aws.protocols import Service, message
from infra import sam
from tests import fakes
from tests.calls.recorder import asked
from tests.calls.report import ALL, compared, merged, report

HANDLER = """
import http.client
import os
import threading

import botocore.session

dynamodb = botocore.session.get_session().create_client("dynamodb")

def lambda_handler(event, context):
    for _ in range(event["times"]):
        dynamodb.get_item(TableName="local-tokens", Key={"token_id": {"S": "a"}})
    thread = threading.Thread(target=dynamodb.describe_limits)
    thread.start()
    thread.join()
    client = http.client.HTTPConnection(os.environ["AWS_ENDPOINT_URL"].removeprefix("http://"))
    client.request("POST", "/", b"{}")
    client.close()
"""
CALL = """
from functions.workflows.ping.handler import lambda_handler
lambda_handler({"trigger": "direct", "times": 2}, None)
"""


def call_ping(project: Path, **variables: str) -> list[Any]:
    """Record of a function that is called in a process of its own."""
    folder = project / "functions/workflows/ping"
    folder.mkdir(parents=True)
    (folder / "handler.py").write_text(HANDLER)
    (project / "calls").mkdir()
    around = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    with fakes.server(fakes.answers(200, b"{}")) as url:
        here = {"AWS_ENDPOINT_URL": url, "CALLS_FOLDER": str(project / "calls")}
        subprocess.run(
            [sys.executable, "-c", CALL], cwd=project, env=around | here | variables, check=True
        )
    files = (project / "calls").iterdir()
    return [json.loads(line) for file in files for line in file.read_text().splitlines()]


def test_each_invocation_is_recorded_with_its_calls_in_aws_and_over_http(tmp_path: Path) -> None:
    init, called = call_ping(tmp_path, PYTHONPATH=str(sam.ROOT / "tests/calls"))
    assert init == {"function": "ping", "trigger": "init", "calls": {}}
    assert called == {
        "function": "ping",
        "trigger": "direct",
        "calls": {
            "dynamodb:GetItem local-tokens": 2,
            "dynamodb:DescribeLimits": 1,
            "http:POST 127.0.0.1 from functions.workflows.ping.handler": 1,
        },
    }


def test_nothing_is_recorded_where_nobody_asks_for_it(tmp_path: Path) -> None:
    assert call_ping(tmp_path) == []


@pytest.mark.parametrize(
    ("service", "operation", "named"),
    [
        ("dynamodb", "GetItem", "GetItem t"),
        ("sesv2", "SendEmail", "SendEmail"),
        ("scheduler", "CreateSchedule", "CreateSchedule"),
        ("sns", "Publish", "Publish"),
    ],
)
def test_a_request_that_the_sdk_does_not_make_is_named_by_its_operation(
    service: Service, operation: str, named: str
) -> None:
    sent = message(service, operation, {"TableName": "t", "Name": "a"})
    assert asked(sent.path, sent.body, sent.headers) == named


def line(function: str, calls: dict[str, int]) -> str:
    return json.dumps({"function": function, "trigger": "http", "calls": calls})


def test_records_of_many_processes_become_one() -> None:
    made: list[dict[str, int]] = [{"dynamodb:GetItem": 1}, {"dynamodb:GetItem": 3}, {}]
    counted = merged(line("authorize", calls) for calls in made)["authorize"]["http"]
    assert counted["dynamodb:GetItem"] == {"count": 4, "invocations": 2, "most": 3}
    assert counted[ALL] == {"count": 4, "invocations": 3, "most": 3}


@pytest.mark.parametrize(
    ("call", "missing"),
    [
        ("dynamodb:GetItem local-tokens", []),
        ("dynamodb:GetItem local-limits", ["dynamodb:GetItem Limits.Arn"]),
        ("dynamodb:TransactWriteItems Put:local-tokens", ["dynamodb:PutItem Tokens.Arn"]),
        ("lambda:Invoke", ["lambda:InvokeFunction "]),
        ("s3:GetObject runs/*", ["s3:GetObject ${RunFiles.Arn}/runs/*"]),
        ("http:POST 127.0.0.1 from functions.core", []),
    ],
)
def test_a_call_without_a_permission_is_told(call: str, missing: list[str]) -> None:
    record = merged([line("authorize", {call: 1})])
    assert compared("authorize", record)[0] == missing


def test_a_permission_that_nothing_used_is_told_and_functions_of_tests_are_left_out() -> None:
    lines = list(report(merged([line("authorize", {}), line("a_tests_own", {"dynamodb:Scan": 1})])))
    assert "  allowed, never used: dynamodb:GetItem Tokens.Arn" in lines
    assert not [each for each in lines if "a_tests_own" in each or "Scan" in each]
