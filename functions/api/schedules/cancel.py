"""DELETE /schedules/<id> and DELETE /schedules?group=<group>: cancels schedules.

A schedule that is cancelled before it fires never runs.
"""

import msgspec

from functions.api.schedules.request import ScheduleRequest
from functions.core import clock, http
from functions.core.aws import scheduler
from functions.core.clock import utc
from functions.core.parameters import Parameters, read_parameters
from functions.core.schedules import cancelling
from functions.core.schedules.definition import find_definition
from functions.core.schedules.names import Group, no_such_schedule
from functions.core.schedules.schedule import describe


class GroupQuery(Parameters):
    """Query of `DELETE /schedules`."""

    group: Group
    """Group whose schedules are cancelled."""


class GroupCancelled(msgspec.Struct, frozen=True, kw_only=True):
    """A cancelled group."""

    group: Group
    """Name of the group."""
    cancelled: int
    """Number of schedules that this call has cancelled."""


def cancel_schedule(request: ScheduleRequest) -> http.Response:
    """Cancels a schedule.

    Runs that it has started go on. The answer has the schedule as it was, without its next times.

    Raises:
        NotFound
    """
    name = request.schedule_name()
    definition = find_definition(name.schedule_id)
    if definition is None:
        raise no_such_schedule()
    paused = bool(scheduler.is_paused(name.schedule_id)) or definition.paused
    was = describe(definition, utc(clock.now()), paused=paused)
    cancelling.remove([name.schedule_id])
    gone = msgspec.structs.replace(was, next_at=None, run_id=None, next_times=[])
    return http.answer(gone, request.request_id)


def cancel_group(request: ScheduleRequest) -> http.Response:
    """Cancels all schedules of a group.

    Schedules of workflows that the token may not call stay. A group of several thousand may take
    longer than one call; the same call again continues with the rest.

    Raises:
        InvalidParameters
    """
    group = read_parameters(GroupQuery, request.query).group
    scopes = request.caller.scopes
    cancelled = cancelling.cancel_group(group, lambda name: f"workflow:{name}" in scopes)
    return http.answer(GroupCancelled(group=group, cancelled=cancelled), request.request_id)
