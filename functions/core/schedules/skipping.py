"""`overlap: skip`: a time is skipped while a run of the same schedule is under way."""

from datetime import datetime

from functions.core import config
from functions.core.clock import rfc3339
from functions.core.errors import NotFound
from functions.core.events.event_filter import EventSettings
from functions.core.events.event_id import event_id
from functions.core.events.sending import send_event
from functions.core.observability import count, logger
from functions.core.runs import execution
from functions.core.schedules.definition import Definition
from functions.core.schedules.names import read_name

_EVENT = "schedule.skipped"
_SENDER = "schedules"
"""Origin of the event. Runs of schedules themselves have another: clients choose what those do."""


def run_under_way(definition: Definition, run_id: str) -> str | None:
    """The run because of which a time is skipped; null if it is to start.

    `run_id`: of the time. If a delivery before this one has started it, nothing is skipped.
    """
    if definition.overlap == "allow" or run_id in definition.recent_runs:
        return None
    return next((each for each in definition.recent_runs if _is_under_way(each)), None)


def _is_under_way(run_id: str) -> bool:
    try:
        return bool(execution.read(run_id)[1]["status"] == "RUNNING")
    except NotFound:  # Step Functions forgets a run after 90 days
        return False


def tell_skipped(definition: Definition, at: datetime, run_id: str, under_way: str) -> None:
    """Logs, counts and sends an event, once for each time. Raises `Unavailable`."""
    logger.warning("skipped: a run of this schedule is under way", run_id=under_way)
    if config.read(EventSettings).wants(_EVENT):
        _send(definition, at, event_id(f"{_EVENT} {run_id}"), under_way)
    count("ScheduleSkipped")


def _send(definition: Definition, at: datetime, delivered_id: str, under_way: str) -> None:
    data = {
        "schedule_id": definition.schedule_id,
        "workflow": definition.workflow,
        "group": read_name(definition.schedule_id).group,
        "scheduled_at": rfc3339(at),
        "run_id": under_way,
    }
    event = {"event_id": delivered_id, "type": _EVENT, "occurred_at": rfc3339(at), "data": data}
    send_event(event, _SENDER)
