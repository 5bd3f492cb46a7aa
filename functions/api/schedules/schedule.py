"""A schedule, as clients see it, and as EventBridge Scheduler is told of it."""

from datetime import datetime

import msgspec

from functions.api.schedules.definition import Definition
from functions.api.schedules.names import read_name
from functions.api.schedules.timing import Timing
from functions.core import config
from functions.core.aws.scheduler import Entry
from functions.core.runs.execution import new_run_id

SCHEDULED_TIME = "<aws.scheduler.scheduled-time>"
"""EventBridge Scheduler puts the time in its place for which the schedule was due; an emulator may not."""

_MINUTE = "%Y-%m-%dT%H:%MZ"
"""EventBridge Scheduler's precision: a schedule fires at most once in each."""


@config.settings()
class ScheduleSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Whom schedules call; read from the environment."""

    schedules_function: str
    """ARN of this API's own Lambda."""


class Schedule(msgspec.Struct, frozen=True, kw_only=True):
    """A run, or runs, in the future."""

    schedule_id: str
    workflow: str
    expression: str
    timezone: str
    group: str | None
    paused: bool
    next_at: datetime | None
    """Null while it is paused."""
    run_id: str | None
    """Of the run that it starts then. Until then there is no such run."""


def describe(definition: Definition, now: datetime, *, paused: bool) -> Schedule:
    """The schedule as it is at a moment."""
    next_at = None if paused else _next_at(definition.timing, now)
    return Schedule(
        schedule_id=definition.schedule_id,
        workflow=definition.workflow,
        expression=definition.timing.expression,
        timezone=definition.timing.timezone,
        group=read_name(definition.schedule_id).group,
        paused=paused,
        next_at=next_at,
        run_id=run_id_of(definition, next_at) if next_at else None,
    )


def run_id_of(definition: Definition, moment: datetime) -> str:
    """The run of a schedule at one of its times: always the same, so that what is delivered twice runs once."""
    return new_run_id(definition.workflow, f"schedule {definition.schedule_id} {moment:{_MINUTE}}")


def entry_of(definition: Definition, now: datetime, *, paused: bool) -> Entry:
    """The schedule as it is written at a moment."""
    timing = definition.timing
    event = {
        "trigger": "schedule",
        "schedule_id": definition.schedule_id,
        "scheduled_at": SCHEDULED_TIME,
    }
    return Entry(
        name=definition.schedule_id,
        expression=timing.expression,
        function=config.read(ScheduleSettings).schedules_function,
        event=event,
        timezone=timing.timezone,
        # When written again, of the same rhythm: a start more than 5 minutes ago is refused.
        starts_at=timing.next_after(now) if timing.kind == "every" else None,
        ends_at=timing.ends_at,
        paused=paused,
    )


def _next_at(timing: Timing, now: datetime) -> datetime | None:
    """A one-time schedule that is due is still there until it has fired."""
    return timing.first_at if timing.kind == "once" else timing.next_after(now)
