"""A request to this API, and what its parts say."""

from typing import NamedTuple

from functions.api.schedules.names import ScheduleName, read_name
from functions.core import http
from functions.core.auth.caller import Caller


class Request(NamedTuple):
    """Who asks, and what."""

    event: http.Request
    caller: Caller
    request_id: str

    @property
    def query(self) -> dict[str, str]:
        """Parameters of the query string; empty ones count as absent."""
        return {
            name: value
            for name, value in (self.event.get("queryStringParameters") or {}).items()
            if value
        }

    def schedule_name(self, scope: str) -> ScheduleName:
        """Of the schedule in the path, for a caller with this scope and that of its workflow.

        Raises:
            NotPermitted, NotFound
        """
        self.caller.require(scope)
        name = read_name((self.event.get("pathParameters") or {}).get("schedule_id", ""))
        self.caller.require(f"workflow:{name.workflow}")
        return name
