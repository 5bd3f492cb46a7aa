"""The platform: `workflow(function)` makes a typed function a Lambda that answers at every door.

    class Greeting(Parameters):
        name: str

    class Greeted(Result):
        text: str

    def greet(greeting: Greeting) -> Greeted:
        return Greeted(text=f"Hello, {greeting.name}")

    lambda_handler = workflow(greet)

A function may take a second parameter, a `Call`, when it needs to know who calls. Doors:

http      API Gateway. The result or a problem is the answer; no exception ever leaves. With `Prefer: respond-async` (RFC
          7240 §4.1) the answer is 202 with a run over this one item.
direct    `{"door": "direct", "parameters": {...}}`, from `make invoke` or `aws lambda invoke`. IAM is the authority.
          The answer is `{"result": …, "problem": …}`, one of them null.
schedule  `{"door": "schedule", "parameters": {...}}`, from EventBridge Scheduler. As direct, but a failure that another try
          may cure is raised, so that Lambda tries again and then hands the event to the dead-letter queue.
run       `{"door": "run", …}`, from RunWorkflow: one item of a run (runs/item.py).
validate  `{"door": "validate", "items": […]}`: what is wrong with an item's parameters; nothing runs (runs/validate.py).

Parameters are never the top level of an event, so nothing that a client sends can pose as another door's event.
"""

import inspect
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Generic, Literal, TypeVar, get_type_hints

import msgspec

from functions.core import http
from functions.core.call import Call, Caller, Calling, caller_of, current
from functions.core.deadline import deadline
from functions.core.doors import (
    BACKGROUND_SECONDS,
    http_door,
    log_answer,
    log_problem,
    logged_call,
    may_heal,
    once,
)
from functions.core.errors import FieldError, InvalidParameters, NotInBackground, Unavailable
from functions.core.log import logger
from functions.core.parameters import Parameters, Result, encode_checked, read_parameters
from functions.core.problems import Problem
from functions.core.settings import in_lambda

P = TypeVar("P", bound=Parameters)
R = TypeVar("R", bound=Result)
LambdaHandler = Callable[[Any, Any], Any]
Idempotency = Literal["heeded", "ignored", "refused"]


