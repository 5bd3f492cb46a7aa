"""EventBridge Scheduler: makes, changes, lists and deletes schedules of this stack's functions.

They call a function through its trigger `schedule`. All are in the one group that the function's
settings name.
"""

import json
import math
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple, Unpack

import msgspec

from functions.core import aws, config
from functions.core.aws import direct

_RETRY_POLICY = {"MaximumRetryAttempts": 10, "MaximumEventAgeInSeconds": 3600}

_NAME_IS_TAKEN = "ConflictException"
"""Code of CreateSchedule for a taken name; for a change it means a parallel change."""

_INVALID = "ValidationException"
_CANNOT_BE_MADE = frozenset({"ResourceNotFoundException", _INVALID})
"""There is no such group; the role cannot be assumed (EventBridge Scheduler API, CreateSchedule).
"""


@config.settings()
class SchedulerSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Group, role and dead-letter queue of schedules; read from the environment."""

    schedule_group: str
    schedule_role: str
    """ARN of the role with which EventBridge Scheduler invokes the function."""
    dead_letters: str
    """ARN of the queue for events that could not be delivered."""


class Entry(NamedTuple):
    """A schedule as EventBridge Scheduler takes it."""

    name: str
    """1 to 64 characters of `[0-9a-zA-Z_.-]`."""
    expression: str
    """`at(…)`, `rate(…)` or `cron(…)`."""
    function: str
    """ARN of the Lambda."""
    event: Mapping[str, Any]
    """Event of the call; JSON."""
    timezone: str = "UTC"
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    paused: bool = False
    kept: bool = False
    """Whether a schedule that has fired for the last time stays until it is deleted."""


class Listed(NamedTuple):
    """A schedule in a list."""

    name: str
    paused: bool


class CronRefused(Exception):
    """EventBridge Scheduler does not take a schedule's cron expression."""


class CannotSchedule(Exception):
    """EventBridge Scheduler cannot use the group or the role that the settings name."""


def schedule_once(name: str, at: float, function: str, parameters: dict[str, str]) -> None:
    """Makes a schedule that calls a workflow once and then deletes itself.

    Args:
        name: unique, 1 to 64 characters of `[0-9a-zA-Z_.-]`. A schedule of that name is this one,
            made by a try whose answer was lost.
        at: seconds since the epoch; EventBridge Scheduler fires within the minute.
        function: ARN of the workflow's Lambda.
        parameters: the workflow's parameters.

    Raises:
        Unavailable: when EventBridge Scheduler is.
    """
    expression = f"at({datetime.fromtimestamp(math.ceil(at), UTC):%Y-%m-%dT%H:%M:%S})"
    create(Entry(name, expression, function, {"trigger": "schedule", "parameters": parameters}))


def create(entry: Entry, **options: Unpack[aws.ClientOptions]) -> None:
    """Makes a schedule. An existing one of that name is taken for it.

    Raises:
        CannotSchedule
        CronRefused
        Unavailable
    """
    try:
        direct.request("scheduler", "CreateSchedule", _request(entry), **options)
    except aws.AwsError as error:
        if _is_about_cron(entry, error):
            raise CronRefused from error
        if error.code in _CANNOT_BE_MADE:
            raise CannotSchedule(error.message) from error
        if error.code != _NAME_IS_TAKEN:
            raise


def put(entry: Entry) -> None:
    """Changes a schedule; makes it when there is none of that name.

    All of it is written: UpdateSchedule sets what it is not given to its default.

    Raises:
        CannotSchedule, CronRefused, Unavailable
    """
    try:
        changed = _found(lambda: _client().update_schedule(**_request(entry)))
    except aws.AwsError as error:
        if _is_about_cron(entry, error):
            raise CronRefused from error
        raise
    if changed is None:
        create(entry)


def is_paused(name: str) -> bool | None:
    """True if a schedule is paused; null when there is none of that name. Raises `Unavailable`."""
    about = _found(
        lambda: _client().get_schedule(
            Name=name, GroupName=config.read(SchedulerSettings).schedule_group
        )
    )
    return None if about is None else about["State"] == "DISABLED"


def delete(name: str, **options: Unpack[aws.ClientOptions]) -> bool:
    """Deletes a schedule; false when there is none of that name. Raises `Unavailable`."""
    about = {"Name": name, "GroupName": config.read(SchedulerSettings).schedule_group}
    return _found(lambda: _client(**options).delete_schedule(**about)) is not None


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
    try:
        page = _client().list_schedules(
            GroupName=config.read(SchedulerSettings).schedule_group, MaxResults=limit, **about
        )
    except aws.AwsError as error:
        if cursor and error.code == _INVALID:
            raise ValueError("This is no cursor.") from None
        raise
    listed = [Listed(each["Name"], each["State"] == "DISABLED") for each in page["Schedules"]]
    return listed, page.get("NextToken")


def prepare() -> None:
    """Reads settings and connects, for the init of who makes schedules."""
    config.read(SchedulerSettings)
    direct.connect("scheduler")


def prepare_client() -> None:
    """Makes the client, for the init of who reads, changes or deletes schedules, too."""
    _client()


def _is_about_cron(entry: Entry, error: "aws.AwsError") -> bool:
    """True if an error is about the cron expression; a role that cannot be assumed has the same
    code.
    """
    invalid = error.code == _INVALID and entry.expression.startswith("cron(")
    return invalid and "role" not in error.message.lower()


def _request(entry: Entry) -> dict[str, Any]:
    """The request of CreateSchedule and UpdateSchedule, with all fields."""
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
        "ActionAfterCompletion": "NONE" if entry.kept else "DELETE",
        "Target": target,
    } | {name: int(date.timestamp()) for name, date in limits.items() if date}


def _found(ask: Callable[[], dict[str, Any]]) -> dict[str, Any] | None:
    """EventBridge Scheduler's answer; null when there is no such schedule."""
    try:
        return ask()
    except aws.AwsNotFound:
        return None


def _client(**options: Unpack[aws.ClientOptions]) -> "aws.Client":
    return aws.client("scheduler", **options)
