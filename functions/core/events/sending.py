"""Sends the platform's own events: each is a run of `deliver_event`, which tries again."""

from collections.abc import Mapping
from typing import Any

from functions.core.runs.execution import new_run_id
from functions.core.runs.start import start_once

DELIVERS = "deliver_event"


def send_event(event: Mapping[str, Any], sender: str) -> str | None:
    """Starts an event's run, once per event id; returns the run's id.

    Null if the event was sent before with other data, which then stays.

    Args:
        event: parameters of `deliver_event`, with its `event_id`.
        sender: part of the platform that sends it: owner and `started_by` of the run.

    Raises:
        Unavailable
    """
    run_id = new_run_id(DELIVERS, event["event_id"])
    started = start_once(DELIVERS, event, token_id=sender, started_by=sender, run_id=run_id)
    return run_id if started else None
