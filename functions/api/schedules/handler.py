"""schedules: runs that start in the future, once or repeatedly. Two doors:

http      API Gateway: makes, lists, pauses, resumes and cancels them.
schedule  `{"door": "schedule", "schedule_id", "scheduled_at"}`, from EventBridge Scheduler when one is due. Every failure is
          raised, so that Lambda tries again and then hands the event to the dead-letter queue.
"""

import time
from collections.abc import Callable
from typing import Any

from functions.api.schedules import cancel, change, create, read
from functions.api.schedules.fire import fire
from functions.api.schedules.request import Request
from functions.core import http, scheduler, table
from functions.core.call import caller_of
from functions.core.doors import http_door, log_answer, log_problem, once
from functions.core.errors import NotFound
from functions.core.log import logger
from functions.core.settings import in_lambda

_ROUTES: dict[str, Callable[[Request], http.Answer]] = {
    "POST /schedules": create.create,
    "GET /schedules": read.read_page,
    "DELETE /schedules": cancel.cancel_group,
    "GET /schedules/{schedule_id}": read.read_one,
    "PATCH /schedules/{schedule_id}": change.change,
    "DELETE /schedules/{schedule_id}": cancel.cancel,
}


def lambda_handler(event: dict[str, Any], context: Any) -> Any:  # noqa: ANN401 - Lambda's context has no type
    """Answers at the door that the event is for."""
    try:
        if http.is_http(event):
            return http_door(event, context, lambda request_id: _answer(event, request_id))
        return _fire(event, context.aws_request_id)
    finally:
        logger.clear_state()


def _answer(event: http.Event, request_id: str) -> http.Answer:
    http.refuse_token_in_url(event)
    caller = caller_of((event["requestContext"].get("authorizer") or {}).get("lambda"))
    logger.append_keys(token_id=caller.token_id)
    answer = _ROUTES.get(event.get("routeKey", ""))
    if answer is None:
        raise NotFound("There is no such call.")
    request = Request(event, caller, request_id)
    if event["routeKey"].startswith("POST "):
        return once(event, caller, lambda: answer(request))
    return answer(request)


def _fire(event: dict[str, Any], request_id: str) -> dict[str, str | None]:
    started = time.monotonic()
    logger.append_keys(schedule_id=event["schedule_id"])
    try:
        run_id = fire(event["schedule_id"], event.get("scheduled_at", ""))
    except Exception as error:
        log_problem(error, started, "schedule", request_id)
        raise
    log_answer(started, "schedule", request_id)
    return {"run_id": run_id}


if in_lambda():
    scheduler.prepare()
    table.connect()
