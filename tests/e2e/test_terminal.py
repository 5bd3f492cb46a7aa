"""Faults in the terminal of `make run` as they happen; all of a call's lines in `make logs`."""

import json
import os
import re
import signal
import subprocess
import sys
import threading
import uuid
from typing import Any

import httpx
import pytest

from infra import sam
from tests.e2e import runs
from tests.e2e.conftest import LocalStack, eventually

NAME = f"terminal_{os.getpid()}"
"""Different in each process that runs tests."""
CODE = """
import logging
import threading

from functions.core import aws
from functions.core.errors import Conflict
from functions.core.observability import logger
from functions.core.workflow import Parameters, Result, start, workflow


class Asked(Parameters):
    how: str


class Answered(Result):
    run_id: str | None = None


def NAME(asked: Asked) -> Answered:
    if asked.how == "start":
        run = start("NAME", [{"how": "well"}, {"how": "conflict"}])
        return Answered(run_id=run.run_id)
    logger.info("my own line")
    logging.getLogger(__name__).info("no line of the call: this module is not one of functions/")
    mine = logging.getLogger("functions.workflows.mine")
    thread = threading.Thread(target=lambda: mine.info("my thread's line"))
    thread.start()
    thread.join()
    if asked.how == "boom":
        raise RuntimeError("a deliberate exception")
    if asked.how == "conflict":
        raise Conflict("It is so.")
    if asked.how == "denied":
        aws.client("dynamodb").put_item(TableName="local-tokens", Item={"token_hash": {"S": "x"}})
    return Answered()


lambda_handler = workflow(NAME, starts=["NAME"])
"""


@pytest.fixture(scope="module", autouse=True)
def workflow(stack: LocalStack) -> None:
    """Adds that workflow, with a route of the API."""
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
    with stack.new_api(f"workflow:{NAME}") as api:
        return api.post(f"/workflows/{NAME}", json={"how": how})


def logs(stack: LocalStack, *words: str) -> str:
    command = [sys.executable, "-m", "infra.logs", "--state", str(stack.state), *words]
    done = subprocess.run(command, cwd=sam.ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_an_exception_is_in_the_terminal_and_make_logs_has_all_lines_of_the_call(
    stack: LocalStack,
) -> None:
    reply = call(stack, "boom")
    request_id = reply.json()["request_id"]
    assert reply.json()["detail"].endswith(f"make logs REQUEST={request_id}")
    error = f"ERROR {NAME}: problem 500 internal_error (make logs REQUEST={request_id})\n"
    told = stack.wait_for_text(error).partition(error)[2]
    assert told.startswith("          Traceback (most recent call last):\n")
    assert '            File "functions/core/http/endpoint.py", line ' in told
    assert "          RuntimeError: a deliberate exception\n" in told
    stack.wait_for_text(f"POST /workflows/{NAME} 500 internal_error: An unexpected error")
    assert "\x1b" not in stack.text, "output that is no terminal has no colours"

    shown = logs(stack, "--request", request_id)
    heads = [line for line in shown.splitlines() if not line.startswith(" ")]
    messages = [re.sub(rf".* {NAME}: (.*?)  .*", r"\1", line) for line in heads]
    assert sorted(messages) == ["my own line", "my thread's line", "problem"]
    assert all("trigger=http" in line and f"request_id={request_id}" in line for line in heads)
    assert "    RuntimeError: a deliberate exception\n" in shown
    assert logs(stack, "--workflow", NAME).count(request_id) == 3


def test_failed_items_are_in_the_terminal_and_make_logs_has_the_lines_of_all_items(
    stack: LocalStack,
) -> None:
    run_id = call(stack, "start").json()["run_id"]
    with stack.new_api(f"runs:read,workflow:{NAME}") as api:
        runs.ended(api, run_id)
    problem = "failed: conflict: It is so."
    stack.wait_for_text(f"{NAME}: item 1 of run {run_id} {problem} (make logs RUN={run_id})\n")
    assert stack.text.count(f"of run {run_id} failed") == 1
    shown = logs(stack, "--run", run_id)
    for index in (0, 1):
        lines = [line for line in shown.splitlines() if f"item_id={run_id}/{index}" in line]
        assert len(lines) == 3, shown
        assert all("trigger=run" in line and "request_id=" in line for line in lines)


def test_an_item_whose_function_leaves_no_log_is_in_the_terminal_too(stack: LocalStack) -> None:
    """Step Functions records it, which takes a minute."""
    run_id = f"{NAME}.{uuid.uuid4().hex[:26]}"
    problem = {"code": "item_crashed", "detail": "The function ended without an answer."}
    item = {"run_id": run_id, "status": "failed", "problem": json.dumps(problem)}
    record = {"index": {"N": "4"}} | {name: {"S": value} for name, value in item.items()}
    stack.emulator.client("dynamodb").put_item(TableName="local-outcomes", Item=record)
    stack.wait_for_text(f"item 4 of run {run_id} failed: item_crashed: The function ended without")


def test_a_denied_permission_names_action_and_resource(stack: LocalStack) -> None:
    assert call(stack, "denied").status_code == 500
    denied = "dynamodb:PutItem on TableName=local-tokens (its role"
    stack.wait_for_text(f"{NAME}: permission denied: {denied}")


def test_a_refused_delivery_is_said_with_its_source_and_why(stack: LocalStack) -> None:
    httpx.post(f"{stack.url}/webhooks/nobody", json={})
    why = "This webhook source does not exist or is not set up."
    stack.wait_for_text(f"POST /webhooks/nobody 404 not_found: {why}")


@pytest.fixture
def following(stack: LocalStack) -> Any:
    """Runs `make logs FOLLOW=1 WORKFLOW=…` in another terminal."""
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
    eventually("the call is shown", lambda: "".join(shown), lambda text: before in text)
    after = call(stack, "boom").json()["request_id"]
    eventually(
        "each line of the call is shown",
        lambda: "".join(shown),
        lambda text: text.count(after) == 3,
    )
    following.send_signal(signal.SIGINT)
    assert following.wait(60) == 0
    reader.join(60)
    assert "".join(shown).count(before) == 3, "a line is missing or there twice"
