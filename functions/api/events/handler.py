"""events: tells the app's backend what became of verifications. The stream of their table calls it with changes, at least
once, for a day if it fails: so no request waits for an event, and none is forgotten between a write and its telling.
"""

from collections.abc import Mapping
from typing import Any

from functions.api.events.changes import Event, events_of
from functions.core import aws, config
from functions.core.config import in_lambda
from functions.core.events.event_filter import EventSettings
from functions.core.observability import count, logged, logger
from functions.core.runs.execution import new_run_id
from functions.core.runs.start import start_once

_WORKFLOW = "deliver_event"
_TOKEN_ID = "events"  # noqa: S105 - whose runs they are: no token's


def lambda_handler(event: Mapping[str, Any], context: object) -> dict[str, int]:
    """Starts a run for each event that is wanted. Whatever fails is raised, so that Lambda gives the same changes again.

    Raises:
        Unavailable
    """
    with logged(
        trigger="stream", request_id=getattr(context, "aws_request_id", None), workflow=_WORKFLOW
    ):
        found = [
            each
            for record in event["Records"]
            for each in _events_of(record)
            if config.read(EventSettings).wants(each.type)
        ]
        for each in found:
            _start(each)
    return {"events": len(found)}


def _events_of(record: Mapping[str, Any]) -> list[Event]:
    """None of a change that cannot be read: it would fail for a day, and keep all behind it waiting."""
    try:
        return list(events_of(record))
    except (KeyError, TypeError, ValueError):
        count("ChangeNotRead")
        logger.exception("a change could not be read; it is left")
        return []


def _start(event: Event) -> None:
    """Once, however often it is asked to: the run is named after the event."""
    run_id = new_run_id(_WORKFLOW, event.event_id)
    # Other words for one event: an earlier version of this code has told it.
    if start_once(
        _WORKFLOW, event.parameters(), token_id=_TOKEN_ID, started_by="events", run_id=run_id
    ):
        count("EventStarted", type=event.type)
        logger.info("event", type=event.type, event_id=event.event_id, run_id=run_id)


if in_lambda():
    config.read(EventSettings)
    for service in ("s3", "stepfunctions"):
        aws.client(service)
