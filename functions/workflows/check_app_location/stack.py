"""Checks the stack's own resources: secrets, schedules, runs."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from secrets import token_hex

import msgspec

from functions.core import aws, clock, config
from functions.core.aws import scheduler
from functions.core.errors import Unavailable
from functions.core.runs.settings import RunSettings
from functions.workflows.check_app_location.asking import ONCE, Finding, look_up, require_time_for
from functions.workflows.check_app_location.location import command

_DEPLOY = "Deploy the stack again: make deploy"
_AHEAD = timedelta(days=365)
_DELETIONS = 2


@config.settings()
class StackSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Resources of the stack; read from the environment."""

    checked_secrets: tuple[str, ...]
    """ARNs or names."""
    verify_delete_function: str
    """ARN of the Lambda that the role of schedules may call."""


def secrets() -> Finding:
    """Checks that each secret exists and has a value, without reading it."""
    for name in config.read(StackSettings).checked_secrets:
        if problem := _secret_problem(name):
            return Finding(False, problem)
    return Finding(True, "All secrets exist.")


def schedules() -> Finding:
    """Checks that the role of schedules can be passed and assumed.

    Only a new schedule shows that. It is paused, a year ahead, and deleted again.
    """
    require_time_for(1 + _DELETIONS)
    name = f"check.{token_hex(8)}"
    try:
        scheduler.create(_entry(name), **ONCE)
    except Unavailable:
        _delete(name)  # it may exist, if only the answer was lost
        raise
    except scheduler.CannotSchedule:
        return Finding(
            False,
            "EventBridge Scheduler cannot use "
            f"{config.read(scheduler.SchedulerSettings).schedule_role}. {_DEPLOY}",
        )
    return Finding(
        True,
        "EventBridge Scheduler accepts schedules." + ("" if _delete(name) else _left_behind(name)),
    )


def runs() -> Finding:
    """Checks that the state machine exists."""
    arn = config.read(RunSettings).run_workflow
    machine = look_up(
        "stepfunctions", lambda states: states.describe_state_machine(stateMachineArn=arn)
    )
    if machine is None or machine["status"] != "ACTIVE":
        return Finding(False, f"There is no state machine {arn}. {_DEPLOY}")
    return Finding(True, "The state machine of runs exists.")


def _secret_problem(name: str) -> str:
    """Problem with a secret; empty if there is none."""
    secret = look_up(
        "secretsmanager",
        lambda manager: manager.describe_secret(SecretId=name),
        # Permissions name ARNs, which end in a suffix: IAM may deny a name that there is not.
        denied_is_absent=not name.startswith("arn:"),
    )
    if secret is None:
        create = command(f"secretsmanager create-secret --name {name} --secret-string …")
        return (
            f"There is no secret {name}. If it belongs to the stack, run make deploy; "
            f"if it is your own, create it: {create}"
        )
    if secret.get("DeletedDate"):
        restore = command(f"secretsmanager restore-secret --secret-id {name}")
        return f"{name} is scheduled for deletion. Restore it: {restore}"
    if not any("AWSCURRENT" in stages for stages in secret.get("VersionIdsToStages", {}).values()):
        put = command(f"secretsmanager put-secret-value --secret-id {name} --secret-string …")
        return f"{name} has no value. Set one: {put}"
    return ""


def _entry(name: str) -> scheduler.Entry:
    expression = f"at({datetime.fromtimestamp(clock.now(), UTC) + _AHEAD:%Y-%m-%dT%H:%M:%S})"
    event = {"trigger": "schedule", "parameters": {"verification_id": name}}
    return scheduler.Entry(
        name, expression, config.read(StackSettings).verify_delete_function, event, paused=True
    )


def _delete(name: str) -> bool:
    """Deletes the schedule. Returns whether that succeeded."""
    for _ in range(_DELETIONS):
        with suppress(aws.AwsError):
            scheduler.delete(name, **ONCE)
            return True
    return False


def _left_behind(name: str) -> str:
    options = (
        f"--group-name {config.read(scheduler.SchedulerSettings).schedule_group} --name {name}"
    )
    delete = command(f"scheduler delete-schedule {options}")
    return f" The paused schedule of this check could not be deleted. Delete it: {delete}"
