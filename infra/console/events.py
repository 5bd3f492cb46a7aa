"""Events that were sent to the developer's server, from the log of deliver_event."""

from collections.abc import Iterable
from typing import Any

WORKFLOW = "deliver_event"
_MOST = 100


def events(lines: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """The last events in lines of the log, newest first, each with its tries.

    A retry of a run sends an event with the same id again, so `run_id` is that of the last try. It
    is null for a call that waited for the answer.
    """
    found: dict[str, dict[str, Any]] = {}
    for line in lines:
        keys = line["keys"]
        if event_id := keys.get("event_id"):
            tries = found.pop(event_id, {}).get("tries", [])
            found[event_id] = {
                "event_id": event_id,
                "type": keys.get("event_type"),
                "run_id": keys.get("run_id"),
                "request_id": keys.get("request_id"),
                "tries": [*tries, _try(line)],
            }
    return list(reversed(found.values()))[:_MOST]


def _try(line: dict[str, Any]) -> dict[str, Any]:
    """A try: the server's status, or the problem. Neither is set if events go nowhere."""
    keys = line["keys"]
    return {
        "at": line["at"],
        "status": keys.get("receiver_status"),
        "code": keys.get("code"),
        "detail": line["traceback"].rpartition("\n")[2].partition(": ")[2],
    }
