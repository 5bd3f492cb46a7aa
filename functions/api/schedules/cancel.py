"""DELETE /schedules/<id> and DELETE /schedules?group=<group>: cancels schedules.

A schedule that is cancelled before it fires never runs.
"""

from concurrent.futures import ThreadPoolExecutor

import msgspec

from functions.api.schedules.definition import delete_definitions, find_definition
from functions.api.schedules.listing import MAX_PAGE, ScheduleFilter
from functions.api.schedules.names import Group, no_such_schedule
from functions.api.schedules.request import ScheduleRequest
from functions.api.schedules.schedule import describe
from functions.core import clock, http
from functions.core.aws import scheduler
from functions.core.clock import utc
from functions.core.parameters import Parameters, read_parameters

_DELETERS = 10
"""Concurrent deletions; botocore's client keeps as many connections."""


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

    Runs that it has started go on. The answer has the schedule as it was, without its next time.

    Raises:
        NotFound
    """
    name = request.schedule_name()
    definition = find_definition(name.schedule_id)
    if definition is None:
        raise no_such_schedule()
    was = describe(definition, utc(clock.now()), paused=bool(scheduler.is_paused(name.schedule_id)))
    remove([name.schedule_id])
    return http.answer(msgspec.structs.replace(was, next_at=None, run_id=None), request.request_id)


def cancel_group(request: ScheduleRequest) -> http.Response:
    """Cancels all schedules of a group.

    Schedules of workflows that the token may not call stay. A group of several thousand may take
    longer than one call; the same call again continues with the rest.

    Raises:
        InvalidParameters
    """
    group = read_parameters(GroupQuery, request.query).group
    cancelled: set[str] = set()
    cursor: str | None = None
    while True:
        listed, cursor = ScheduleFilter(request.caller, group).page(MAX_PAGE, cursor)
        names = [each.name for each in listed if each.name not in cancelled]
        remove(names)
        cancelled.update(names)
        # Deletions move names to earlier pages. A last pass from the beginning finds those.
        if not names and cursor is None:
            done = GroupCancelled(group=group, cancelled=len(cancelled))
            return http.answer(done, request.request_id)


def remove(schedule_ids: list[str]) -> None:
    """Deletes up to 1,000 schedules.

    The definitions go first, so a schedule that fires meanwhile runs nothing.
    """
    if schedule_ids:
        delete_definitions(schedule_ids)
        with ThreadPoolExecutor(_DELETERS) as deleters:
            list(deleters.map(scheduler.delete, schedule_ids))
