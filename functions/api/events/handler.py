"""events: tells the app's backend what became of verifications. The stream of their table calls it with changes, at least
once, for a day if it fails: so no event is lost, and no request waits for one to be told.
"""

from collections.abc import Mapping
from typing import Any

from functions.api.events.changes import Event, events_of
from functions.core import aws
from functions.core.events.wanted import settings
from functions.core.log import count, logger
from functions.core.runs.execution import new_run_id
from functions.core.runs.start import start
from functions.core.settings import in_lambda

WORKFLOW = "deliver_event"
TOKEN_ID = "events"  # noqa: S105 - whose runs they are: no token's


def lambda_handler(event: Mapping[str, Any], _context: object) -> dict[str, int]:
    """Starts a run for each event that is wanted. Whatever fails is raised, so that Lambda gives the same changes again.

    Raises:
        Unavailable
    """
    found = [each for record in event["Records"] for each in events_of(record) if settings().wants(each.type)]
    for each in found:
        _start(each)
    return {"events": len(found)}


def _start(event: Event) -> None:
    """Once, however often it is asked to: the run is named after the event."""
    run = start(WORKFLOW, [event.parameters()], token_id=TOKEN_ID, run_id=new_run_id(WORKFLOW, event.event_id))
    count("EventStarted", type=event.type)
    logger.info("event", type=event.type, event_id=event.event_id, run_id=run.run_id)


if in_lambda():
    settings()
    for service in ("s3", "stepfunctions"):
        aws.client(service)
