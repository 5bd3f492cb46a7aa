"""The last calls of the API, in memory only, without tokens, codes and secrets."""

import threading
from collections import deque
from typing import Any, NamedTuple

MOST_CALLS = 500


class Call(NamedTuple):
    """A call of the API over HTTP, and its answer."""

    about: dict[str, Any]
    """What lists show of it; `request_id` is its identity."""
    details: dict[str, Any]
    """Its query, headers, body and answer."""


class RequestLog:
    """Keeps the last calls. Several threads use it."""

    def __init__(self) -> None:
        self._calls: deque[Call] = deque(maxlen=MOST_CALLS)
        self._lock = threading.Lock()

    def add(self, call: Call) -> None:
        """Adds a call; the oldest is forgotten when there are too many."""
        with self._lock:
            self._calls.append(call)

    def newest(self, path: str = "", limit: int = MOST_CALLS) -> list[dict[str, Any]]:
        """The last calls, newest first.

        Args:
            path: only calls whose path begins so.
            limit: most calls.
        """
        with self._lock:
            calls = list(self._calls)
        fitting = [call.about for call in reversed(calls) if call.about["path"].startswith(path)]
        return fitting[:limit]

    def find(self, request_id: str) -> Call | None:
        """The call of an id."""
        with self._lock:
            calls = list(self._calls)
        return next((call for call in calls if call.about["request_id"] == request_id), None)
