"""Ends of runs: closes their records, and tells of them by an event and a metric. Triggers:

end      RunWorkflow's last state: `{"trigger": "end", "execution": {…}}`.
stopped  EventBridge, for executions that never reach that state; best effort.
sweep    EventBridge, every 15 minutes: closes what the others have missed.
listen   RunWorkflow, for an item that waits for an event: keeps its task token.
"""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from functions.api.runs.waiting import listen
from functions.core import clock, config
from functions.core.clock import rfc3339
from functions.core.definition.names import workflow_names
from functions.core.events.event_filter import EventSettings
from functions.core.events.event_id import event_id
from functions.core.events.sending import DELIVERS, send_event
from functions.core.observability import count, logger
from functions.core.runs import execution, listing, records
from functions.core.runs.items import event_box
from functions.core.runs.items.event_box import StoredEvent
from functions.core.runs.records import RunRecord
from functions.core.runs.run import Ended, Run, end, settle, shown

_SILENT = frozenset({DELIVERS, "track_delivery"})
"""Workflows of the platform: an event about each of their runs would make the next run."""
_EVENTS = "events"
_NOT_OF_AN_END = {
    *("result", "problem", "pending", "running"),
    *("waiting", "waiting_for", "waiting_until"),
}
"""Fields of a run that its event lacks: its secrets, and what only a run under way has."""
_YOUNG_SECONDS = 120
"""Age below which the sweep leaves a record to RunWorkflow."""
_SWEEP_SECONDS = 20.0
"""Time of a sweep. The next one goes on."""

Event = Mapping[str, Any]


def answer(event: Event) -> dict[str, Any]:
    """Handles an event that is no request. Every failure is raised, so that its sender repeats it.

    Raises:
        Unavailable
    """
    return _HANDLERS[trigger_of(event)](event)


def trigger_of(event: Event) -> str:
    """Trigger of an event that is no request."""
    return "stopped" if event.get("source") == "aws.states" else str(event.get("trigger"))


def tell(ended: Ended) -> None:
    """Starts the event's run, once per run; counts a run that failed.

    Raises:
        Unavailable
    """
    if ended.by_this_call:
        _note(ended.run)
    if ended.awaited:
        _wake_waiting(ended.run)
    _send_event(ended.run)


def _note(run: Run) -> None:
    """Logs the end of a run, and counts one that failed.

    Failed deliveries of events have an alarm of their own.
    """
    logger.info("run ended", run_id=run.run_id, workflow=run.workflow, outcome=run.status)
    if run.status in {"failed", "partly_failed"} and run.workflow != DELIVERS:
        count("RunFailed")


def _wake_waiting(run: Run) -> None:
    """Wakes the item that has started the run and waits for its end."""
    told = StoredEvent(type="run.ended", data={}, received_at=clock.now())
    event_box.send(event_box.end_address(run.run_id), told)


def _send_event(run: Run) -> None:
    kind = "run.failed" if run.status == "failed" else "run.finished"
    if run.workflow in _SILENT or not config.read(EventSettings).wants(kind):
        return
    data = {
        name: value
        for name, value in msgspec.to_builtins(run).items()
        if name not in _NOT_OF_AN_END
    }
    parameters = {
        "event_id": event_id(f"end of {run.run_id}"),
        "type": kind,
        "occurred_at": rfc3339(run.finished_at) if run.finished_at else None,
        "data": data | {"problem_code": run.problem.code if run.problem else None},
    }
    send_event(parameters, _EVENTS)


def _end(event: Event) -> dict[str, Any]:
    """Answers with the run's status, which becomes that of the execution."""
    state = event["execution"]
    record = records.find(state["run_id"])
    if record is None:
        # Started by code from before there were records, during an update of the stack.
        return {"status": "unknown"}
    error = str((state.get("failure") or {}).get("Error", ""))
    ended = end(record, error=error, moment=clock.now(), last=False)
    tell(ended)
    return {"status": ended.run.status}


def _stopped(event: Event) -> dict[str, Any]:
    record = records.find(str(event["detail"]["name"]))
    return {"closed": int(record is not None and _settle(record))}


def _sweep(_: Event) -> dict[str, Any]:
    until = clock.monotonic() + _SWEEP_SECONDS
    closed = 0
    for run_id in _over(until):
        if clock.monotonic() > until:
            logger.warning("the sweep of runs ran out of time; the next one goes on")
            break
        try:
            record = records.find(run_id)
            closed += record is not None and _settle(record)
        except Exception:  # noqa: BLE001 - the next record may be well
            logger.exception("a run could not be closed", run_id=run_id)
    return {"closed": closed}


def _over(until: float) -> set[str]:
    """Ids of runs whose records are not closed, and whose executions do not run."""
    before = clock.now() - _YOUNG_SECONDS
    unclosed = {
        record.run_id
        for workflow in sorted(workflow_names())
        for record in listing.running_before(workflow, before)
    }
    if not unclosed:
        return unclosed
    for name in execution.running():
        unclosed.discard(name)
        if clock.monotonic() > until:
            logger.warning("the sweep of runs ran out of time before it knew which ones run")
            return set()
    return unclosed


def _settle(record: RunRecord) -> bool:
    """Closes the record of a run that is over; says whether it was still open.

    The event is first: nothing finds a closed record again.
    """
    run = shown(record)
    if run.status == "running":
        return False
    _send_event(run)
    ended = settle(record)
    if ended and ended.awaited:
        _wake_waiting(ended.run)
    if ended and ended.by_this_call:
        _note(ended.run)
    return ended is not None and ended.by_this_call


_HANDLERS: Mapping[str, Callable[[Event], dict[str, Any]]] = {
    "end": _end,
    "stopped": _stopped,
    "sweep": _sweep,
    "listen": listen,
}
