"""POST /schedules: makes a schedule, or starts the run at once when its time is past or under a minute ahead."""

from typing import Annotated, Any

from msgspec import Meta

from functions.api.schedules.definition import Definition, forget
from functions.api.schedules.fire import start_now
from functions.api.schedules.names import new_name
from functions.api.schedules.request import Request
from functions.api.schedules.schedule import describe, entry_of
from functions.api.schedules.timing import When, read_timing
from functions.core import clock, http
from functions.core.aws import scheduler
from functions.core.clock import utc
from functions.core.errors import FieldError, InvalidParameters
from functions.core.observability import logger
from functions.core.parameters import read_parameters
from functions.core.runs.execution import new_run_id
from functions.core.runs.validation import find_problems


class NewSchedule(When, kw_only=True):
    """The body."""

    workflow: Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_]{0,39}\Z")]
    parameters: dict[str, Any]
    group: str | None = None


def create(request: Request) -> http.Response:
    """201 with the schedule, or 202 with the run."""
    request.caller.require("runs:write")
    wanted = read_parameters(NewSchedule, http.read_body(request.event))
    request.caller.require(f"workflow:{wanted.workflow}")
    now = utc(clock.now())
    definition = Definition(
        schedule_id=new_name(wanted.workflow, wanted.group).schedule_id,
        workflow=wanted.workflow,
        parameters=wanted.parameters,
        timing=read_timing(wanted, now),
        token_id=request.caller.token_id,
        created_at=now,
    )
    _refuse_invalid(definition)
    if definition.timing.starts_now(now):
        run_id = new_run_id(definition.workflow, http.run_seed(request.event, definition.token_id))
        return http.accepted(start_now(definition, run_id), request.request_id)
    _make(definition)
    reply = http.answer(describe(definition, now, paused=False), request.request_id, status=201)
    reply["headers"]["location"] = f"/schedules/{definition.schedule_id}"
    return reply


def _refuse_invalid(definition: Definition) -> None:
    """Asks the workflow itself, now, because later nobody would hear of it."""
    for problem in find_problems(definition.workflow, [definition.parameters]):
        raise InvalidParameters(
            *(
                FieldError(f"/parameters{error['pointer']}", error["detail"])
                for error in problem["errors"]
            )
        )


def _make(definition: Definition) -> None:
    """The definition first: a schedule without one would run nothing when it fires."""
    definition.store()
    try:
        _create(definition)
    except BaseException:
        # It may be there all the same, if only the answer was lost; then it runs nothing.
        forget([definition.schedule_id])
        raise


def _create(definition: Definition) -> None:
    """Raises `InvalidParameters` for a cron expression that AWS alone refuses."""
    try:
        scheduler.create(entry_of(definition, definition.created_at, paused=False))
    except scheduler.CronRefused:
        logger.warning("EventBridge Scheduler refused a cron expression", exc_info=True)
        sentence = "is refused by EventBridge Scheduler; write it as its documentation says"
        raise InvalidParameters(FieldError("/cron", sentence)) from None
