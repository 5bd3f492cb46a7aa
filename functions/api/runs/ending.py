"""Ends of runs: closes their records, and tells of them by an event and a metric. Triggers:

end      RunWorkflow's last state: `{"trigger": "end", "execution": {…}}`.
stopped  EventBridge, for executions that never reach that state; best effort.
sweep    EventBridge, every 15 minutes: closes what the others have missed.
listen   RunWorkflow, for what waits for an event: keeps its task token.
leave    RunWorkflow, for an item that cannot wait where it is: starts its own execution.
"""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from functions.api.runs.waiting import listen
from functions.core import clock, config
from functions.core.clock import rfc3339, utc
from functions.core.definition.names import workflow_names
from functions.core.events.event_filter import EventSettings
from functions.core.events.event_id import event_id
from functions.core.events.sending import DELIVERS, send_event
from functions.core.observability import count, logger
from functions.core.runs import execution, listing, records
from functions.core.runs.files import free_item
from functions.core.runs.items import event_box, leaving
from functions.core.runs.records import RunRecord
from functions.core.runs.run import Ended, Run, end, settle, shown
from functions.core.runs.states import begun_as

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
_LOOK_SECONDS = 12 * 3600
"""Time after which a run counts the items that wait elsewhere again, in case an end was not told.
"""
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
    event_box.tell(event_box.end_address(run.run_id), "run.ended")


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
    error = str((state.get("failure") or {}).get("Error", ""))
    if state.get("left"):
        _end_left(state, crashed=bool(error))
        return {"status": "ended"}
    record = records.find(state["run_id"])
    if record is None:
        # Started by code from before there were records, during an update of the stack.
        return {"status": "unknown"}
    ancestors = begun_as(record).lineage.ancestors
    if "end" in state:  # it has waited before
        leaving.end_lost(record.run_id, ancestors)
    since = leaving.waits_since(record.run_id, ancestors)
    if since and not error:
        return _wait_for(record.run_id, since)
    ended = end(record, error=error, moment=clock.now(), last=False)
    if ended.run.pending:
        leaving.stop_left(ended.run.run_id)
    tell(ended)
    _free(state)
    return {"status": ended.run.status}


def _wait_for(run_id: str, since: float) -> dict[str, Any]:
    """Answer of a run whose items go on elsewhere."""
    listens = {"addresses": [event_box.left_address(run_id)], "since": since}
    until = rfc3339(utc(clock.now() + _LOOK_SECONDS))
    return {"status": "waiting", "until": until, "seconds": _LOOK_SECONDS, "listens": listens}


def _end_left(state: Event, *, crashed: bool) -> None:
    """Handles the end of an item's own execution."""
    ancestors = state["lineage"].get("ancestors", ())
    index = int(state["reference"]["index"])
    leaving.end_left(state["run_id"], index, ancestors, crashed=crashed)
    _free(state)


def _free(state: Event) -> None:
    """Deletes the parameters of an item that has waited, unless a retry may need them."""
    answer = (state.get("item") or {}).get("answer") or {}
    if answer.get("waited") and answer["status"] in {"succeeded", "skipped"}:
        free_item(state["origin_run_id"], int(state["reference"]["index"]))


def _leave(event: Event) -> dict[str, Any]:
    leaving.leave(event["execution"])
    return {}


def _stopped(event: Event) -> dict[str, Any]:
    name = str(event["detail"]["name"])
    if leaving.is_left(name):
        _end_left(msgspec.json.decode(event["detail"]["input"]), crashed=True)
        return {"closed": 0}
    record = records.find(name)
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
    if ended and ended.run.pending:
        leaving.stop_left(ended.run.run_id)
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
    "leave": _leave,
}
