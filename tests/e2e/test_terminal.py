"""What goes wrong is in the terminal of `make run` as it happens, and `make logs` shows all of a call."""

import json
import os
import re
import signal
import subprocess
import sys
import threading
from typing import Any

import httpx
import pytest

from functions.core.runs.execution import new_run_id
from functions.core.runs.start import start
from infra import sam
from tests.e2e.conftest import LocalStack, ended, eventually

NAME = f"terminal_{os.getpid()}"
"""Another one in each process that runs tests."""
CODE = """
import logging
import threading

from functions.core import aws
from functions.core.errors import Conflict
from functions.core.observability import logger
from functions.core.workflow import Parameters, Result, workflow


class Asked(Parameters):
    how: str


class Answered(Result):
    pass


def NAME(asked: Asked) -> Answered:
    logger.info("my own line")
    logging.getLogger(__name__).info("no line of the call: this module is not one of functions/")
    thread = threading.Thread(target=lambda: logging.getLogger("functions.workflows.mine").info("my thread's line"))
    thread.start()
    thread.join()
    if asked.how == "boom":
        raise RuntimeError("a deliberate exception")
    if asked.how == "conflict":
        raise Conflict("It is so.")
    if asked.how == "denied":
        aws.client("dynamodb").put_item(TableName="local-tokens", Item={"token_hash": {"S": "x"}})
    return Answered()


lambda_handler = workflow(NAME)
"""


@pytest.fixture(scope="module", autouse=True)
def workflow(stack: LocalStack) -> None:
    """The workflow above, with a route of the API."""
    stack.add_workflow(NAME, CODE.replace("NAME", NAME))
    api, api_id = stack.emulator.client("apigatewayv2"), stack.running.outputs["ApiId"]
    (like,) = [
        each
        for each in api.get_routes(ApiId=api_id)["Items"]
        if each["RouteKey"] == "POST /workflows/verify_delete"
    ]
    arn = stack.emulator.client("lambda").get_function(FunctionName=f"local-wf-{NAME}")[
        "Configuration"
    ]["FunctionArn"]
    about = {"IntegrationType": "AWS_PROXY", "IntegrationUri": arn, "PayloadFormatVersion": "2.0"}
    integration = api.create_integration(ApiId=api_id, IntegrationMethod="POST", **about)[
        "IntegrationId"
    ]
    authorized = {
        "AuthorizationType": like["AuthorizationType"],
        "AuthorizerId": like["AuthorizerId"],
    }
    target = f"integrations/{integration}"
    api.create_route(ApiId=api_id, RouteKey=f"POST /workflows/{NAME}", Target=target, **authorized)


def call(stack: LocalStack, how: str) -> httpx.Response:
    with stack.api(stack.new_token("secret", f"workflow:{NAME}")["token"]) as api:
        return api.post(f"/workflows/{NAME}", json={"how": how})


def logs(stack: LocalStack, *words: str) -> str:
    command = [sys.executable, "-m", "infra.logs", "--state", str(stack.state), *words]
    return subprocess.run(command, cwd=sam.ROOT, capture_output=True, text=True, check=True).stdout


def test_an_exception_is_in_the_terminal_and_make_logs_has_all_lines_of_the_call(
    stack: LocalStack,
) -> None:
    reply = call(stack, "boom")
    request_id = reply.json()["request_id"]
    assert reply.json()["detail"].endswith(f"make logs REQUEST={request_id}")
    error = f"ERROR {NAME}: problem 500 internal_error (make logs REQUEST={request_id})\n"
    eventually(lambda: error in stack.text)
    told = stack.text.partition(error)[2]
    assert told.startswith("          Traceback (most recent call last):\n")
    assert '            File "functions/core/http/endpoint.py", line ' in told
    assert "          RuntimeError: a deliberate exception\n" in told
    assert f"POST /workflows/{NAME} 500 internal_error: An unexpected error" in stack.text
    assert "\x1b" not in stack.text, "colours are for terminals"

    shown = logs(stack, "--request", request_id)
    heads = [line for line in shown.splitlines() if not line.startswith(" ")]
    messages = [re.sub(rf".* {NAME}: (.*?)  .*", r"\1", line) for line in heads]
    assert sorted(messages) == ["my own line", "my thread's line", "problem"]
    assert all("trigger=http" in line and f"request_id={request_id}" in line for line in heads)
    assert "    RuntimeError: a deliberate exception\n" in shown
    assert logs(stack, "--workflow", NAME).count(request_id) == 3


