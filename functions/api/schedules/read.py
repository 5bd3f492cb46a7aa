"""GET /schedules and GET /schedules/<id>: what will run."""

from concurrent.futures import ThreadPoolExecutor
from typing import Annotated

from msgspec import Meta

from functions.api.schedules.definition import Definition, find_definition
from functions.api.schedules.listing import MOST, Wanted
from functions.api.schedules.names import ScheduleName
from functions.api.schedules.request import Request
from functions.api.schedules.schedule import describe
from functions.core import clock, http
from functions.core.aws import scheduler
from functions.core.clock import utc
from functions.core.errors import FieldError, InvalidParameters, NotFound
from functions.core.parameters import Parameters, read_parameters

_READERS = 10
"""At once; botocore's client keeps as many connections."""


class Query(Parameters):
    """Which schedules, and which page of them."""

    workflow: str | None = None
    group: str | None = None
    limit: Annotated[int, Meta(ge=1, le=MOST)] = 50
    cursor: Annotated[str, Meta(max_length=2048)] | None = None


def read_one(request: Request) -> http.Response:
    """200 with the schedule."""
    definition, paused = find(request.schedule_name("runs:read"))
    return http.answer(describe(definition, utc(clock.now()), paused=paused), request.request_id)


def read_page(request: Request) -> http.Response:
    """200 with schedules of the workflows that the token may call; there may be more while there is a cursor."""
    request.caller.require("runs:read")
    query = read_parameters(Query, request.query, strict=False)
    try:
        listed, cursor = Wanted(request.caller, query.group, query.workflow).page(
            query.limit, query.cursor
        )
    except ValueError:
        raise InvalidParameters(FieldError("/cursor", "is not one that this list gave")) from None
    with ThreadPoolExecutor(_READERS) as readers:
        definitions = list(readers.map(lambda each: find_definition(each.name), listed))
    now = utc(clock.now())
    # One without a definition has fired, or was cancelled, since it was listed.
    schedules = [
        describe(definition, now, paused=each.paused)
        for each, definition in zip(listed, definitions, strict=True)
        if definition
    ]
    return http.answer({"schedules": schedules, "cursor": cursor}, request.request_id)


def find(name: ScheduleName) -> tuple[Definition, bool]:
    """A schedule, and whether it is paused. Raises `NotFound`, `Unavailable`."""
    paused = scheduler.is_paused(name.schedule_id)
    definition = None if paused is None else find_definition(name.schedule_id)
    if paused is None or definition is None:
        raise NotFound("There is no such schedule; one that has fired is its run.")
    return definition, paused
