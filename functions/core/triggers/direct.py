"""The triggers `direct` and `schedule`: an event of `make invoke`, another workflow or EventBridge
Scheduler.

IAM authorizes. The answer is `{"result": …, "problem": …}`, one of them null. A scheduled call that
another try may complete raises its error instead, so that Lambda tries again, then hands the event
to the dead-letter queue.
"""

import time
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from functions.core.deadline import deadline
from functions.core.definition.call import Call
from functions.core.definition.workflow import Workflow
from functions.core.errors import FieldError, InvalidParameters
from functions.core.http.endpoint import BACKGROUND_SECONDS, is_retryable, log_answer, log_problem
from functions.core.http.gateway import MAX_ANSWER_BYTES, result_too_large
from functions.core.http.problems import Problem
from functions.core.parameters import Result, encode_validated
from functions.core.runs.lineage import Lineage

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext


class Invocation(msgspec.Struct, frozen=True):
    """The event.

    Unknown fields are another release's: a deployment replaces the code under schedules that exist.
    """

    trigger: Literal["direct", "schedule"]
    parameters: dict[str, Any]
    lineage: Lineage | None = None
    """Runs that led to the call, where a workflow makes it."""
    typed: bool = False
    """Whether the caller wants to know which texts of the result are times."""


Path = list[str | int]
"""Names and indexes that lead to a value within JSON."""


class InvocationResult(msgspec.Struct, frozen=True, kw_only=True):
    """The answer."""

    result: Any = None
    problem: Problem | None = None
    times: list[Path] | msgspec.UnsetType = msgspec.UNSET
    """Paths to the result's texts that are times; only for a caller that wants to know."""


class DirectTrigger:
    """Calls one workflow with the parameters of an event."""

    def __init__(self, workflow: Workflow[Any, Any]) -> None:
        self._workflow = workflow

    def answer(self, event: Mapping[str, Any], context: "LambdaContext") -> dict[str, Any]:
        """The result or the problem."""
        started, request_id = time.monotonic(), context.aws_request_id
        try:
            invocation = _read_invocation(event)
            self._workflow.require_answering()
            above = invocation.lineage
            call = Call(
                request_id=request_id,
                trigger=invocation.trigger,
                below=above.below_call() if above else None,
            )
            seconds = min(BACKGROUND_SECONDS, self._workflow.options.timeout)
            with deadline(seconds, context.get_remaining_time_in_millis()):
                result = self._workflow.run(invocation.parameters, call)
            _refuse_too_large(result)
            times = list(_times(result)) if invocation.typed else msgspec.UNSET
            answer = InvocationResult(result=result, times=times)
            log_answer(started)
        except Exception as error:
            answer = InvocationResult(problem=log_problem(error, started, request_id))
            if event.get("trigger") == "schedule" and is_retryable(error):
                raise
        return msgspec.to_builtins(answer, enc_hook=encode_validated)  # type: ignore[no-any-return] # a struct becomes a dict


def _refuse_too_large(result: Result) -> None:
    size = len(msgspec.json.encode(result, enc_hook=encode_validated))
    if size > MAX_ANSWER_BYTES:
        raise result_too_large(size)


def _times(result: Result) -> Iterator[Path]:
    """Paths to the times of a result."""
    kept = msgspec.to_builtins(result, builtin_types=(datetime,), enc_hook=encode_validated)
    left: list[tuple[Path, Any]] = [([], kept)]
    while left:
        path, value = left.pop()
        if isinstance(value, datetime):
            yield path
        elif isinstance(value, dict):
            left.extend(([*path, name], each) for name, each in value.items())
        elif isinstance(value, list):
            left.extend(([*path, index], each) for index, each in enumerate(value))


def _read_invocation(event: Mapping[str, Any]) -> Invocation:
    try:
        return msgspec.convert(event, Invocation)
    except msgspec.ValidationError:
        sentence = (
            "An event is an HTTP API request or "
            '{"trigger": "direct" or "schedule", "parameters": {…}}.'
        )
        raise InvalidParameters(FieldError("", sentence)) from None
