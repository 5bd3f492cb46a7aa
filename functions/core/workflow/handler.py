"""Lambda handlers of workflows: `workflow(function)` makes a typed function one that answers every
trigger.

http      a request through API Gateway; with `Prefer: respond-async` (RFC 7240 §4.1) a run
direct    `{"trigger": "direct", "parameters": {…}}`, from `make invoke` or `aws lambda invoke`
schedule  `{"trigger": "schedule", "parameters": {…}}`, from EventBridge Scheduler
run       `{"trigger": "run", …}`, from RunWorkflow: one item of a run
validate  `{"trigger": "validate", "items": […]}`: validates parameters; nothing runs

Parameters are never the top level of an event, so nothing that a client sends can pose as another
trigger's event.
"""

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from functions.core import config, http
from functions.core.aws import snapstart
from functions.core.config import Preparation, in_lambda
from functions.core.definition.call import Call, OtherWorkflows, RunEnded
from functions.core.definition.workflow import (
    MOST_RETRIES,
    Idempotency,
    R,
    Workflow,
    WorkflowOptions,
    name_of,
)
from functions.core.errors import Unavailable
from functions.core.http.endpoint import BACKGROUND_SECONDS, logged_call
from functions.core.observability import logger
from functions.core.triggers.http import HttpTrigger

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

    from functions.core.runs.items.work import Work


class LambdaHandler:
    """A workflow behind its triggers, as Lambda calls it."""

    def __init__(self, definition: Workflow[Any, Any]) -> None:
        self.definition = definition

    def __call__(self, event: object, context: "LambdaContext") -> Mapping[str, Any]:
        """The answer of the trigger that the event names."""
        event = event if isinstance(event, dict) else {}
        with logged_call(event, context, workflow=self.definition.name):
            return self._trigger(event)(event, context)

    def _trigger(
        self, event: Mapping[str, Any]
    ) -> Callable[[Any, "LambdaContext"], Mapping[str, Any]]:
        if http.is_http(event):
            return HttpTrigger(self.definition).answer
        trigger = event.get("trigger")
        if trigger == "run":
            from functions.core.triggers.run_item import RunItemTrigger  # noqa: PLC0415 - only its calls pay for it

            return RunItemTrigger(self.definition).answer
        if trigger == "validate":
            from functions.core.triggers.validate import ValidateTrigger  # noqa: PLC0415 - only its calls pay for it

            return ValidateTrigger(self.definition).answer
        from functions.core.triggers.direct import DirectTrigger  # noqa: PLC0415 - only its calls pay for it

        return DirectTrigger(self.definition).answer


def workflow(  # noqa: PLR0913 - what a workflow can say of itself, by name
    function: Callable[..., R],
    *,
    prepare: Iterable[Preparation] = (),
    background: bool = True,
    idempotency: Idempotency = "heeded",
    public: bool = False,
    publishable: bool = False,
    covered_by: str = "",
    calls: Iterable[str | Callable[..., Any]] = (),
    starts: Iterable[str | Callable[..., Any]] = (),
    one_per: str = "",
    long: bool = False,
    retries: int = MOST_RETRIES,
    timeout: float = BACKGROUND_SECONDS,
) -> LambdaHandler:
    """Makes a workflow's function a Lambda handler.

    Args:
        function: takes the parameters and, as an optional second parameter, the `Call`. Its name is
            the workflow's name; its annotations are the types that are validated.
        prepare: settings types, which are read, and functions that make clients and read secrets.
            Lambda does it during init, where it costs no request any time, and with SnapStart again
            in each restored process. A transient failure is left to the first request; wrong
            settings end the init.
        background: false where parameters or results are secrets, which a run would store.
        idempotency: how an `Idempotency-Key` is treated. "heeded": the first answer is kept and
            given again. "passed": no answer is kept; the function gets the key, of a publishable
            token too, as `call.idempotency_key` and makes repetitions safe itself. "ignored":
            every call is a new one. "refused": a request with a key is refused, because its answer
            holds a secret, which nothing may keep.
        public: whether anybody may call it over HTTP, without a token, because its parameters prove
            who may. Its route in template.yaml says so too. It runs in no background and keeps no
            answers: both need a token.
        publishable: whether a publishable token, which anyone can read out of a page or an app, may
            hold its scope.
        covered_by: name of a workflow whose scope covers this one, too, which only tells more of
            the same.
        calls: names or functions of the workflows that it calls (`call`); its role must allow that
            too.
        starts: names or functions of the workflows that it starts runs of (`start`), now or later
            (`schedule`).
        one_per: name of a parameter. While an item of a run with some value of it is under way,
            another one with the same value is skipped. Without a value nothing is skipped.
        long: whether its items can sleep, wait for events and pause between the tries of a step
            (`Call.sleep`, `wait_for`, `run`). It is always answered by a run (202), and cannot be
            called where an answer is expected.
        retries: further attempts at an item of a run after a failure that another try may cure, 0
            to 5.
        timeout: seconds that one attempt may take, 1 to 240. A request over HTTP has 25 at most.

    Raises:
        ValueError: options contradict each other.
    """
    options = WorkflowOptions(
        background=background,
        idempotency=idempotency,
        public=public,
        publishable=publishable,
        covered_by=covered_by,
        calls=frozenset(map(name_of, calls)),
        starts=frozenset(map(name_of, starts)),
        one_per=one_per,
        long=long,
        retries=retries,
        timeout=timeout,
    )
    handler = LambdaHandler(Workflow(function, options, _OTHERS))
    if in_lambda():
        snapstart.in_init(partial(_prepare, tuple(prepare)))
    return handler


def _call_other(workflow: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
    from functions.core.workflow.other_workflows import call  # noqa: PLC0415 - only who calls others pays for it

    return call(workflow, parameters)


def _run_other(
    work: "Work", call: Call, workflow: str, items: Iterable[Mapping[str, Any]], name: str
) -> RunEnded:
    from functions.core.workflow.running import run_other  # noqa: PLC0415 - as above

    return run_other(work, call, workflow, items, name)


_OTHERS = OtherWorkflows(_call_other, _run_other)


def _prepare(parts: Iterable[Preparation]) -> None:
    try:
        config.prepare(*parts)
    except Unavailable:
        logger.warning("init could not prepare everything; the first request will", exc_info=True)
