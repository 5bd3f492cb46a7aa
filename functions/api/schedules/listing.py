"""Lists schedules by group and workflow.

EventBridge Scheduler lists names and states; a name holds the group and the workflow.
"""

from typing import NamedTuple

from functions.core.auth.caller import Caller
from functions.core.aws import scheduler
from functions.core.aws.scheduler import Listed
from functions.core.errors import NotFound
from functions.core.schedules.names import prefix_of, read_name

MAX_PAGE = 100
"""Names in one answer of EventBridge Scheduler."""
_MAX_REQUESTS = 20
"""Requests per page, for when few of the stack's schedules match."""


class ScheduleFilter(NamedTuple):
    """Filter of the schedules that the caller may see, optionally by group or workflow."""

    caller: Caller
    group: str | None = None
    workflow: str | None = None

    def page(self, limit: int, cursor: str | None) -> tuple[list[Listed], str | None]:
        """Up to `limit` matches, and the cursor of the next page (None at the end).

        A page may have fewer matches and not be the last.

        Raises:
            InvalidParameters: the group is not a valid name.
            ValueError: the cursor is not from an earlier page.
            Unavailable
        """
        prefix = prefix_of(self.group) if self.group else ""
        matches: list[Listed] = []
        for _ in range(_MAX_REQUESTS):
            listed, cursor = scheduler.list_schedules(
                prefix=prefix, limit=limit - len(matches), cursor=cursor
            )
            matches += filter(self._matches, listed)
            if cursor is None or len(matches) == limit:
                break
        return matches, cursor

    def _matches(self, listed: Listed) -> bool:
        try:
            name = read_name(listed.name)
        except NotFound:
            return False
        selected = self.group in (None, name.group) and self.workflow in (None, name.workflow)
        return selected and f"workflow:{name.workflow}" in self.caller.scopes