@pytest.mark.usefixtures("in_stack")
def test_failed_items_are_in_the_terminal_and_make_logs_has_the_lines_of_all_items(
    stack: LocalStack,
) -> None:
    run = ended(start(NAME, [{"how": "well"}, {"how": "conflict"}], token_id=None))
    line = f"{NAME}: item 1 of run {run.run_id} failed: conflict: It is so. (make logs RUN={run.run_id})\n"
    eventually(lambda: line in stack.text)
    assert stack.text.count(f"of run {run.run_id} failed") == 1
    shown = logs(stack, "--run", run.run_id)
    for index in (0, 1):
        lines = [line for line in shown.splitlines() if f"item_id={run.run_id}/{index}" in line]
        assert len(lines) == 3, shown
        assert all("trigger=run" in line and "request_id=" in line for line in lines)


@pytest.mark.usefixtures("in_stack")
def test_an_item_whose_function_leaves_no_log_is_in_the_terminal_too(stack: LocalStack) -> None:
    """As Step Functions records it, for which it takes a minute."""
    run_id, problem = (
        new_run_id(NAME),
        {"code": "item_crashed", "detail": "The function ended without an answer."},
    )
    item = {"run_id": run_id, "status": "failed", "problem": json.dumps(problem)}
    record = {"index": {"N": "4"}} | {name: {"S": value} for name, value in item.items()}
    stack.emulator.client("dynamodb").put_item(TableName="local-outcomes", Item=record)
    eventually(
        lambda: (
            f"item 4 of run {run_id} failed: item_crashed: The function ended without" in stack.text
        )
    )


def test_a_denied_permission_names_action_and_resource(stack: LocalStack) -> None:
    assert call(stack, "denied").status_code == 500
    eventually(
        lambda: (
            f"{NAME}: permission denied: dynamodb:PutItem on TableName=local-tokens (its role"
            in stack.text
        )
    )


def test_a_refused_delivery_is_said_with_its_source_and_why(stack: LocalStack) -> None:
    httpx.post(f"{stack.url}/webhooks/nobody", json={})
    eventually(
        lambda: (
            "POST /webhooks/nobody 404 not_found: This webhook source does not exist or is not set up."
            in stack.text
        )
    )


@pytest.fixture
def following(stack: LocalStack) -> Any:
    """`make logs FOLLOW=1 WORKFLOW=…` in another terminal."""
    command = [
        sys.executable,
        "-m",
        "infra.logs",
        "--state",
        str(stack.state),
        "--follow",
        "--workflow",
        NAME,
    ]
    with subprocess.Popen(command, cwd=sam.ROOT, stdout=subprocess.PIPE, text=True) as process:
        yield process
        process.kill()


def test_make_logs_follows_what_comes_until_it_is_interrupted(
    stack: LocalStack, following: Any
) -> None:
    shown: list[str] = []
    reader = threading.Thread(target=lambda: shown.extend(following.stdout), daemon=True)
    reader.start()
    before = call(stack, "boom").json()["request_id"]
    eventually(lambda: before in "".join(shown))
    after = call(stack, "boom").json()["request_id"]
    eventually(lambda: "".join(shown).count(after) == 3)
    following.send_signal(signal.SIGINT)
    assert following.wait(30) == 0
    reader.join(30)
    assert "".join(shown).count(before) == 3, "each line once"
