"""PATCH /schedules/<id>: changes the time, the parameters and the state of a schedule.

The definition is changed first, then the entry. If the process dies between the two, the entry is
written when it fires.
"""

from datetime import datetime
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from functions.api.schedules.create import refuse_invalid
from functions.api.schedules.read import find
from functions.api.schedules.request import ScheduleRequest
from functions.core import clock, http
from functions.core.aws import scheduler
from functions.core.clock import utc
from functions.core.errors import Conflict, FieldError, InvalidParameters
from functions.core.parameters import read_parameters
from functions.core.schedules.definition import BY_CLIENTS, Definition, Overlap, update
from functions.core.schedules.fire import end, start_due
from functions.core.schedules.making import cron_refused, write_entry
from functions.core.schedules.names import no_such_schedule
from functions.core.schedules.owner import refusal_of
from functions.core.schedules.schedule import describe, run_id_of
from functions.core.schedules.times.timing import NEVER, TimingParameters, change_timing

_TIMES = ("at", "after_seconds", "every_seconds", "cron", "timezone", "ends_at")


class ScheduleChange(TimingParameters, kw_only=True):
    """Changes of a schedule. What is absent stays as it is."""

    ends_at: (
        Annotated[str, Meta(extra_json_schema={"examples": ["2027-01-31T00:00:00Z", NEVER]})] | None
    ) = None
    """Time from which nothing starts, for `every_seconds` and `cron`; `never` takes it away."""
    parameters: dict[str, Any] | None = None
    """Parameters of the workflow, all of them; the workflow validates them now."""
    overlap: Overlap | None = None
    """Whether a time is skipped while a run of this schedule is under way."""
    paused: bool | None = None
    """Whether nothing starts until the schedule is resumed."""

    @property
    def retimes(self) -> bool:
        """True if a time is given."""
        return any(getattr(self, name) is not None for name in _TIMES)

    @property
    def takes_over(self) -> bool:
        """True if the caller answers for the schedule from now on: not if it only pauses it."""
        given = msgspec.structs.asdict(self)
        return any(each is not None for name, each in given.items() if name != "paused") or (
            self.paused is False
        )


def change_schedule(request: ScheduleRequest) -> http.Response:
    """Changes a schedule: its time, its end, its parameters; pauses and resumes it.

    Whatever a token changes or resumes runs for that token from then on. Only pausing leaves the
    schedule to the token that it had. A one-time schedule whose time has passed while it was paused
    runs when it is resumed. The answer is then 202 with the run.

    Raises:
        InvalidParameters, NotFound, Conflict
    """
    name = request.schedule_name()
    body = read_parameters(ScheduleChange, http.read_body(request.event))
    definition, was_paused = find(name)
    now = utc(clock.now())
    _refuse_impossible(definition, body, now, was_paused=was_paused)
    if body.parameters is not None:
        refuse_invalid(name.workflow, body.parameters)
    before = definition
    pauses = body.paused not in {None, was_paused}
    if body.takes_over or pauses:
        only_entry = was_paused and not definition.paused
        definition = _changed(definition, body, request, now, only_entry=only_entry)
    paused = was_paused if not (body.takes_over or pauses) else definition.paused
    if definition.timing.starts_now(now) and not paused:
        return _started(definition, definition.timing.first_at or now, request)
    if pauses or definition.revision != before.revision:
        _write_entry(definition, before, now)
    because = refusal_of(definition.token_id, definition.workflow) if paused else None
    answer = describe(definition, now, paused=paused, paused_because=because)
    return http.answer(answer, request.request_id)


def _refuse_impossible(
    definition: Definition, body: ScheduleChange, now: datetime, *, was_paused: bool
) -> None:
    if not body.takes_over and body.paused is None:
        raise InvalidParameters(FieldError("", "needs at least one change"))
    timing = definition.timing
    wanted = change_timing(timing, body, now) if body.retimes else timing
    if body.overlap and wanted.kind == "once":
        error = FieldError("/overlap", "is only accepted with every_seconds or cron")
        raise InvalidParameters(error)
    only_resumes = body.paused is False and body.parameters is None and not body.retimes
    if timing.starts_now(now) and not was_paused and not only_resumes:
        raise Conflict(
            "The schedule is firing and cannot be changed. Cancel it, or cancel its run."
        )
    if wanted.has_ended(now):
        raise Conflict("The schedule has ended. Create a new one.")


def _changed(
    definition: Definition,
    body: ScheduleChange,
    request: ScheduleRequest,
    now: datetime,
    *,
    only_entry: bool,
) -> Definition:
    """The changed definition. `only_entry`: only the entry said that the schedule was paused."""

    def change(present: Definition) -> Definition:
        if body.retimes:
            present = present.retimed(change_timing(present.timing, body, now), now)
        paused = present.paused or only_entry if body.paused is None else body.paused
        present = present.with_pause(paused=paused)
        if not body.takes_over:
            return present
        # A single time overlaps nothing of its own schedule.
        overlap = body.overlap or present.overlap
        return msgspec.structs.replace(
            present,
            parameters=present.parameters if body.parameters is None else body.parameters,
            overlap="allow" if present.timing.kind == "once" else overlap,
            token_id=request.caller.token_id,
            started_by=BY_CLIENTS,
        )

    changed = update(definition.schedule_id, change)
    if changed is None:
        raise no_such_schedule()
    return changed


def _started(definition: Definition, at: datetime, request: ScheduleRequest) -> http.Response:
    """Starts the run of a one-time schedule that is due."""
    run = start_due(definition, run_id_of(definition, at))
    end(definition)
    return http.accepted(run, request.request_id)


def _write_entry(definition: Definition, before: Definition, now: datetime) -> None:
    try:
        write_entry(definition, now)
    except scheduler.CronRefused:
        update(definition.schedule_id, lambda present: _undone(present, definition, before))
        raise cron_refused() from None


def _undone(present: Definition, refused: Definition, before: Definition) -> Definition:
    """The definition with the timing that its entry still has."""
    if present.revision != refused.revision:
        return present
    return msgspec.structs.replace(
        present,
        timing=before.timing,
        paused=before.paused,
        revision=before.revision,
        retimed_at=before.retimed_at,
    )
