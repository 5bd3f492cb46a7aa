"""EventBridge Scheduler: makes, changes, lists and deletes schedules that call a Lambda of this stack through its door
`schedule`. All are in the one group that the function's settings name.
"""

import json
import math
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

import msgspec
from botocore.exceptions import ClientError

from functions.core import config
from functions.core.aws import clients

_RETRY_POLICY = {"MaximumRetryAttempts": 10, "MaximumEventAgeInSeconds": 3600}


@config.settings()
class SchedulerSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Where schedules are made, and as whom they act; read from the environment."""

    schedule_group: str
    schedule_role: str
    """ARN of the role with which EventBridge Scheduler invokes the function."""
    dead_letters: str
    """ARN of the queue that gets what could not be delivered."""


class Entry(NamedTuple):
    """A schedule as EventBridge Scheduler is told of it."""

    name: str
    """1 to 64 characters of `[0-9a-zA-Z_.-]`, never used before."""
    expression: str
    """`at(…)`, `rate(…)` or `cron(…)`."""
    function: str
    """ARN of the Lambda."""
    event: Mapping[str, Any]
    """What it is called with; JSON."""
    timezone: str = "UTC"
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    paused: bool = False


class Listed(NamedTuple):
    """What a list tells of a schedule."""

    name: str
    paused: bool


class CronRefused(Exception):
    """EventBridge Scheduler does not take a schedule's cron expression."""


def schedule_once(name: str, at: float, function: str, parameters: dict[str, str]) -> None:
    """Makes a schedule that calls a workflow once and then deletes itself.

    Args:
        name: unique, 1 to 64 characters of `[0-9a-zA-Z_.-]`. A schedule of that name that is already there is this one,
            made by a try whose answer was lost.
        at: seconds since the epoch; EventBridge Scheduler fires within the minute.
        function: ARN of the workflow's Lambda.
        parameters: the workflow's parameters.

    Raises:
        Unavailable: when EventBridge Scheduler is.
    """
    expression = f"at({datetime.fromtimestamp(math.ceil(at), UTC):%Y-%m-%dT%H:%M:%S})"
    create(Entry(name, expression, function, {"trigger": "schedule", "parameters": parameters}))


def create(entry: Entry, **client: Any) -> None:  # noqa: ANN401 - of aws.client
    """Makes a schedule. One of that name that is already there is this one.

    Raises:
        CronRefused
        Unavailable
    """
    with clients.unavailable_if_transient("EventBridge Scheduler"):
        try:
            _client(**client).create_schedule(**_request(entry))
        except ClientError as error:
            if _is_about_cron(entry, error):
                raise CronRefused from error
            if clients.code_of(error) != "ConflictException":
                raise


def replace(entry: Entry) -> bool:
    """Changes a schedule; false when there is none of that name. All of it is written: what UpdateSchedule is not given, it
    sets to its default. Raises `Unavailable`.
    """
    return _found(lambda: _client().update_schedule(**_request(entry))) is not None


def is_paused(name: str) -> bool | None:
    """Whether a schedule is paused; null when there is none of that name. Raises `Unavailable`."""
    about = _found(
        lambda: _client().get_schedule(
            Name=name, GroupName=config.read(SchedulerSettings).schedule_group
        )
    )
    return None if about is None else about["State"] == "DISABLED"


def delete(name: str, **client: Any) -> bool:  # noqa: ANN401 - of aws.client
    """Deletes a schedule; false when there is none of that name. Raises `Unavailable`."""
    about = {"Name": name, "GroupName": config.read(SchedulerSettings).schedule_group}
    return _found(lambda: _client(**client).delete_schedule(**about)) is not None


def list_schedules(
    *, prefix: str = "", limit: int = 100, cursor: str | None = None
) -> tuple[list[Listed], str | None]:
    """A page of schedules, at most 100, and the cursor of the next one (null at the end).

    Raises:
        ValueError: the cursor is none of EventBridge Scheduler's.
        Unavailable
    """
    about = {"NamePrefix": prefix} if prefix else {}
    about |= {"NextToken": cursor} if cursor else {}
    with clients.unavailable_if_transient("EventBridge Scheduler"):
        try:
            page = _client().list_schedules(
                GroupName=config.read(SchedulerSettings).schedule_group, MaxResults=limit, **about
            )
        except ClientError as error:
            if cursor and clients.code_of(error) == "ValidationException":
                raise ValueError("This is no cursor.") from None
            raise
    listed = [Listed(each["Name"], each["State"] == "DISABLED") for each in page["Schedules"]]
    return listed, page.get("NextToken")


def prepare() -> None:
    """Reads settings and makes the client, for init."""
    config.read(SchedulerSettings)
    _client()


def _is_about_cron(entry: Entry, error: ClientError) -> bool:
    """The same code is for a role that cannot be assumed, which is no fault of the expression."""
    invalid = clients.code_of(error) == "ValidationException" and entry.expression.startswith(
        "cron("
    )
    return invalid and "role" not in str(error).lower()


def _request(entry: Entry) -> dict[str, Any]:
    """All of a schedule, as CreateSchedule and UpdateSchedule take it."""
    limits = {"StartDate": entry.starts_at, "EndDate": entry.ends_at}
    target = {
        "Arn": entry.function,
        "RoleArn": config.read(SchedulerSettings).schedule_role,
        "Input": json.dumps(entry.event),
        "DeadLetterConfig": {"Arn": config.read(SchedulerSettings).dead_letters},
        "RetryPolicy": _RETRY_POLICY,
    }
    return {
        "Name": entry.name,
        "GroupName": config.read(SchedulerSettings).schedule_group,
        "ScheduleExpression": entry.expression,
        "ScheduleExpressionTimezone": entry.timezone,
        "FlexibleTimeWindow": {"Mode": "OFF"},
        "State": "DISABLED" if entry.paused else "ENABLED",
        # Of a recurring schedule: once its end has passed.
        "ActionAfterCompletion": "DELETE",
        "Target": target,
    } | {name: date for name, date in limits.items() if date}


def _found(ask: Any) -> Any:  # noqa: ANN401 - botocore's answers are made at run time
    """What EventBridge Scheduler answers; null when there is no such schedule."""
    with clients.unavailable_if_transient("EventBridge Scheduler"):
        try:
            return ask()
        except ClientError as error:
            if clients.code_of(error) != "ResourceNotFoundException":
                raise
            return None


def _client(**options: Any) -> Any:  # noqa: ANN401 - botocore's clients are made at run time
    return clients.client("scheduler", **options)
