"""Workflows that use other workflows: `call` waits for the result, `start` leaves them to the
background.

    from functions.core.workflow.other_workflows import call, start

    def onboard(person: Person) -> Onboarded:
        receipt = call("send_receipt", {"to": person.email, "amount": "12.00"})
        run = start("import_contacts", [{"contact": each} for each in person.contacts])
        return Onboarded(message_id=receipt["message_id"], run_id=run.run_id)

    lambda_handler = workflow(onboard, calls=["send_receipt"], starts=["import_contacts"])

Instead of a name and dictionaries, both take a workflow's function and its parameters, which a type
checker then checks (references.py).

A workflow declares the workflows that it calls and starts. Its role must allow the calls as well
(`lambda:InvokeFunction`). Starts are limited here alone, because one state machine runs every
workflow.

An item of a run starts each of its runs once, however often it is tried: their ids follow from its
own.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, TypedDict, TypeVar, Unpack, overload

import msgspec

from functions.core.aws.lambda_functions import invoke
from functions.core.definition.call import Call, in_progress
from functions.core.definition.workflow import name_of
from functions.core.errors import CallFailed, IdempotencyKeyReused, Unavailable, WorkflowError
from functions.core.parameters import Parameters, Result, encode_validated
from functions.core.workflow.references import OtherWorkflow, other_workflow, typed_result

if TYPE_CHECKING:
    from functions.core.runs.lineage import Lineage
    from functions.core.runs.run import Run

__all__ = ["call", "other_workflow", "start"]

P = TypeVar("P", bound=Parameters)
R = TypeVar("R", bound=Result)

_ANSWER_SECONDS = 240
"""Time that a workflow may take. The caller's own deadline ends the wait earlier."""


class StartOptions(TypedDict, total=False):
    """Options of `start`, as in `functions.core.runs.start.start`."""

    parameters: Mapping[str, Any] | None
    interval_seconds: int
    max_concurrency: int


@overload
def call(workflow: str, parameters: Mapping[str, Any]) -> dict[str, Any]: ...
@overload
def call(workflow: Callable[[P], R] | Callable[[P, Call], R], parameters: P) -> R: ...
def call(workflow: str | Callable[..., Any], parameters: Mapping[str, Any] | Parameters) -> Any:
    """Calls another workflow and waits for its result.

    Args:
        workflow: its name or its function, one of `calls`.
        parameters: as it takes them.

    Raises:
        TooDeep: workflows call each other without an end.
        CallFailed: with the problem that it ended with; where nobody catches it, it is the caller's
            problem too.
        Unavailable: it is not available, crashed, ran out of time, or is throttled.
    """
    name = name_of(workflow)
    typed = not isinstance(workflow, str) or isinstance(workflow, OtherWorkflow)
    require_declared(name, in_progress.get().calls, "calls")
    event: dict[str, Any] = {"trigger": "direct", "parameters": plain(parameters)}
    event |= {"lineage": msgspec.to_builtins(lineage_below())}
    event |= {"typed": True} if typed else {}
    # The SDK does not retry: the first try may have had effects.
    answer = invoke(name, event, attempts=1, answer_seconds=_ANSWER_SECONDS)
    if answer["problem"]:
        raise _error(answer["problem"])
    result: dict[str, Any] = answer["result"]
    return typed_result(result, answer.get("times", ())) if typed else result


@overload
def start(
    workflow: str, items: Iterable[Mapping[str, Any]], **options: Unpack[StartOptions]
) -> "Run": ...
@overload
def start(
    workflow: Callable[[P], Any] | Callable[[P, Call], Any],
    items: Iterable[P],
    **options: Unpack[StartOptions],
) -> "Run": ...
def start(
    workflow: str | Callable[..., Any],
    items: Iterable[Mapping[str, Any] | Parameters],
    **options: Unpack[StartOptions],
) -> "Run":
    """Starts a run of another workflow, or of the same one, over the items; returns it as it
    starts.

    Args:
        workflow: its name or its function, one of `starts`.
        items: parameters of one call each.
        options: as in `StartOptions`.

    Raises:
        InvalidParameters: as there.
        Unavailable
    """
    from functions.core.runs.execution import new_run_id  # noqa: PLC0415 - only a start pays for it
    from functions.core.runs.run import describe  # noqa: PLC0415 - as above
    from functions.core.runs.start import start as start_run  # noqa: PLC0415 - as above

    now, name = in_progress.get(), name_of(workflow)
    require_declared(name, now.starts, "starts")
    run_id = new_run_id(name, f"{now.call.item_id}#{now.started}") if now.call.item_id else None
    now.started += 1
    token_id = now.call.caller.token_id if now.call.caller else now.call.run_token_id
    try:
        started_by = f"workflow:{now.workflow}"
        return start_run(
            name,
            map(plain, items),
            token_id=token_id,
            started_by=started_by,
            run_id=run_id,
            lineage=lineage_below(),
            **options,
        )
    except IdempotencyKeyReused:
        # An earlier try of this item started the run with other items; that start stays.
        return describe(str(run_id))


def lineage_below() -> "Lineage":
    """Lineage of what the call under way starts and calls. Raises `TooDeep`."""
    from functions.core.runs.lineage import TOP, refuse_too_deep  # noqa: PLC0415 - as above

    below = in_progress.get().call.below or TOP.below_call()
    refuse_too_deep(below)
    return below


def require_declared(workflow: str, declared: frozenset[str], where: str) -> None:
    """Raises `RuntimeError` for a workflow that the calling one does not declare."""
    if workflow not in declared:
        raise RuntimeError(f"{workflow} is not declared: workflow(…, {where}=[{workflow!r}])")


def plain(parameters: Mapping[str, Any] | Parameters) -> dict[str, Any]:
    """Parameters as JSON has them."""
    plain: dict[str, Any] = msgspec.to_builtins(parameters, enc_hook=encode_validated)
    return plain


def _error(problem: Mapping[str, Any]) -> WorkflowError:
    """The error of a workflow's problem."""
    if problem["status"] >= 500 and problem["retry_after_seconds"]:  # noqa: PLR2004 - RFC 9110 §15.6
        return Unavailable(problem["detail"], retry_after=problem["retry_after_seconds"])
    return CallFailed(problem)
