"""schedules: runs that start in the future, once or repeatedly. Two triggers:

http      API Gateway: creates, lists, changes, runs and cancels schedules.
schedule  EventBridge Scheduler, when a schedule is due: `{"trigger": "schedule", "schedule_id",
          "scheduled_at", "revision"}`. Every failure is raised, so that Lambda retries and then
          sends the event to the dead-letter queue.
"""

import time
from collections.abc import Callable, Mapping
from functools import wraps
from typing import TYPE_CHECKING, Any

from functions.api.schedules import cancel, change, create, read, run
from functions.api.schedules.request import ScheduleRequest
from functions.core import config, http
from functions.core.auth.caller import Caller
from functions.core.aws import dynamodb, scheduler
from functions.core.config import in_lambda
from functions.core.events.event_filter import EventSettings
from functions.core.http.endpoint import (
    ApiCall,
    Route,
    api_endpoint,
    log_answer,
    log_problem,
    logged_call,
)
from functions.core.observability import logger
from functions.core.runs.run import Run
from functions.core.schedules.fire import fire
from functions.core.schedules.schedule import Schedule

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext


def _call(answer: Callable[[ScheduleRequest], http.Response]) -> ApiCall:
    @wraps(answer)
    def call(event: http.Request, caller: Caller, request_id: str) -> http.Response:
        return answer(ScheduleRequest(event, caller, request_id))

    return call


ROUTES = {
    "POST /schedules": Route(
        _call(create.create_schedule),
        "runs:write",
        {200: create.PlannedSchedule, 201: Schedule, 202: Run},
        body=create.NewSchedule,
    ),
    "GET /schedules": Route(
        _call(read.list_schedules), "runs:read", {200: read.SchedulePage}, query=read.ListQuery
    ),
    "DELETE /schedules": Route(
        _call(cancel.cancel_group),
        "runs:write",
        {200: cancel.GroupCancelled},
        query=cancel.GroupQuery,
    ),
    "GET /schedules/{schedule_id}": Route(_call(read.get_schedule), "runs:read", {200: Schedule}),
    "PATCH /schedules/{schedule_id}": Route(
        _call(change.change_schedule),
        "runs:write",
        {200: Schedule, 202: Run},
        body=change.ScheduleChange,
    ),
    "POST /schedules/{schedule_id}/run": Route(_call(run.run_schedule), "runs:write", {202: Run}),
    "DELETE /schedules/{schedule_id}": Route(
        _call(cancel.cancel_schedule), "runs:write", {200: Schedule}
    ),
}


def lambda_handler(event: dict[str, Any], context: "LambdaContext") -> Mapping[str, Any]:
    """Handles the event by its trigger."""
    with logged_call(event, context):
        if http.is_http(event):
            return api_endpoint(event, context, ROUTES)
        return _fire(event, context.aws_request_id)


def _fire(event: dict[str, Any], request_id: str) -> dict[str, str | None]:
    started = time.monotonic()
    logger.append_keys(schedule_id=event["schedule_id"])
    try:
        run_id = fire(event["schedule_id"], event.get("scheduled_at", ""), event.get("revision", 0))
    except Exception as error:
        log_problem(error, started, request_id)
        raise
    logger.append_keys(run_id=run_id)
    log_answer(started)
    return {"run_id": run_id}


if in_lambda():
    config.read(EventSettings)
    scheduler.prepare()
    scheduler.prepare_client()
    dynamodb.connect()
