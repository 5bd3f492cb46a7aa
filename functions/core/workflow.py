"""The platform: `workflow(function)` makes a typed function a Lambda that answers at every door.

    class Greeting(Parameters):
        name: str

    class Greeted(Result):
        text: str

    def greet(greeting: Greeting) -> Greeted:
        return Greeted(text=f"Hello, {greeting.name}")

    lambda_handler = workflow(greet)

A function may take a second parameter, a `Call`, when it needs to know who calls. Doors:

http      API Gateway. The result or a problem is the answer; no exception ever leaves.
direct    `{"door": "direct", "parameters": {...}}`, from `sam local invoke` or `aws lambda invoke`. IAM is the authority.
          The answer is `{"result": …, "problem": …}`, one of them null.
schedule  `{"door": "schedule", "parameters": {...}}`, from EventBridge Scheduler. As direct, but a failure that another try
          may cure is raised, so that Lambda tries again and then hands the event to the dead-letter queue.

Parameters are never the top level of an event, so nothing that a client sends can pose as another door's event.
"""

import inspect
import time
from collections.abc import Callable, Mapping
from typing import Any, Generic, Literal, TypeVar, get_type_hints

import msgspec

from functions.core import http
from functions.core.call import Call, caller_of
from functions.core.deadline import HTTP_SECONDS, deadline
from functions.core.errors import FieldError, InvalidParameters, Unavailable, WorkflowError
from functions.core.log import logger
from functions.core.parameters import NOT_A_PARAMETER, Parameters, Result, encode_checked, read_parameters
from functions.core.problems import Problem, headers, problem
from functions.core.settings import in_lambda

BACKGROUND_SECONDS = 240.0

P = TypeVar("P", bound=Parameters)
R = TypeVar("R", bound=Result)
LambdaHandler = Callable[[Any, Any], Any]


class Invocation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The wrapper in which parameters reach the doors that are not HTTP."""

    door: Literal["direct", "schedule"]
    parameters: dict[str, Any]


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What the doors that are not HTTP answer."""

    result: Any = None
    problem: Problem | None = None


def workflow(function: Callable[..., R], *, prepare: Callable[[], object] = lambda: None) -> LambdaHandler:
    """Makes a workflow's function a Lambda handler.

    Args:
        function: takes the parameters and, if it has a second parameter, the `Call`; its name is the workflow's name and
            its annotations say what is validated.
        prepare: builds settings, clients and secrets. Lambda runs it during init, where it costs no request any time;
            a failure there that may pass is left to the first request, wrong settings end the init.
    """
    if in_lambda():
        _prepare(prepare)
    return _Workflow(function).handle


def http_door(
    event: http.Event,
    context: Any,  # noqa: ANN401 - Lambda's context has no type
    answer: Callable[[str], http.Answer],
) -> http.Answer:
    """What `answer` makes of the request's id within the deadline, or a problem; logged. No exception ever leaves."""
    request_id = http.request_id_of(event)
    started = time.monotonic()
    try:
        with deadline(HTTP_SECONDS, context.get_remaining_time_in_millis()):
            reply = answer(request_id)
        _log_answer(started, "http", request_id)
    except Exception as error:  # noqa: BLE001 - no exception may leave the HTTP door
        reply = http.problem_answer(_log_problem(error, started, "http", request_id), headers(error))
    return reply


class _Workflow(Generic[P, R]):
    def __init__(self, function: Callable[..., R]) -> None:
        self.function = function
        self.name = function.__name__
        self.scope = f"workflow:{self.name}"
        names = list(inspect.signature(function).parameters)
        self.parameters: type[P] = get_type_hints(function)[names[0]]
        self.takes_call = len(names) > 1

    def handle(self, event: Any, context: Any) -> Any:  # noqa: ANN401 - Lambda hands over whatever JSON was sent
        event = event if isinstance(event, dict) else {}
        answer = self._http if http.is_http(event) else self._invocation
        logger.append_keys(workflow=self.name)
        try:
            return answer(event, context)
        finally:
            logger.clear_state()

    def _http(self, event: http.Event, context: Any) -> http.Answer:  # noqa: ANN401 - Lambda's context has no type
        return http_door(
            event, context, lambda request_id: http.answer(self._answer_http(event, request_id), request_id)
        )

    def _answer_http(self, event: http.Event, request_id: str) -> R:
        http.refuse_token_in_url(event)
        context = event["requestContext"]
        caller = caller_of((context.get("authorizer") or {}).get("lambda"))
        logger.append_keys(token_id=caller.token_id)
        caller.require(self.scope)
        call = Call(
            request_id=request_id,
            door="http",
            caller=caller,
            client_ip=context["http"].get("sourceIp"),
            domain=context.get("domainName"),
        )
        return self._run(http.read_body(event), call)

    def _invocation(self, event: Mapping[str, Any], context: Any) -> dict[str, Any]:  # noqa: ANN401 - as above
        started, request_id = time.monotonic(), context.aws_request_id
        door = str(event.get("door"))
        try:
            invocation = _read_invocation(event)
            call = Call(request_id=request_id, door=invocation.door)
            with deadline(BACKGROUND_SECONDS, context.get_remaining_time_in_millis()):
                outcome = Outcome(result=self._run(invocation.parameters, call))
            _log_answer(started, door, request_id)
        except Exception as error:
            outcome = Outcome(problem=_log_problem(error, started, door, request_id))
            if door == "schedule" and _may_heal(error):
                raise
        return msgspec.to_builtins(outcome, enc_hook=encode_checked)  # type: ignore[no-any-return] # a struct becomes a dict

    def _run(self, values: Mapping[str, Any], call: Call) -> R:
        parameters = read_parameters(self.parameters, values)
        return self.function(parameters, call) if self.takes_call else self.function(parameters)


def _read_invocation(event: Mapping[str, Any]) -> Invocation:
    try:
        return msgspec.convert(event, Invocation)
    except msgspec.ValidationError:
        sentence = (
            'An event is an HTTP API request or {"door": "direct" or "schedule", "parameters": {…}}, nothing else.'
        )
        raise InvalidParameters(FieldError("", sentence)) from None


def _may_heal(error: Exception) -> bool:
    return isinstance(error, Unavailable) or not isinstance(error, WorkflowError)


def _prepare(prepare: Callable[[], object]) -> None:
    try:
        prepare()
    except Unavailable:
        logger.warning("init could not prepare everything; the first request will", exc_info=True)


def _log_answer(started: float, door: str, request_id: str) -> None:
    logger.info("answered", extra=_facts(started, door, request_id) | {"status": 200})


def _log_problem(error: Exception, started: float, door: str, request_id: str) -> Problem:
    """4xx is information, 5xx an error with its traceback."""
    told = problem(error, request_id)
    fault = told.status >= 500  # noqa: PLR2004 - RFC 9110 §15.6
    about = {"status": told.status, "code": told.code, "pointers": _known_pointers(told)}
    write = logger.exception if fault else logger.info
    write("problem", extra=_facts(started, door, request_id) | about)
    return told


def _known_pointers(told: Problem) -> list[str]:
    """Names of unknown parameters are not logged: a client may have put anything there."""
    return [each.pointer if each.detail != NOT_A_PARAMETER else "(unknown)" for each in told.errors]


def _facts(started: float, door: str, request_id: str) -> dict[str, object]:
    milliseconds = round((time.monotonic() - started) * 1000, 1)
    return {"door": door, "request_id": request_id, "duration_ms": milliseconds}
