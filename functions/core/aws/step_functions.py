"""Step Functions: executions of a state machine, by their names.

All raise `AwsUnavailable` while Step Functions is.
"""

from typing import Any

from functions.core import aws


class InvalidCursor(Exception):
    """A cursor that no page of the list gave, or that is too old."""


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
    started = _client().list_map_runs(executionArn=_arn(machine, name))["mapRuns"]
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


def newest(machine: str, limit: int, cursor: str | None) -> tuple[list[dict[str, Any]], str | None]:
    """A page of executions, newest first, and the cursor of the next one (null at the end).

    Raises:
        InvalidCursor
    """
    page = {"nextToken": cursor} if cursor else {}
    try:
        listed = _client().list_executions(stateMachineArn=machine, maxResults=limit, **page)
    except aws.AwsError as error:
        if error.code == "InvalidToken":
            raise InvalidCursor from error
        raise
    return listed["executions"], listed.get("nextToken")


def _arn(machine: str, name: str) -> str:
    return machine.replace(":stateMachine:", ":execution:") + f":{name}"


def _client() -> aws.Client:
    return aws.client("stepfunctions")
