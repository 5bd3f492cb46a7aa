"""Workflows that use other workflows: `call` waits for the result, `start` leaves them to the
background.

    from functions.core.workflow.other_workflows import call, start

    def onboard(person: Person) -> Onboarded:
        receipt = call("send_receipt", {"to": person.email, "amount": "12.00"})
        run = start("import_contacts", [{"contact": each} for each in person.contacts])
        return Onboarded(message_id=receipt["message_id"], run_id=run.run_id)

    lambda_handler = workflow(onboard, calls=["send_receipt"], starts=["import_contacts"])

A workflow declares the workflows that it calls and starts. Its role must allow the calls as well
(`lambda:InvokeFunction`). Starts are limited here alone, because one state machine runs every
workflow.

An item of a run starts each of its runs once, however often it is tried: their ids follow from its
own.
"""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from msgspec import to_builtins

from functions.core.aws.lambda_functions import invoke
from functions.core.definition.call import in_progress
from functions.core.errors import CallFailed, IdempotencyKeyReused, Unavailable, WorkflowError

if TYPE_CHECKING:
    from functions.core.runs.lineage import Lineage
    from functions.core.runs.run import Run

_ANSWER_SECONDS = 240
"""Time that a workflow may take. The caller's own deadline ends the wait earlier."""


def call(workflow: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Calls another workflow and waits for its result.

    Args:
        workflow: its name, one of `calls`.
        parameters: as it takes them.

    Raises:
        TooDeep: workflows call each other without an end.
        CallFailed: with the problem that it ended with; where nobody catches it, it is the caller's
            problem too.
        Unavailable: it is not available, crashed, ran out of time, or is throttled.
    """
    require_declared(workflow, in_progress.get().calls, "calls")
    event = {"trigger": "direct", "parameters": parameters, "lineage": to_builtins(lineage_below())}
    # The SDK does not retry: the first try may have had effects.
    answer = invoke(workflow, event, attempts=1, answer_seconds=_ANSWER_SECONDS)
    if answer["problem"]:
        raise _error(answer["problem"])
    result: dict[str, Any] = answer["result"]
    return result


def start(workflow: str, items: Iterable[Mapping[str, Any]], **options: Any) -> "Run":  # noqa: ANN401 - of runs.start
    """Starts a run of another workflow, or of the same one, over the items; returns it as it
    starts.

    Args:
        workflow: its name, one of `starts`.
        items: parameters of one call each.
        options: `parameters`, `interval_seconds`, `max_concurrency`, as in
            `functions.core.runs.start.start`.

    Raises:
        InvalidParameters: as there.
        Unavailable
    """
    from functions.core.runs.execution import new_run_id  # noqa: PLC0415 - only a start pays for it
    from functions.core.runs.run import describe  # noqa: PLC0415 - as above
    from functions.core.runs.start import start as start_run  # noqa: PLC0415 - as above

    now = in_progress.get()
    require_declared(workflow, now.starts, "starts")
    run_id = new_run_id(workflow, f"{now.call.item_id}#{now.started}") if now.call.item_id else None
    now.started += 1
    token_id = now.call.caller.token_id if now.call.caller else now.call.run_token_id
    try:
        started_by = f"workflow:{now.workflow}"
        return start_run(
            workflow,
            items,
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


def _error(problem: Mapping[str, Any]) -> WorkflowError:
    """The error of a workflow's problem."""
    if problem["status"] >= 500 and problem["retry_after_seconds"]:  # noqa: PLR2004 - RFC 9110 §15.6
        return Unavailable(problem["detail"], retry_after=problem["retry_after_seconds"])
    return CallFailed(problem)
