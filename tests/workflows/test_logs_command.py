"""`make logs ENV=dev` on moto's account: the log groups that it reads, and its output."""

import json
import sys
import time
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber
from moto import mock_aws

from infra.logs.__main__ import main
from infra.logs.sources import local_sources

STACK = "backend-workflows-dev"
GROUPS = [
    f"/aws/lambda/{STACK}-wf-verify_send",
    f"/aws/lambda/{STACK}-runs",
    f"/aws/vendedlogs/{STACK}-api",
]
NOW = int(time.time() * 1000)


@pytest.fixture
def deployed(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A stack's log groups (a workflow's, the platform's, the API's), and another stack's."""
    rows = [resource("AWS::Logs::LogGroup", group) for group in GROUPS] + [
        resource("AWS::SQS::Queue", "queue")
    ]
    output = {"OutputKey": "ApiUrl", "OutputValue": "https://api.example.com"}
    stack = {
        "StackName": STACK,
        "CreationTime": "2026-11-23",
        "StackStatus": "CREATE_COMPLETE",
        "Outputs": [output],
    }
    cloudformation, make = boto3.client("cloudformation"), boto3.client
    monkeypatch.setattr(
        boto3,
        "client",
        lambda name, **k: cloudformation if name == "cloudformation" else make(name, **k),
    )
    with mock_aws(), Stubber(cloudformation) as stub:
        for group in [*GROUPS, "/aws/lambda/another-runs"]:
            boto3.client("logs").create_log_group(logGroupName=group)
        stub.add_response("describe_stacks", {"Stacks": [stack]}, {"StackName": STACK})
        page = {"StackResourceSummaries": rows[:2], "NextToken": "more"}
        stub.add_response("list_stack_resources", page, {"StackName": STACK})
        last = {"StackResourceSummaries": rows[2:]}
        stub.add_response("list_stack_resources", last, {"StackName": STACK, "NextToken": "more"})
        yield


def resource(kind: str, name: str) -> dict[str, str]:
    about = {
        "LogicalResourceId": "One",
        "ResourceStatus": "CREATE_COMPLETE",
        "LastUpdatedTimestamp": "2026-11-23",
    }
    return about | {"ResourceType": kind, "PhysicalResourceId": name}


def log(group: str, message: str, seconds_ago: float = 1, **keys: Any) -> None:
    logs, stream = boto3.client("logs"), f"stream{time.monotonic_ns()}"
    logs.create_log_stream(logGroupName=group, logStreamName=stream)
    told = json.dumps({"level": "INFO", "message": message} | keys)
    event = {"timestamp": NOW - int(seconds_ago * 1000), "message": told}
    logs.put_log_events(logGroupName=group, logStreamName=stream, logEvents=[event])


def run(monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    monkeypatch.setattr(sys, "argv", ["infra.logs", "--env", "dev", *words])
    return main()


@pytest.mark.usefixtures("deployed")
def test_the_last_lines_of_all_functions_are_shown_in_their_order(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    log(GROUPS[1], "second", 20, workflow="verify_send")
    log(GROUPS[0], "first", 30)
    log(GROUPS[2], "third", 10, route="POST /runs")
    log("/aws/lambda/another-runs", "not ours")
    assert run(monkeypatch) == 0
    shown = [line.split("  ", 2)[2].strip() for line in capsys.readouterr().out.splitlines()]
    assert shown == ["verify_send: first", "verify_send: second", "api: third  route=POST /runs"]


@pytest.mark.usefixtures("deployed")
def test_lines_that_are_days_old_are_found(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    log(GROUPS[0], "old", 5 * 86_400)
    assert run(monkeypatch) == 0
    assert "verify_send: old" in capsys.readouterr().out


@pytest.mark.usefixtures("deployed")
@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        (["--request", "r1"], 0, "No log line of the last 8 days matches request r1."),
        (
            ["--workflow", "verify_sent"],
            1,
            "There is no workflow 'verify_sent'. There are: verify_send.",
        ),
        (["--run", "a b"], 1, "RUN=a b is not a valid id."),
        (
            ["--env", "nowhere"],
            1,
            "samconfig.toml has no environment 'nowhere'. It has: dev, prod.",
        ),
    ],
)
def test_a_wrong_argument_is_reported(
    words: list[str],
    code: int,
    sentence: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("infra.logs.reading._events", lambda *_, **__: [])  # moto knows no pattern
    assert run(monkeypatch, *words) == code
    captured = capsys.readouterr()
    assert (captured.out + captured.err).strip() == sentence


def test_the_emulators_functions_log_to_the_group_that_they_say_or_to_their_own() -> None:
    class Lambda:
        def get_paginator(self, _: str) -> "Lambda":
            return self

        def paginate(self) -> list[dict[str, Any]]:
            named = {
                "FunctionName": "local-runs",
                "LoggingConfig": {"LogGroup": "/elsewhere/local-runs"},
            }
            return [{"Functions": [named]}, {"Functions": [{"FunctionName": "local-wf-greet"}]}]

    assert [
        (source.group, source.name, source.workflow) for source in local_sources(Lambda(), "local")
    ] == [
        ("/elsewhere/local-runs", "runs", None),
        ("/aws/lambda/local-wf-greet", "greet", "greet"),
    ]
