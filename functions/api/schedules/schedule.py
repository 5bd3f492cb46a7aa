"""A schedule as clients see it, and as an entry of EventBridge Scheduler."""

from datetime import datetime

import msgspec

from functions.api.schedules.definition import Definition
from functions.api.schedules.names import Group, ScheduleId, read_name
from functions.api.schedules.timing import Timing
from functions.core import config
from functions.core.aws.scheduler import Entry
from functions.core.runs.execution import RunId, new_run_id

SCHEDULED_TIME = "<aws.scheduler.scheduled-time>"
"""Placeholder that EventBridge Scheduler replaces with the due time; an emulator may not."""

_MINUTE = "%Y-%m-%dT%H:%MZ"
"""EventBridge Scheduler's precision: a schedule fires at most once per minute."""


@config.settings()
class ScheduleSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Target of schedules; read from the environment."""

    schedules_function: str
    """ARN of this API's own Lambda."""


class Schedule(msgspec.Struct, frozen=True, kw_only=True):
    """One future run, or a series of them."""

    schedule_id: ScheduleId
    """Id of the schedule, which is never used again."""
    workflow: str
    """Name of the workflow that will run."""
    expression: str
    """Expression of EventBridge Scheduler: `at(…)` in UTC, `rate(…)` or `cron(…)`."""
    timezone: str
    """Time zone of a cron expression."""
    group: Group | None
    """Name under which schedules are listed and cancelled together."""
    paused: bool
    """Whether nothing starts until the schedule is resumed."""
    next_at: datetime | None
    """Next start; null while the schedule is paused."""
    run_id: RunId | None
    """Id of the run that starts at `next_at`. Until then the run does not exist."""


def describe(definition: Definition, now: datetime, *, paused: bool) -> Schedule:
    """Describes a schedule as it is at a moment."""
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
    """Id of the run of a schedule at one of its times. A repeated delivery gets the same run."""
    return new_run_id(definition.workflow, f"schedule {definition.schedule_id} {moment:{_MINUTE}}")


def entry_of(definition: Definition, now: datetime, *, paused: bool) -> Entry:
    """Entry of EventBridge Scheduler for a schedule, as written at a moment."""
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
        # The next time keeps the rhythm when an entry is rewritten; AWS refuses a start more than
        # 5 minutes ago.
        starts_at=timing.next_after(now) if timing.kind == "every" else None,
        ends_at=timing.ends_at,
        paused=paused,
    )


def _next_at(timing: Timing, now: datetime) -> datetime | None:
    """Next time. A one-time schedule that is due keeps its time until it has fired."""
    return timing.first_at if timing.kind == "once" else timing.next_after(now)
