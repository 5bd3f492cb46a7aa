"""GET /schedules and GET /schedules/<id>: lists and shows schedules."""

from concurrent.futures import ThreadPoolExecutor
from typing import Annotated

import msgspec
from msgspec import Meta

from functions.api.schedules.listing import MAX_PAGE, ScheduleFilter
from functions.api.schedules.request import ScheduleRequest
from functions.core import clock, http
from functions.core.aws import s3, scheduler
from functions.core.aws.scheduler import Listed
from functions.core.clock import utc
from functions.core.errors import FieldError, InvalidParameters
from functions.core.parameters import Parameters, read_parameters
from functions.core.schedules.definition import Definition, find_definition
from functions.core.schedules.names import Group, ScheduleName, no_such_schedule
from functions.core.schedules.owner import refusal_of
from functions.core.schedules.schedule import ListedSchedule, describe, describe_listed

_READERS = 10
"""Concurrent reads; botocore's client keeps as many connections."""


class ListQuery(Parameters):
    """Query of `GET /schedules`."""

    workflow: str | None = None
    """Only schedules of this workflow."""
    group: Group | None = None
    """Only schedules of this group."""
    limit: Annotated[int, Meta(ge=1, le=MAX_PAGE)] = 50
    """Most schedules on a page."""
    cursor: Annotated[str, Meta(max_length=2048)] | None = None
    """Cursor of the page, from the page before it."""


class SchedulePage(msgspec.Struct, frozen=True, kw_only=True):
    """A page of schedules. It may be short and not the last."""

    schedules: list[ListedSchedule]
    """Schedules of the workflows that the token may call."""
    cursor: str | None
    """Cursor of the next page; null at the end."""


def get_schedule(request: ScheduleRequest) -> http.Response:
    """Returns a schedule.

    One that has fired for the last time is gone; its run remains.

    Raises:
        NotFound
    """
    definition, paused = find(request.schedule_name())
    because = refusal_of(definition.token_id, definition.workflow) if paused else None
    now = utc(clock.now())
    answer = describe(definition, now, paused=paused, paused_because=because)
    return http.answer(answer, request.request_id)


def list_schedules(request: ScheduleRequest) -> http.Response:
    """Lists the schedules of the workflows that the token may call.

    A page may be short and not the last: go on while there is a cursor.

    Raises:
        InvalidParameters
    """
    query = read_parameters(ListQuery, request.query, strict=False)
    try:
        listed, cursor = ScheduleFilter(request.caller, query.group, query.workflow).page(
            query.limit, query.cursor
        )
    except ValueError:
        raise InvalidParameters(
            FieldError("/cursor", "must be a cursor that this list returned")
        ) from None
    s3.prepare()
    with ThreadPoolExecutor(_READERS) as readers:
        found = list(readers.map(_without_parameters, listed))
    # A schedule without a definition has fired, or was cancelled, since it was listed.
    pairs = [(each, one) for each, one in zip(listed, found, strict=True) if one]
    page = SchedulePage(schedules=_described(pairs), cursor=cursor)
    return http.answer(page, request.request_id)


def _without_parameters(listed: Listed) -> Definition | None:
    """A definition without its parameters, which have up to 3 MB each."""
    found = find_definition(listed.name)
    return msgspec.structs.replace(found, parameters={}) if found else None


def _described(pairs: list[tuple[Listed, Definition]]) -> list[ListedSchedule]:
    now = utc(clock.now())
    pairs = [(each._replace(paused=each.paused or one.paused), one) for each, one in pairs]
    paused = {(one.token_id, one.workflow) for each, one in pairs if each.paused}
    refusals = {pair: refusal_of(*pair) for pair in paused}
    return [
        describe_listed(
            definition,
            now,
            paused=listed.paused,
            paused_because=refusals.get((definition.token_id, definition.workflow))
            if listed.paused
            else None,
        )
        for listed, definition in pairs
    ]


def find(name: ScheduleName) -> tuple[Definition, bool]:
    """Definition of a schedule, and whether it is paused. Raises `NotFound`, `Unavailable`."""
    paused = scheduler.is_paused(name.schedule_id)
    definition = None if paused is None else find_definition(name.schedule_id)
    if paused is None or definition is None:
        raise no_such_schedule()
    return definition, paused or definition.paused
