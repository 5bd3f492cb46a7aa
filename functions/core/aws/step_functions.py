"""Step Functions: executions of a state machine, by their names.

All raise `AwsUnavailable` while Step Functions is.
"""

from collections.abc import Iterator
from typing import Any

from functions.core import aws

_OVER = frozenset({"TaskTimedOut", "TaskDoesNotExist", "InvalidToken"})
"""Codes of SendTaskSuccess for a task that has ended (Step Functions API)."""


def start(machine: str, name: str, content: str) -> bool:
    """Starts an execution; false where one of that name is there already.

    Args:
        machine: ARN of the state machine.
        name: of the execution, at most 80 characters, never used again.
        content: its input, JSON.
    """
    try:
        _client().start_execution(stateMachineArn=machine, name=name, input=content)
    except aws.AwsAlreadyExists:
        return False
    return True


def describe(machine: str, name: str) -> dict[str, Any]:
    """An execution as DescribeExecution tells of it. Raises `AwsNotFound`."""
    return _client().describe_execution(executionArn=_arn(machine, name))


def count_items(machine: str, name: str) -> dict[str, int]:
    """Counts of the items of an execution's Map Run by their state; none before it begins."""
    started = _client().list_map_runs(executionArn=_arn(machine, name)).get("mapRuns")
    if not started:
        return {}
    counts: dict[str, int] = _client().describe_map_run(mapRunArn=started[0]["mapRunArn"])[
        "itemCounts"
    ]
    return counts


def stop(machine: str, name: str) -> None:
    """Aborts an execution; nothing happens to one that has ended."""
    try:
        _client().stop_execution(executionArn=_arn(machine, name))
    except aws.AwsError as error:
        if error.code != "ValidationException":
            raise


def succeed_task(token: str) -> bool:
    """Ends a task that waits for its token; false where it does not wait any more."""
    try:
        _client().send_task_success(taskToken=token, output="{}")
    except aws.AwsError as error:
        if error.code in _OVER:
            return False
        raise
    return True


def running(machine: str) -> Iterator[str]:
    """Names of the executions that run, newest first; a request for each 1,000."""
    page: dict[str, str] = {}
    while True:
        listed = _client().list_executions(
            stateMachineArn=machine, statusFilter="RUNNING", maxResults=1000, **page
        )
        yield from (each["name"] for each in listed["executions"])
        if "nextToken" not in listed:
            return
        page = {"nextToken": listed["nextToken"]}


def _arn(machine: str, name: str) -> str:
    return machine.replace(":stateMachine:", ":execution:") + f":{name}"


def _client() -> aws.Client:
    return aws.client("stepfunctions")
