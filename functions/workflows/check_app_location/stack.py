"""Whether what the stack itself is made of can be used: secrets, schedules, runs."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from secrets import token_hex
from typing import Any

import msgspec
from botocore.exceptions import BotoCoreError, ClientError

from functions.core import aws, clock, config
from functions.core.aws import scheduler
from functions.core.errors import Unavailable
from functions.core.runs.settings import RunSettings
from functions.workflows.check_app_location.asking import ONCE, Finding, look_up, require_time_for
from functions.workflows.check_app_location.location import command

_DEPLOY = "Deploy the stack again: make deploy"
_AHEAD = timedelta(days=365)
_DELETIONS = 2
_ABSENT = ["ResourceNotFoundException"]
_ABSENT_BY_NAME = [*_ABSENT, "AccessDeniedException"]
"""The second may be IAM's word for a name that there is not: permissions name ARNs, which end in a suffix."""

_CANNOT_BE_MADE = frozenset({"ResourceNotFoundException", "ValidationException"})
"""There is no such group; the role cannot be assumed (EventBridge Scheduler API, CreateSchedule)."""


@config.settings()
class StackSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What the stack is made of; read from the environment."""

    checked_secrets: tuple[str, ...]
    """ARNs or names."""
    verify_delete_function: str
    """ARN of the Lambda that the schedules' role may call."""


def secrets() -> Finding:
    """Whether each secret is there and has a value. None is read."""
    for name in config.read(StackSettings).checked_secrets:
        if wrong := _wrong_secret(name):
            return Finding(False, wrong)
    return Finding(True, "Each secret is there.")


def schedules() -> Finding:
    """Whether the role of schedules can be passed and assumed, which only making one tells: paused, a year ahead, deleted
    again.
    """
    require_time_for(1 + _DELETIONS)
    name = f"check.{token_hex(8)}"
    try:
        scheduler.create(_entry(name), **ONCE)
    except Unavailable:
        _delete(name)  # it may be there all the same, if only the answer was lost
        raise
    except ClientError as error:
        if aws.code_of(error) not in _CANNOT_BE_MADE:
            raise
        return Finding(
            False,
            f"EventBridge Scheduler cannot use {config.read(scheduler.SchedulerSettings).schedule_role}. {_DEPLOY}",
        )
    return Finding(
        True,
        "EventBridge Scheduler takes schedules." + ("" if _delete(name) else _left_behind(name)),
    )


def runs() -> Finding:
    """Whether the state machine is there."""
    arn = config.read(RunSettings).run_workflow
    machine = look_up(
        "stepfunctions",
        lambda states: states.describe_state_machine(stateMachineArn=arn),
        absent=["StateMachineDoesNotExist"],
    )
    if machine is None or machine["status"] != "ACTIVE":
        return Finding(False, f"There is no state machine {arn}. {_DEPLOY}")
    return Finding(True, "The state machine of runs is there.")


def _wrong_secret(name: str) -> str:
    """What is wrong with it; empty where nothing is."""
    about: dict[str, Any] | None = look_up(
        "secretsmanager",
        lambda manager: manager.describe_secret(SecretId=name),
        absent=_ABSENT if name.startswith("arn:") else _ABSENT_BY_NAME,
    )
    if about is None:
        make = command(f"secretsmanager create-secret --name {name} --secret-string …")
        return f"There is no secret {name}. One of the stack comes with: make deploy; one of your own with: {make}"
    if about.get("DeletedDate"):
        return f"{name} is to be deleted. Keep it: {command(f'secretsmanager restore-secret --secret-id {name}')}"
    if not any("AWSCURRENT" in stages for stages in about.get("VersionIdsToStages", {}).values()):
        give = command(f"secretsmanager put-secret-value --secret-id {name} --secret-string …")
        return f"{name} has no value. Give it one: {give}"
    return ""


def _entry(name: str) -> scheduler.Entry:
    expression = f"at({datetime.fromtimestamp(clock.now(), UTC) + _AHEAD:%Y-%m-%dT%H:%M:%S})"
    event = {"trigger": "schedule", "parameters": {"verification_id": name}}
    return scheduler.Entry(
        name, expression, config.read(StackSettings).verify_delete_function, event, paused=True
    )


def _delete(name: str) -> bool:
    """Whether it is gone."""
    for _ in range(_DELETIONS):
        with suppress(Unavailable, ClientError, BotoCoreError):
            scheduler.delete(name, **ONCE)
            return True
    return False


def _left_behind(name: str) -> str:
    about = f"--group-name {config.read(scheduler.SchedulerSettings).schedule_group} --name {name}"
    return f" The paused one that was made to see that could not be deleted: {command(f'scheduler delete-schedule {about}')}"
