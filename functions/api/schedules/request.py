"""Request to the API of schedules, with its query and path as typed values."""

from typing import NamedTuple

from functions.core import http
from functions.core.auth.caller import Caller
from functions.core.schedules.names import ScheduleName, read_name


class ScheduleRequest(NamedTuple):
    """Request with its caller."""

    event: http.Request
    caller: Caller
    request_id: str

    @property
    def query(self) -> dict[str, str]:
        """Query parameters. Empty ones count as absent."""
        return {
            name: value
            for name, value in (self.event.get("queryStringParameters") or {}).items()
            if value
        }

    def schedule_name(self) -> ScheduleName:
        """Name of the schedule in the path, for a caller with the scope of its workflow.

        Raises:
            NotPermitted, NotFound
        """
        name = read_name((self.event.get("pathParameters") or {}).get("schedule_id", ""))
        self.caller.require(f"workflow:{name.workflow}")
        return name
