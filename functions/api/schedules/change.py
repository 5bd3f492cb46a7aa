"""PATCH /schedules/<id>: pauses and resumes. A one-time schedule whose time passes while it is paused runs when resumed."""

from functions.api.schedules.cancel import remove
from functions.api.schedules.definition import Definition
from functions.api.schedules.fire import start_scheduled
from functions.api.schedules.read import find
from functions.api.schedules.request import Request
from functions.api.schedules.schedule import describe, entry_of
from functions.core import clock, http
from functions.core.aws import scheduler
from functions.core.clock import utc
from functions.core.errors import Conflict, NotFound
from functions.core.parameters import Parameters, read_parameters


class Change(Parameters):
    """The body."""

    paused: bool


def change(request: Request) -> http.Response:
    """200 with the schedule, or 202 with the run that resuming it started."""
    name = request.schedule_name("runs:write")
    wanted = read_parameters(Change, http.read_body(request.event))
    definition, paused = find(name)
    now = utc(clock.now())
    if wanted.paused != paused:
        if definition.timing.starts_now(now):
            return _change_due(definition, request, paused=paused)
        if definition.timing.has_ended(now):
            raise Conflict("The schedule has ended.")
        if not scheduler.replace(entry_of(definition, now, paused=wanted.paused)):
            raise NotFound("There is no such schedule; one that has fired is its run.")
    return http.answer(describe(definition, now, paused=wanted.paused), request.request_id)


def _change_due(definition: Definition, request: Request, *, paused: bool) -> http.Response:
    """What is about to fire can no longer be paused; what was paused past its time starts."""
    at = definition.timing.first_at
    if not paused or at is None:
        raise Conflict("The schedule is firing; cancel it, or its run.")
    run = start_scheduled(definition, at)
    if run is None:
        raise Conflict(
            "The token that made the schedule is revoked or expired, which ends the schedule."
        )
    remove([definition.schedule_id])
    return http.accepted(run, request.request_id)