class Invocation(msgspec.Struct, frozen=True):
    """The wrapper in which parameters reach the doors `direct` and `schedule`.

    Fields that it does not know are another release's: a deployment replaces the code under
    schedules that are there already.
    """

    door: Literal["direct", "schedule"]
    parameters: dict[str, Any]


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What these doors answer."""

    result: Any = None
    problem: Problem | None = None


class Traits(msgspec.Struct, frozen=True, kw_only=True):
    """What a workflow says of itself: see `workflow`."""

    background: bool
    idempotency: Idempotency
    public: bool
    calls: frozenset[str]
    starts: frozenset[str]


def workflow(  # noqa: PLR0913 - what a workflow can say of itself, by name
    function: Callable[..., R],
    *,
    prepare: Callable[[], object] = lambda: None,
    background: bool = True,
    idempotency: Idempotency = "heeded",
    public: bool = False,
    calls: Iterable[str] = (),
    starts: Iterable[str] = (),
) -> LambdaHandler:
    """Makes a workflow's function a Lambda handler.

    Args:
        function: takes the parameters and, if it has a second parameter, the `Call`; its name is the workflow's name and
            its annotations say what is validated.
        prepare: builds settings, clients and secrets. Lambda runs it during init, where it costs no request any time;
            a failure there that may pass is left to the first request, wrong settings end the init.
        background: false where parameters or results are secrets, which a run would store.
        idempotency: what becomes of an `Idempotency-Key`. "ignored" where no answer may be given twice, "refused" where none
            may be kept, because it holds a secret.
        public: whether anybody may call it over HTTP, without a token, because its parameters prove who may. Its route in
            template.yaml says so too. It runs in no background and keeps no answers: both are for a token.
        calls: names of the workflows that it calls (calling.py); its role must allow that too.
        starts: names of the workflows that it starts runs of.
    """
    if public and (background or idempotency == "heeded"):
        raise ValueError("A public workflow says background=False, and idempotency is ignored or refused.")
    if in_lambda():
        _prepare(prepare)
    about = Traits(
        background=background,
        idempotency=idempotency,
        public=public,
        calls=frozenset(calls),
        starts=frozenset(starts),
    )
    return Workflow(function, about).handle


class Workflow(Generic[P, R]):
    """A workflow's function behind its doors."""

    def __init__(self, function: Callable[..., R], about: Traits) -> None:
        self.function = function
        self.name = function.__name__
        self.scope = f"workflow:{self.name}"
        self.about = about
        names = list(inspect.signature(function).parameters)
        self.parameters: type[P] = get_type_hints(function)[names[0]]
        self.takes_call = len(names) > 1

    def handle(self, event: Any, context: Any) -> Any:  # noqa: ANN401 - Lambda hands over whatever JSON was sent
        """Answers at the door that the event names."""
        event = event if isinstance(event, dict) else {}
        with logged_call(event, context, workflow=self.name):
            return self._door(event)(event, context)

    def read(self, values: Mapping[str, Any], *, strict: bool = True, started_by: str | None = None) -> P:
        """Raises `InvalidParameters`. Without `started_by` they are a client's."""
        parameters = read_parameters(self.parameters, values, strict=strict)
        parameters.check_origin(started_by)
        return parameters

    def run(self, values: Mapping[str, Any], call: Call, *, strict: bool = True) -> R:
        """Raises `InvalidParameters`, and whatever the function does."""
        parameters = self.read(values, strict=strict, started_by=call.started_by)
        token = current.set(Calling(call, self.name, self.about.calls, self.about.starts))
        try:
            return self.function(parameters, call) if self.takes_call else self.function(parameters)
        finally:
            current.reset(token)

    def require_background(self) -> None:
        """Raises `NotInBackground`."""
        if not self.about.background:
            raise NotInBackground(f"{self.name} can only be called now, since its parameters or result are secrets.")

    def _door(self, event: Mapping[str, Any]) -> Callable[[Any, Any], Any]:
        if http.is_http(event):
            return self._http
        if str(event.get("door")) not in {"run", "validate"}:
            return self._invocation
        from functions.core.runs import item, validate  # noqa: PLC0415 - only the background pays for it

        return item.Door(self).answer if event["door"] == "run" else validate.Door(self).answer

    def _http(self, event: http.Event, context: Any) -> http.Answer:  # noqa: ANN401 - Lambda's context has no type
        return http_door(event, context, lambda request_id: self._answer_http(event, request_id))

    def _answer_http(self, event: http.Event, request_id: str) -> http.Answer:
        http.refuse_token_in_url(event)
        if self.about.idempotency == "refused":
            http.refuse_idempotency_key(event)
        if self.about.public:
            return self._answer_anybody(event, request_id)
        caller = caller_of((event["requestContext"].get("authorizer") or {}).get("lambda"))
        logger.append_keys(token_id=caller.token_id)
        caller.require(self.scope)
        respond = self._respond_async if http.prefers(event, "respond-async") else self._respond
        if self.about.idempotency == "heeded":
            return once(event, caller, lambda: respond(event, caller, request_id))
        return respond(event, caller, request_id)

    def _answer_anybody(self, event: http.Event, request_id: str) -> http.Answer:
        """Whatever token comes with the request is not looked at: API Gateway asked nobody whose it is."""
        if http.prefers(event, "respond-async"):
            self.require_background()
        return self._respond(event, None, request_id)

    def _respond(self, event: http.Event, caller: Caller | None, request_id: str) -> http.Answer:
        context = event["requestContext"]
        call = Call(
            request_id=request_id,
            door="http",
            caller=caller,
            client_ip=context["http"].get("sourceIp"),
            domain=context.get("domainName"),
        )
        return http.answer(self.run(http.read_body(event), call), request_id)

    def _respond_async(self, event: http.Event, caller: Caller, request_id: str) -> http.Answer:
        """A run over the one item that the body is, once its parameters are found valid."""
        self.require_background()
        caller.require("runs:write")
        values = http.read_body(event)
        self.read(values)
        from functions.core.runs.execution import new_run_id  # noqa: PLC0415 - only the background pays for it
        from functions.core.runs.start import start  # noqa: PLC0415 - as above

        run_id = new_run_id(self.name, http.run_seed(event, caller.token_id))
        logger.append_keys(run_id=run_id)
        run = start(self.name, [values], token_id=caller.token_id, started_by="api", run_id=run_id)
        return http.accepted(run, request_id, preference="respond-async")

    def _invocation(self, event: Mapping[str, Any], context: Any) -> dict[str, Any]:  # noqa: ANN401 - as above
        started, request_id = time.monotonic(), context.aws_request_id
        door = str(event.get("door"))
        try:
            invocation = _read_invocation(event)
            call = Call(request_id=request_id, door=invocation.door)
            with deadline(BACKGROUND_SECONDS, context.get_remaining_time_in_millis()):
                outcome = Outcome(result=self.run(invocation.parameters, call))
            log_answer(started)
        except Exception as error:
            outcome = Outcome(problem=log_problem(error, started, request_id))
            if door == "schedule" and may_heal(error):
                raise
        return msgspec.to_builtins(outcome, enc_hook=encode_checked)  # type: ignore[no-any-return] # a struct becomes a dict


def _read_invocation(event: Mapping[str, Any]) -> Invocation:
    try:
        return msgspec.convert(event, Invocation)
    except msgspec.ValidationError:
        sentence = (
            'An event is an HTTP API request or {"door": "direct" or "schedule", "parameters": {…}}, nothing else.'
        )
        raise InvalidParameters(FieldError("", sentence)) from None


def _prepare(prepare: Callable[[], object]) -> None:
    try:
        prepare()
    except Unavailable:
        logger.warning("init could not prepare everything; the first request will", exc_info=True)
