"""Items that wait: their steps, the events that wake them, and RunWorkflow's trigger `listen`."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from functions.api.runs.requests import read_body, read_query
from functions.core import clock, http
from functions.core.auth.caller import Caller
from functions.core.clock import utc
from functions.core.errors import Conflict, FieldError, InvalidParameters, NotFound
from functions.core.http.problems import Problem
from functions.core.observability import logger
from functions.core.parameters import Parameters
from functions.core.runs.execution import Execution, workflow_of
from functions.core.runs.items import event_box
from functions.core.runs.items.event_box import EventType, KeyedEvent, StoredEvent
from functions.core.runs.items.outcomes import find_outcome
from functions.core.runs.items.references import find_listed
from functions.core.runs.items.steps import Step, StepKind, StepRecords, StepStatus
from functions.core.runs.run import find
from functions.core.runs.states import begun_as


class RunEvent(Parameters):
    """An event for one item of a run."""

    type: EventType
    """Type for which the item waits."""
    data: dict[str, Any] = msgspec.field(default_factory=dict)
    """Data that the item gets, up to 200 KB."""
    index: Annotated[int, Meta(ge=0)] | None = None
    """Index of the item; needed unless the run has one item only."""


class EventTaken(msgspec.Struct, frozen=True, kw_only=True):
    """An event that was taken."""

    type: str
    """Type of the event."""
    woken: int
    """Items that it has woken. An item that waits later finds it as well, for 30 days."""
    received_at: datetime
    """Time of the event."""


class StepsQuery(Parameters):
    """Query of `GET /runs/<id>/steps`."""

    index: Annotated[int, Meta(ge=0)] | None = None
    """Index of the item; needed unless the run has one item only."""


class ShownStep(msgspec.Struct, frozen=True, kw_only=True):
    """A step of an item."""

    name: str
    """Name that the workflow gave it."""
    kind: StepKind
    """Kind of the step."""
    status: StepStatus
    """State of the step. `waiting`: a sleep, a wait, or a pause before the next attempt."""
    attempts: int
    """Attempts so far."""
    started_at: datetime
    """Start of the first attempt."""
    finished_at: datetime | None
    """End of the step; null while it goes on."""
    until: datetime | None
    """End of the sleep, the wait or the pause; null for others."""
    result: Any
    """Result; of a wait the event, null if none came."""
    problem: Problem | None
    """Problem of the last attempt that failed; null if nothing went wrong."""


class StepList(msgspec.Struct, frozen=True, kw_only=True):
    """Steps of an item, in their order."""

    steps: list[ShownStep]
    """Those that have begun."""


def list_steps(event: http.Request, caller: Caller, request_id: str) -> http.Response:
    """Lists the steps of an item.

    They are those of all runs of the item: a retry goes on with them.

    Raises:
        InvalidParameters, NotFound
    """
    run_id = path_run_id(event, caller)
    query = read_query(StepsQuery, event)
    begun = begun_as(find(run_id))
    index = _index(begun, query.index)
    steps = StepRecords(begun.origin_run_id, index, 0).all().values()
    ordered = sorted(steps, key=lambda each: each.order)
    return http.answer(StepList(steps=[_shown(each) for each in ordered]), request_id)


def send_to_run(event: http.Request, caller: Caller, request_id: str) -> http.Response:
    """Sends an event to an item of a run.

    If the item waits for it, it goes on at once. If it waits later, it finds the event.

    Raises:
        InvalidParameters, NotFound, Conflict
    """
    run_id = path_run_id(event, caller)
    sent = read_body(RunEvent, event)
    record = find(run_id)
    begun = begun_as(record)
    index = _index(begun, sent.index)
    outcome = find_outcome(run_id, index)
    if record.ended or (outcome and outcome.finished_at):
        raise Conflict("The item has ended, so nothing waits for an event.")
    event_box.refuse_large(sent.data)
    now = clock.now()
    address = event_box.item_address(sent.type, f"{begun.origin_run_id}/{index}")
    told = StoredEvent(type=sent.type, data=sent.data, received_at=now)
    return _taken(sent.type, event_box.send(address, told), now, request_id)


def send_to_key(event: http.Request, caller: Caller, request_id: str) -> http.Response:
    """Sends an event to all items that wait for it with a key.

    An item of a run that has started, and waits later, finds it, too. It need not be known which
    runs those are.

    Raises:
        InvalidParameters
    """
    del caller  # its scope is all that it needs
    sent = read_body(KeyedEvent, event)
    now = clock.now()
    return _taken(sent.type, event_box.wake(sent, now), now, request_id)


def listen(event: Mapping[str, Any]) -> dict[str, Any]:
    """Keeps the task token of who waits, and wakes it if the event is there already."""
    listens = event["listens"]
    until = datetime.fromisoformat(event["until"]).timestamp()
    event_box.listen(
        listens["addresses"], listens.get("since", 0.0), event["listener"], event["token"], until
    )
    return {}


def path_run_id(event: http.Request, caller: Caller) -> str:
    """Id of the run in the path. Raises `NotPermitted`, `NotFound`."""
    run_id = str((event.get("pathParameters") or {}).get("run_id", ""))
    workflow = workflow_of(run_id)
    logger.append_keys(run_id=run_id, workflow=workflow)
    caller.require(f"workflow:{workflow}")
    return run_id


def _taken(kind: str, woken: int, now: float, request_id: str) -> http.Response:
    taken = EventTaken(type=kind, woken=woken, received_at=utc(now))
    return http.answer(taken, request_id, status=202)


def _index(begun: Execution, index: int | None) -> int:
    """Index of an item of the run. Raises `InvalidParameters`, `NotFound`."""
    if index is None and begun.branch == "one":
        return begun.reference.index
    if index is None:
        sentence = "is needed: the run has more than one item"
        raise InvalidParameters(FieldError("/index", sentence))
    if find_outcome(begun.run_id, index) is None and find_listed(begun, index) is None:
        raise NotFound("The run has no item of this index.")
    return index


def _shown(step: Step) -> ShownStep:
    return ShownStep(
        name=step.name,
        kind=step.kind,
        status=step.status,
        attempts=step.attempts,
        started_at=utc(step.started_at),
        finished_at=utc(step.finished_at) if step.finished_at else None,
        until=utc(step.until) if step.until else None,
        result=_result(step),
        problem=step.problem,
    )


def _result(step: Step) -> Any:  # noqa: ANN401 - JSON
    """Result of a step; the time of an event is as all other times."""
    if step.kind != "wait_for" or step.result is None:
        return step.result
    return step.result | {"received_at": utc(step.result["received_at"])}
