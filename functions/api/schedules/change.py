"""PATCH /schedules/<id>: pauses and resumes.

A one-time schedule whose time passes while it is paused runs when it is resumed.
"""

from functions.api.schedules.cancel import remove
from functions.api.schedules.definition import Definition
from functions.api.schedules.fire import start_scheduled
from functions.api.schedules.names import no_such_schedule
from functions.api.schedules.read import find
from functions.api.schedules.request import ScheduleRequest
from functions.api.schedules.schedule import describe, entry_of
from functions.core import clock, http
from functions.core.aws import scheduler
from functions.core.clock import utc
from functions.core.errors import Conflict
from functions.core.parameters import Parameters, read_parameters


class ScheduleChange(Parameters):
    """New state of a schedule."""

    paused: bool
    """Whether nothing starts until the schedule is resumed."""


def change_schedule(request: ScheduleRequest) -> http.Response:
    """Pauses or resumes a schedule.

    A one-time schedule whose time passed while it was paused runs when it is resumed. The answer is
    then 202 with the run.

    Raises:
        InvalidParameters, NotFound, Conflict
    """
    name = request.schedule_name()
    body = read_parameters(ScheduleChange, http.read_body(request.event))
    definition, paused = find(name)
    now = utc(clock.now())
    if body.paused != paused:
        if definition.timing.starts_now(now):
            return _change_due(definition, request, paused=paused)
        if definition.timing.has_ended(now):
            raise Conflict("The schedule has ended. Create a new one.")
        if not scheduler.replace(entry_of(definition, now, paused=body.paused)):
            raise no_such_schedule()
    return http.answer(describe(definition, now, paused=body.paused), request.request_id)


def _change_due(definition: Definition, request: ScheduleRequest, *, paused: bool) -> http.Response:
    """Changes a one-time schedule that is due: resuming starts its run, pausing comes too late."""
    at = definition.timing.first_at
    if not paused or at is None:
        raise Conflict("The schedule is firing and cannot be paused. Cancel it, or cancel its run.")
    run = start_scheduled(definition, at)
    if run is None:
        raise Conflict(
            "The schedule has ended, because the token that made it is revoked or expired. "
            "Create a new one."
        )
    remove([definition.schedule_id])
    return http.accepted(run, request.request_id)
