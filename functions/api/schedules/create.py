"""POST /schedules: creates a schedule, or tells what it would be.

If the time is past or less than a minute ahead, the run starts at once.
"""

import hashlib
from datetime import UTC, datetime
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Meta

from functions.api.schedules.request import ScheduleRequest
from functions.core import clock, http
from functions.core.clock import utc
from functions.core.errors import FieldError, IdempotencyKeyReused, InvalidParameters
from functions.core.parameters import read_parameters
from functions.core.runs.validation import find_problems
from functions.core.schedules.definition import Definition, Overlap, find_definition
from functions.core.schedules.fire import start_run
from functions.core.schedules.making import make
from functions.core.schedules.names import Group, new_name
from functions.core.schedules.schedule import describe, run_id_of
from functions.core.schedules.times.planned import PlannedTime, planned_times
from functions.core.schedules.times.timing import TimingParameters, read_timing
from functions.core.schedules.times.words import meaning_of


class NewSchedule(TimingParameters, kw_only=True):
    """A workflow, its parameters, and one of at, after_seconds, every_seconds and cron."""

    workflow: Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_]{0,39}\Z")]
    """Name of the workflow that will run."""
    parameters: dict[str, Any]
    """Parameters of the workflow, which validates them now."""
    group: Group | None = None
    """Name under which schedules are listed and cancelled together."""
    overlap: Overlap | None = None
    """With `every_seconds` and `cron`: `skip` leaves a time out while a run of this schedule is
    under way; `allow`, the default, starts it all the same.
    """
    dry_run: bool = False
    """Whether only the next times are answered, and nothing is made."""


class PlannedSchedule(msgspec.Struct, frozen=True, kw_only=True):
    """A schedule that was not made, because of `dry_run`."""

    workflow: str
    """Name of the workflow that would run."""
    expression: str
    """Expression of EventBridge Scheduler: `at(…)` in UTC, `rate(…)` or `cron(…)`."""
    timezone: str
    """Time zone of the local times."""
    meaning: str
    """The expression in words, such as `at 09:00 on Sundays (Europe/Berlin)`."""
    times: list[PlannedTime]
    """The next ten times, and between them the local times that the clocks skip."""


def create_schedule(request: ScheduleRequest) -> http.Response:
    """Schedules a workflow, once or repeatedly.

    If the time is past or less than a minute ahead, the run starts at once, and the answer is 202
    with the run. With `dry_run` nothing is made; the answer is 200 with the next ten times.

    Raises:
        InvalidParameters
    """
    body = read_parameters(NewSchedule, http.read_body(request.event))
    request.caller.require(f"workflow:{body.workflow}")
    now = utc(clock.now())
    definition = _planned(request, body, now)
    refuse_invalid(definition.workflow, definition.parameters)
    if body.dry_run:
        return http.answer(_preview(definition, body, now), request.request_id)
    _refuse_other_request(definition)
    if definition.timing.starts_now(now):
        run_id = run_id_of(definition, definition.timing.first_at or now)
        return http.accepted(start_run(definition, run_id), request.request_id)
    made = make(definition, now)
    reply = http.answer(describe(made, now, paused=False), request.request_id, status=201)
    reply["headers"]["location"] = f"/schedules/{made.schedule_id}"
    return reply


def refuse_invalid(workflow: str, parameters: dict[str, Any]) -> None:
    """Validates the parameters by the workflow itself. Later no client would see the error.

    Raises:
        InvalidParameters, NotFound, NotInBackground, Unavailable
    """
    for problem in find_problems(workflow, [parameters]):
        raise InvalidParameters(
            *(
                FieldError(f"/parameters{error['pointer']}", error["detail"])
                for error in problem["errors"]
            )
        )


def _planned(request: ScheduleRequest, body: NewSchedule, now: datetime) -> Definition:
    """The definition. Its id follows from the idempotency key, if there is one."""
    seed = http.run_seed(request.event, request.caller.token_id)
    timing = read_timing(body, now)
    if body.overlap and timing.kind == "once":
        error = FieldError("/overlap", "is only accepted with every_seconds or cron")
        raise InvalidParameters(error)
    return Definition(
        schedule_id=new_name(body.workflow, body.group, seed).schedule_id,
        workflow=body.workflow,
        parameters=body.parameters,
        timing=timing,
        token_id=request.caller.token_id,
        created_at=now,
        overlap=body.overlap or "allow",
        seeded=seed is not None,
        request_digest=_digest(body) if seed else None,
    )


def _digest(body: NewSchedule) -> str:
    return hashlib.sha256(msgspec.json.encode(body, order="deterministic")).hexdigest()


def _refuse_other_request(definition: Definition) -> None:
    """Raises `IdempotencyKeyReused` if another request has made a schedule with the same key."""
    if not definition.seeded:
        return
    earlier = find_definition(definition.schedule_id)
    if earlier and earlier.request_digest != definition.request_digest:
        raise IdempotencyKeyReused(
            "The idempotency key was used with other parameters; use a new key."
        )


def _preview(definition: Definition, body: NewSchedule, now: datetime) -> PlannedSchedule:
    timing = definition.timing
    zone = ZoneInfo(body.timezone) if body.timezone else UTC
    return PlannedSchedule(
        workflow=definition.workflow,
        expression=timing.expression,
        timezone=body.timezone or timing.timezone,
        meaning=meaning_of(timing),
        times=planned_times(timing, now, zone),
    )
