"""Endpoints: an answer within a deadline, a log line for each call, no exception over HTTP."""

import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from functions.core.auth.caller import Caller, caller_of
from functions.core.deadline import HTTP_SECONDS, deadline
from functions.core.errors import NotFound, Unavailable, WorkflowError
from functions.core.http import gateway
from functions.core.http.problems import Problem, headers, problem
from functions.core.observability import logged, logger
from functions.core.parameters import NOT_A_PARAMETER, NoParameters, Parameters

if TYPE_CHECKING:
    import msgspec
    from aws_lambda_powertools.utilities.typing import LambdaContext

BACKGROUND_SECONDS = 240.0

_NAMED = frozenset({"direct", "schedule", "run", "validate"})
"""Triggers that an event names. Any other event is a direct invocation."""


def logged_call(
    event: Mapping[str, Any],
    context: "LambdaContext",
    **keys: object,
) -> AbstractContextManager[None]:
    """Adds `trigger`, `request_id` and other keys to every log line of a call.

    The request id of an HTTP call is API Gateway's, which the client gets as well. Otherwise it is
    Lambda's.
    """
    if gateway.is_http(event):
        return logged(trigger="http", request_id=gateway.request_id_of(event), **keys)
    named = event.get("trigger")
    trigger = named if isinstance(named, str) and named in _NAMED else "direct"
    return logged(trigger=trigger, request_id=context.aws_request_id, **keys)


def http_endpoint(
    event: gateway.Request,
    context: "LambdaContext",
    answer: Callable[[str], gateway.Response],
) -> gateway.Response:
    """Answers a request within the deadline and logs it. An exception becomes a problem.

    Args:
        event: the request.
        context: Lambda's.
        answer: makes the answer, from the request's id.
    """
    request_id = gateway.request_id_of(event)
    started = time.monotonic()
    try:
        with deadline(HTTP_SECONDS, context.get_remaining_time_in_millis()):
            reply = answer(request_id)
        log_answer(started, status=reply["statusCode"])
    except Exception as error:  # noqa: BLE001 - no exception may leave the HTTP trigger
        reply = gateway.problem_answer(log_problem(error, started, request_id), headers(error))
    return reply


ApiCall = Callable[[gateway.Request, Caller, str], gateway.Response]
"""Answers one route, from the event, the caller and the request's id."""


class Route(NamedTuple):
    """A route of the platform's own, as it is answered and as openapi.json describes it."""

    answer: ApiCall
    """Its docstring describes the call to clients."""
    scope: str
    """Scope that the token must have."""
    answers: "Mapping[int, type[msgspec.Struct]]"
    """Types of the answers by status."""
    body: type[Parameters] | None = None
    query: type[Parameters] | None = None
    """Null: a query is refused."""


def api_endpoint(
    event: gateway.Request,
    context: "LambdaContext",
    routes: Mapping[str, Route],
) -> gateway.Response:
    """Answers a request to one of the platform's own routes. A POST heeds `Idempotency-Key`.

    The route, unlike the path, is the same under every domain and stage. Logs and problems are
    those of `http_endpoint`.
    """

    def answer(request_id: str) -> gateway.Response:
        gateway.refuse_token_in_url(event)
        caller = caller_of((event["requestContext"].get("authorizer") or {}).get("lambda"))
        logger.append_keys(token_id=caller.token_id)
        key = event.get("routeKey", "")
        if key not in routes:
            raise NotFound("Not found: no route has this method and path.")
        route = routes[key]
        caller.require(route.scope)
        if route.query is None:
            gateway.refuse_query(event)
        reply = partial(route.answer, event, caller, request_id)
        if not key.startswith("POST "):
            return reply()
        return once(event, caller, reply, route.body or NoParameters)

    return http_endpoint(event, context, answer)


def once(
    event: gateway.Request,
    caller: Caller,
    answer: Callable[[], gateway.Response],
    body: type[Parameters],
) -> gateway.Response:
    """Answers a request, or repeats the answer that its `Idempotency-Key` got first.

    `body`: the type of the parameters, which says what counts as absent.

    The key of a publishable token is ignored. Everybody holds that token, so its keys would be
    everybody's: a stranger could be given a victim's answer, or leave theirs for the victim.
    """
    if caller.kind == "publishable" or not gateway.has_idempotency_key(event):
        return answer()
    from functions.core.http import idempotency  # noqa: PLC0415 - only who asks for it pays for it

    return idempotency.once(event, caller, answer, body)


def is_retryable(error: Exception) -> bool:
    """Whether another try may succeed where this one failed."""
    return isinstance(error, Unavailable) or not isinstance(error, WorkflowError)


def log_answer(started: float, *, status: int = 200) -> None:
    """Logs a call that was answered; `started` is on the monotonic clock."""
    logger.info("answered", extra={"duration_ms": _milliseconds(started), "status": status})


def log_problem(error: Exception, started: float, request_id: str) -> Problem:
    """Logs a call that failed and returns its problem.

    4xx is information, 5xx an error with its traceback.
    """
    told = problem(error, request_id)
    fault = told.status >= 500  # noqa: PLR2004 - RFC 9110 §15.6
    about = {"status": told.status, "code": told.code, "pointers": _known_pointers(told)}
    write = logger.exception if fault else logger.info
    write("problem", extra={"duration_ms": _milliseconds(started)} | about)
    return told


def _known_pointers(told: Problem) -> list[str]:
    """Pointers for the log.

    Names of unknown parameters are left out: a client may put anything there.
    """
    return [
        "(unknown)" if each.detail.startswith(NOT_A_PARAMETER) else each.pointer
        for each in told.errors
    ]


def _milliseconds(started: float) -> float:
    return round((time.monotonic() - started) * 1000, 1)
