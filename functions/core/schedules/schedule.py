"""A schedule as clients see it, and as an entry of EventBridge Scheduler."""

from datetime import datetime, timedelta
from typing import Any

import msgspec

from functions.core import config
from functions.core.aws.scheduler import Entry
from functions.core.runs.execution import RunId, new_run_id
from functions.core.schedules.definition import Definition, Overlap
from functions.core.schedules.names import Group, ScheduleId, read_name
from functions.core.schedules.owner import Refusal
from functions.core.schedules.times.planned import next_times
from functions.core.schedules.times.timing import NEAREST, Timing, once_at
from functions.core.schedules.times.words import meaning_of

SCHEDULED_TIME = "<aws.scheduler.scheduled-time>"
"""Placeholder that EventBridge Scheduler replaces with the due time; an emulator may not."""

_MINUTE = "%Y-%m-%dT%H:%MZ"
"""EventBridge Scheduler's precision: a schedule fires at most once per minute."""

_NOT_YET = timedelta(days=365)
_MARGIN = timedelta(seconds=5)
"""Time in which a request reaches EventBridge Scheduler."""


@config.settings()
class ScheduleSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Target of schedules; read from the environment."""

    schedules_function: str
    """ARN of the Lambda that starts their runs."""


class ListedSchedule(msgspec.Struct, frozen=True, kw_only=True):
    """One future run, or a series of them."""

    schedule_id: ScheduleId
    """Id of the schedule, which is never used again."""
    workflow: str
    """Name of the workflow that will run."""
    expression: str
    """Expression of EventBridge Scheduler: `at(…)` in UTC, `rate(…)` or `cron(…)`."""
    timezone: str
    """Time zone of a cron expression."""
    meaning: str
    """The expression in words, such as `at 09:00 on Sundays (Europe/Berlin)`."""
    ends_at: datetime | None
    """Time from which nothing starts; null: it goes on, or runs once."""
    overlap: Overlap
    """Whether a time is skipped while a run of this schedule is under way."""
    group: Group | None
    """Name under which schedules are listed and cancelled together."""
    token_id: str | None
    """Token for which its runs start; null for a workflow's own schedule."""
    paused: bool
    """Whether nothing starts until the schedule is resumed."""
    paused_because: Refusal | None
    """Why `token_id` may not start its runs: the token was revoked, has expired, or has lost a
    scope. Another token that resumes the schedule takes it over. Null otherwise.
    """
    next_at: datetime | None
    """Next start; null while the schedule is paused."""
    run_id: RunId | None
    """Id of the run that starts at `next_at`. Until then the run does not exist."""
    next_times: list[datetime]
    """The next ten starts; none while the schedule is paused."""
    last_at: datetime | None
    """Last start; null before the first."""
    last_run_id: RunId | None
    """Id of the run that was started last, also by `POST /schedules/<id>/run`."""


class Schedule(ListedSchedule, frozen=True, kw_only=True):
    """A schedule with the parameters of its runs, which a list leaves out."""

    parameters: dict[str, Any]
    """Parameters of the workflow."""


def describe(
    definition: Definition, now: datetime, *, paused: bool, paused_because: Refusal | None = None
) -> Schedule:
    """Describes a schedule as it is at a moment."""
    listed = describe_listed(definition, now, paused=paused, paused_because=paused_because)
    return Schedule(**msgspec.structs.asdict(listed), parameters=definition.parameters)


def describe_listed(
    definition: Definition, now: datetime, *, paused: bool, paused_because: Refusal | None = None
) -> ListedSchedule:
    """Describes a schedule in a list."""
    times = [] if paused else _next_times(definition.timing, now)
    return ListedSchedule(
        schedule_id=definition.schedule_id,
        workflow=definition.workflow,
        expression=definition.timing.expression,
        timezone=definition.timing.timezone,
        meaning=meaning_of(definition.timing),
        ends_at=definition.timing.ends_at,
        overlap=definition.overlap,
        group=read_name(definition.schedule_id).group,
        token_id=definition.token_id,
        paused=paused,
        paused_because=paused_because,
        next_at=times[0] if times else None,
        run_id=run_id_of(definition, times[0]) if times else None,
        next_times=times,
        last_at=definition.last_at,
        last_run_id=definition.recent_runs[0] if definition.recent_runs else None,
    )


def run_id_of(definition: Definition, moment: datetime) -> str:
    """Id of the run of a schedule at one of its times. A repeated delivery gets the same run."""
    seed = f"schedule {definition.schedule_id}"
    if definition.seeded and definition.timing.kind == "once":
        # A repeated request may make this schedule again, after it has fired.
        return new_run_id(definition.workflow, seed)
    return new_run_id(definition.workflow, f"{seed} {moment:{_MINUTE}}")


def entry_of(definition: Definition, now: datetime, *, paused: bool) -> Entry:
    """Entry of EventBridge Scheduler for a schedule, as written at a moment."""
    timing = _acceptable(definition.timing, now, paused=paused)
    event = {
        "trigger": "schedule",
        "schedule_id": definition.schedule_id,
        "scheduled_at": SCHEDULED_TIME,
        "revision": definition.revision,
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
        # EventBridge Scheduler would delete it while it is being paused or moved.
        kept=timing.kind == "once",
    )


def _acceptable(timing: Timing, now: datetime, *, paused: bool) -> Timing:
    """The timing; a later one for a single time that is past, which AWS refuses.

    While a schedule is paused, the time of its entry does not count.
    """
    if timing.kind != "once" or timing.first_at is None or timing.first_at > now + _MARGIN:
        return timing
    return once_at(now + (_NOT_YET if paused else NEAREST))


def _next_times(timing: Timing, now: datetime) -> list[datetime]:
    """Next times. A one-time schedule that is due keeps its time until it has fired."""
    if timing.kind == "once" and timing.first_at:
        return [timing.first_at]
    return next_times(timing, now)
