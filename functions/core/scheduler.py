"""One-time schedules (EventBridge Scheduler): the platform calls a workflow later, through the door `schedule`."""

import json
import math
from datetime import UTC, datetime
from functools import cache

import msgspec
from botocore.exceptions import ClientError

from functions.core import aws
from functions.core.settings import read_settings

_RETRY_POLICY = {"MaximumRetryAttempts": 10, "MaximumEventAgeInSeconds": 3600}


class SchedulerSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Where schedules are made, and as whom they act; read from the environment."""

    schedule_group: str
    schedule_role: str
    """ARN of the role with which EventBridge Scheduler invokes the workflow."""
    dead_letters: str
    """ARN of the queue that gets what could not be delivered."""


@cache
def settings() -> SchedulerSettings:
    """Raises `SettingsError` with a sentence for each wrong variable."""
    return read_settings(SchedulerSettings)


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
    target = {
        "Arn": function,
        "RoleArn": settings().schedule_role,
        "Input": json.dumps({"door": "schedule", "parameters": parameters}),
        "DeadLetterConfig": {"Arn": settings().dead_letters},
        "RetryPolicy": _RETRY_POLICY,
    }
    with aws.unavailable_when_passing("EventBridge Scheduler"):
        try:
            aws.client("scheduler").create_schedule(
                Name=name,
                GroupName=settings().schedule_group,
                ScheduleExpression=f"at({datetime.fromtimestamp(math.ceil(at), UTC):%Y-%m-%dT%H:%M:%S})",
                FlexibleTimeWindow={"Mode": "OFF"},
                ActionAfterCompletion="DELETE",
                Target=target,
            )
        except ClientError as error:
            if aws.code_of(error) != "ConflictException":
                raise


def prepare() -> None:
    """Reads settings and makes the client, for init."""
    settings()
    aws.client("scheduler")
