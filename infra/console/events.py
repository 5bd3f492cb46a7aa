"""Events that were sent to the developer's server, from the log of deliver_event."""

from collections.abc import Iterable
from typing import Any

WORKFLOW = "deliver_event"
_MOST = 100
_WAITS, _ANSWERED = "item waits", "answered"
_GIVEN_UP = "step_failed"
"""Code of a line that repeats the problem of the last try, which has a line of its own."""


def events(lines: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """The last events in lines of the log, newest first, each with its tries.

    A retry of a run sends an event with the same id again, so `run_id` is that of the last try.
    `next_try_at` is null unless another try follows.
    """
    found: dict[str, dict[str, Any]] = {}
    for line in lines:
        keys = line["keys"]
        event_id, waits = keys.get("event_id"), line["message"] == _WAITS
        if not event_id or not (waits or _tells_of_a_try(line)):
            continue
        tries = found.pop(event_id, {}).get("tries", [])
        found[event_id] = {
            "event_id": event_id,
            "type": keys.get("event_type"),
            "run_id": keys.get("run_id"),
            "next_try_at": keys.get("until") if waits else None,
            "tries": tries if waits else [*tries, _try(line)],
        }
    return list(reversed(found.values()))[:_MOST]


def _tells_of_a_try(line: dict[str, Any]) -> bool:
    code = line["keys"].get("code")
    return line["message"] == _ANSWERED or (code is not None and code != _GIVEN_UP)


def _try(line: dict[str, Any]) -> dict[str, Any]:
    """A try: the server's status, or the problem. Neither is set if events go nowhere."""
    keys = line["keys"]
    return {
        "at": line["at"],
        "status": keys.get("receiver_status"),
        "code": keys.get("code"),
        "detail": line["traceback"].rpartition("\n")[2].partition(": ")[2],
    }
