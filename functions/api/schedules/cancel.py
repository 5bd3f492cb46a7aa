"""DELETE /schedules/<id> and DELETE /schedules?group=<group>: what is cancelled before it fires never runs."""

from concurrent.futures import ThreadPoolExecutor

import msgspec

from functions.api.schedules.definition import find_definition, forget
from functions.api.schedules.listing import MOST, Wanted
from functions.api.schedules.request import Request
from functions.api.schedules.schedule import describe
from functions.core import clock, http
from functions.core.aws import scheduler
from functions.core.clock import utc
from functions.core.errors import NotFound
from functions.core.parameters import Parameters, read_parameters

_DELETERS = 10
"""At once; botocore's client keeps as many connections."""


class Query(Parameters):
    """Which schedules."""

    group: str


def cancel(request: Request) -> http.Response:
    """200 with the schedule that was."""
    name = request.schedule_name("runs:write")
    definition = find_definition(name.schedule_id)
    if definition is None:
        raise NotFound("There is no such schedule; one that has fired is its run.")
    was = describe(definition, utc(clock.now()), paused=bool(scheduler.is_paused(name.schedule_id)))
    remove([name.schedule_id])
    return http.answer(msgspec.structs.replace(was, next_at=None, run_id=None), request.request_id)


def cancel_group(request: Request) -> http.Response:
    """200 with how many there were. Those of workflows that the token may not call stay.

    A group of some thousands may need more than one call's time: the same call then goes on with what is left.
    """
    request.caller.require("runs:write")
    group = read_parameters(Query, request.query).group
    cancelled: set[str] = set()
    cursor: str | None = None
    while True:
        listed, cursor = Wanted(request.caller, group).page(MOST, cursor)
        found = [each.name for each in listed if each.name not in cancelled]
        remove(found)
        cancelled.update(found)
        # A last look from the beginning finds what moved up while pages were turned.
        if not found and cursor is None:
            return http.answer({"group": group, "cancelled": len(cancelled)}, request.request_id)


def remove(schedule_ids: list[str]) -> None:
    """Deletes schedules, at most 1,000. Their definitions first: what fires in between then runs nothing."""
    if schedule_ids:
        forget(schedule_ids)
        with ThreadPoolExecutor(_DELETERS) as deleters:
            list(deleters.map(scheduler.delete, schedule_ids))
