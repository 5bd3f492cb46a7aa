"""POST /schedules: creates a schedule.

If the time is past or less than a minute ahead, the run starts at once.
"""

from typing import Annotated, Any

from msgspec import Meta

from functions.api.schedules.definition import Definition, delete_definitions
from functions.api.schedules.fire import start_now
from functions.api.schedules.names import Group, new_name
from functions.api.schedules.request import ScheduleRequest
from functions.api.schedules.schedule import describe, entry_of
from functions.api.schedules.timing import TimingParameters, read_timing
from functions.core import clock, http
from functions.core.aws import scheduler
from functions.core.clock import utc
from functions.core.errors import FieldError, InvalidParameters
from functions.core.observability import logger
from functions.core.parameters import read_parameters
from functions.core.runs.execution import new_run_id
from functions.core.runs.validation import find_problems


class NewSchedule(TimingParameters, kw_only=True):
    """A workflow, its parameters, and one of at, after_seconds, every_seconds and cron."""

    workflow: Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_]{0,39}\Z")]
    """Name of the workflow that will run."""
    parameters: dict[str, Any]
    """Parameters of the workflow, which validates them now."""
    group: Group | None = None
    """Name under which schedules are listed and cancelled together."""


def create_schedule(request: ScheduleRequest) -> http.Response:
    """Schedules a workflow, once or repeatedly.

    If the time is past or less than a minute ahead, the run starts at once, and the answer is 202
    with the run.

    Raises:
        InvalidParameters
    """
    body = read_parameters(NewSchedule, http.read_body(request.event))
    request.caller.require(f"workflow:{body.workflow}")
    now = utc(clock.now())
    definition = Definition(
        schedule_id=new_name(body.workflow, body.group).schedule_id,
        workflow=body.workflow,
        parameters=body.parameters,
        timing=read_timing(body, now),
        token_id=request.caller.token_id,
        created_at=now,
    )
    _refuse_invalid(definition)
    if definition.timing.starts_now(now):
        run_id = new_run_id(definition.workflow, http.run_seed(request.event, definition.token_id))
        return http.accepted(start_now(definition, run_id), request.request_id)
    _create(definition)
    reply = http.answer(describe(definition, now, paused=False), request.request_id, status=201)
    reply["headers"]["location"] = f"/schedules/{definition.schedule_id}"
    return reply


def _refuse_invalid(definition: Definition) -> None:
    """Validates the parameters by the workflow itself. Later no client would see the error."""
    for problem in find_problems(definition.workflow, [definition.parameters]):
        raise InvalidParameters(
            *(
                FieldError(f"/parameters{error['pointer']}", error["detail"])
                for error in problem["errors"]
            )
        )


def _create(definition: Definition) -> None:
    """Stores the definition first: a schedule without one would run nothing when it fires."""
    definition.store()
    try:
        _create_entry(definition)
    except BaseException:
        # If only the answer was lost, the entry exists. Without a definition it runs nothing.
        delete_definitions([definition.schedule_id])
        raise


def _create_entry(definition: Definition) -> None:
    """Creates the entry in EventBridge Scheduler.

    Raises `InvalidParameters` for a cron expression that only AWS refuses.
    """
    try:
        scheduler.create(entry_of(definition, definition.created_at, paused=False))
    except scheduler.CronRefused:
        logger.warning("EventBridge Scheduler refused a cron expression", exc_info=True)
        detail = "is refused by EventBridge Scheduler; see its documentation of cron expressions"
        raise InvalidParameters(FieldError("/cron", detail)) from None
