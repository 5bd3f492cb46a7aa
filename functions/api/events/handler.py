"""events: notifies the app's backend of verifications' outcomes.

The table's stream invokes this function with changes at least once, and retries for a day. So no
request waits for an event, and none is lost between the write and its notification.
"""

from collections.abc import Mapping
from typing import Any

from functions.api.events.changes import VerificationEvent, events_of
from functions.core import aws, config
from functions.core.config import in_lambda
from functions.core.events.event_filter import EventSettings
from functions.core.events.sending import DELIVERS, send_event
from functions.core.observability import count, logged, logger


def lambda_handler(event: Mapping[str, Any], context: object) -> dict[str, int]:
    """Starts a run for each event that the filter lets pass.

    Every failure is raised, so that Lambda delivers the same changes again.

    Raises:
        Unavailable
    """
    with logged(
        trigger="stream", request_id=getattr(context, "aws_request_id", None), workflow=DELIVERS
    ):
        events = [
            each
            for record in event["Records"]
            for each in _events_of(record)
            if config.read(EventSettings).wants(each.type)
        ]
        for each in events:
            _start(each)
    return {"events": len(events)}


def _events_of(record: Mapping[str, Any]) -> list[VerificationEvent]:
    """Events of a change; none if it cannot be read.

    Raising would block the stream for a day, with every change behind this one.
    """
    try:
        return list(events_of(record))
    except (KeyError, TypeError, ValueError):
        count("ChangeNotRead")
        logger.exception("a change could not be read and is skipped")
        return []


def _start(event: VerificationEvent) -> None:
    """Starts the event's run. Repetitions start none, because the run is named after the event."""
    # Other parameters under the same id mean that an earlier version of this code sent the event.
    run_id = send_event(event.parameters(), "events")
    if run_id:
        count("EventStarted", type=event.type)
        logger.info("event", type=event.type, event_id=event.event_id, run_id=run_id)


if in_lambda():
    config.read(EventSettings)
    for service in ("s3", "stepfunctions"):
        aws.client(service)
