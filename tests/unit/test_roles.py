"""Roles of template.yaml: each allows what its function can do, judged by its imported modules."""

import ast
import importlib
from functools import cache
from pathlib import Path

import pytest

from infra import sam
from infra.workflows import workflows
from tests.roles import HANDLERS, RESOURCES, allowed

MACHINE = "stateMachine:${AWS::StackName}-RunWorkflow"
EXECUTIONS = "execution:${AWS::StackName}-RunWorkflow:*"
STARTS = {
    ("states:StartExecution", MACHINE),
    # A repeated start reads the existing run, its outcome and its items.
    ("states:DescribeExecution", EXECUTIONS),
    ("dynamodb:GetItem", "Outcomes.Arn"),
    ("s3:PutObject", "${RunFiles.Arn}/runs/*"),
    ("s3:GetObject", "${RunFiles.Arn}/runs/*"),
}
RUNS_ITEMS = {
    ("s3:GetObject", "${RunFiles.Arn}/runs/*"),
    ("dynamodb:GetItem", "Outcomes.Arn"),
    ("dynamodb:UpdateItem", "Outcomes.Arn"),
    # Whether the token that started the run is still active.
    ("dynamodb:GetItem", "Tokens.Arn"),
}
COUNTS_ITEMS = {
    # A start that is repeated, or a retry, tells the counts of a list that exists.
    ("states:ListMapRuns", EXECUTIONS),
    ("states:DescribeMapRun", "mapRun:${AWS::StackName}-RunWorkflow/*"),
    ("dynamodb:Query", "${Outcomes.Arn}/index/failed"),
}
WAKES_ITEMS = {
    (f"dynamodb:{action}", "Outcomes.Arn")
    for action in ("Query", "PutItem", "UpdateItem", "DeleteItem")
} | {("states:SendTaskSuccess", "*")}
KEEPS_ANSWERS = {
    (f"dynamodb:{action}Item", "Idempotency.Arn") for action in ("Put", "Update", "Delete")
} | {(f"s3:{action}Object", "${RunFiles.Arn}/answers/*") for action in ("Get", "Put")}
NEEDS = {
    "functions.core.runs.start": STARTS,
    "functions.core.triggers.run_item": RUNS_ITEMS | COUNTS_ITEMS,
    "functions.api.webhooks.kept.taking": COUNTS_ITEMS | WAKES_ITEMS,
    "functions.api.runs.handler": COUNTS_ITEMS,
    "functions.core.http.idempotency": KEEPS_ANSWERS,
    "functions.core.runs.uploads": {
        (f"s3:{action}Object", "${RunFiles.Arn}/uploads/*") for action in ("Get", "Put", "Delete")
    }
    | {("s3:ListBucket", "RunFiles.Arn")},
    "functions.core.schedules.definition": {
        (f"s3:{action}Object", "${RunFiles.Arn}/schedules/*") for action in ("Get", "Put", "Delete")
    }
    # Without it S3 answers "access denied" for a missing object.
    | {("s3:ListBucket", "RunFiles.Arn")},
    "functions.core.schedules.making": {
        (f"scheduler:{action}Schedule", "schedule/${RunSchedules}/*")
        for action in ("Create", "Update", "Delete")
    }
    | {("iam:PassRole", "RunSchedulesRole.Arn")},
    "functions.api.schedules.create": {
        ("lambda:InvokeFunction", "function:${AWS::StackName}-wf-*")
    },
    "functions.api.schedules.read": {
        ("scheduler:GetSchedule", "schedule/${RunSchedules}/*"),
        ("scheduler:ListSchedules", "*"),
    },
    "functions.core.schedules.owner": {("dynamodb:GetItem", "Tokens.Arn")},
    "functions.api.runs.launch": {("lambda:InvokeFunction", "function:${AWS::StackName}-wf-*")},
    "functions.workflows.check_app_location.concurrency": {("lambda:GetAccountSettings", "*")},
}
"""Permissions that a role needs if its function loads a module."""


@cache
def imported(module: str) -> frozenset[str]:
    """Modules of this project that a module imports when it is loaded.

    `by_traits` has later imports.
    """
    found: set[str] = set()
    for node in ast.parse(path_of(module).read_text()).body:
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("functions"):
            found |= {f"{node.module}.{alias.name}" for alias in node.names} | {str(node.module)}
    return frozenset(each for each in found if path_of(each).is_file())


def path_of(module: str) -> Path:
    return (sam.ROOT / module.replace(".", "/")).with_suffix(".py")


def reached(module: str) -> set[str]:
    """A module, and all modules that it loads."""
    found, left = set(), {module}
    while left:
        found |= left
        left = {each for one in left for each in imported(one)} - found
    return found


def by_traits(handler: str) -> set[str]:
    """Modules that the platform loads only on demand.

    A workflow's options decide. An API with a POST route heeds idempotency keys.
    """
    if ".workflows." not in handler:
        text = path_of(handler).read_text()
        return (
            {"functions.core.http.idempotency"}
            if "api_endpoint(" in text and '"POST /' in text
            else set()
        )
    about = importlib.import_module(handler).lambda_handler.definition.options
    found = (
        {"functions.core.runs.start", "functions.core.triggers.run_item"}
        if about.background
        else set()
    )
    found |= {"functions.core.runs.start"} if about.starts else set()
    return found | ({"functions.core.http.idempotency"} if about.idempotency == "heeded" else set())


def loads(name: str) -> set[str]:
    handler = HANDLERS[name]
    return reached(handler) | {module for each in by_traits(handler) for module in reached(each)}


@pytest.mark.parametrize("name", HANDLERS)
def test_a_role_allows_what_its_function_can_do(name: str) -> None:
    needed = {need for module in loads(name) & NEEDS.keys() for need in NEEDS[module]}
    assert sorted(needed - allowed(f"{name}Role")) == []


def test_what_each_needs_is_found_in_the_code() -> None:
    """Otherwise the test above would ask for nothing."""
    asked = {module: {name for name in HANDLERS if module in loads(name)} for module in NEEDS}
    background = {
        name
        for name, handler in HANDLERS.items()
        if ".workflows." in handler
        and importlib.import_module(handler).lambda_handler.definition.options.background
    }
    assert len(background) >= 5
    assert asked["functions.core.triggers.run_item"] == background
    assert asked["functions.core.runs.start"] == background | {
        "Runs",
        "Schedules",
        "Webhooks",
        "Events",
    }
    assert {"Runs", "Schedules", "VerifySend"} <= asked["functions.core.http.idempotency"]
    assert all(asked.values()), asked


def test_nobody_may_start_runs_who_cannot_in_code() -> None:
    may = {
        name for name in HANDLERS if ("states:StartExecution", MACHINE) in allowed(f"{name}Role")
    }
    assert may == {name for name in HANDLERS if "functions.core.runs.start" in loads(name)}


def test_children_of_a_distributed_map_may_assume_the_machines_role() -> None:
    """They assume it as the machine with the label of the map at the end of its ARN."""
    (statement,) = RESOURCES["RunWorkflowRole"]["Properties"]["AssumeRolePolicyDocument"][
        "Statement"
    ]
    sources = [each["Fn::Sub"] for each in statement["Condition"]["ArnLike"]["aws:SourceArn"]]
    assert [source.rpartition("${AWS::AccountId}:")[2] for source in sources] == [
        MACHINE,
        f"{MACHINE}/*",
    ]


def test_every_workflow_is_looked_at() -> None:
    assert {
        handler.split(".")[2] for handler in HANDLERS.values() if ".workflows." in handler
    } == set(workflows())
