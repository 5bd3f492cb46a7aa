"""Schedules by group and workflow: EventBridge Scheduler lists names and states, and the names say the rest."""

from typing import NamedTuple

from functions.api.schedules.names import prefix_of, read_name
from functions.core.auth.caller import Caller
from functions.core.aws import scheduler
from functions.core.aws.scheduler import Listed
from functions.core.errors import NotFound

MOST = 100
"""Names in one list of EventBridge Scheduler's."""
_LISTS = 20
"""For one page, where few of the stack's schedules are asked for."""


class Wanted(NamedTuple):
    """Which schedules: all that the caller may see, or those of a group or a workflow."""

    caller: Caller
    group: str | None = None
    workflow: str | None = None

    def page(self, limit: int, cursor: str | None) -> tuple[list[Listed], str | None]:
        """Up to `limit` of them, and the cursor of the next ones (null at the end). There may be fewer before the end.

        Raises:
            InvalidParameters: for a group that cannot be.
            ValueError: the cursor is not one that a list gave.
            Unavailable
        """
        prefix = prefix_of(self.group) if self.group else ""
        found: list[Listed] = []
        for _ in range(_LISTS):
            listed, cursor = scheduler.list_schedules(
                prefix=prefix, limit=limit - len(found), cursor=cursor
            )
            found += filter(self._has, listed)
            if cursor is None or len(found) == limit:
                break
        return found, cursor

    def _has(self, listed: Listed) -> bool:
        try:
            name = read_name(listed.name)
        except NotFound:
            return False
        asked = self.group in (None, name.group) and self.workflow in (None, name.workflow)
        return asked and f"workflow:{name.workflow}" in self.caller.scopes
