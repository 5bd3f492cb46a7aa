"""What was scheduled, as it was scheduled: kept in the stack's bucket until the schedule is cancelled or has fired for the last
time, because neither EventBridge Scheduler nor its events should hold parameters.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import msgspec

from functions.api.schedules.timing import Timing
from functions.core.aws import s3


class Definition(msgspec.Struct, frozen=True, kw_only=True):
    """One schedule. It never changes; whether it is paused, EventBridge Scheduler knows."""

    schedule_id: str
    workflow: str
    parameters: dict[str, Any]
    timing: Timing
    token_id: str
    """Of the token that made it, and whose revocation ends it."""
    created_at: datetime

    def store(self) -> None:
        """Raises `Unavailable`."""
        s3.write(_key(self.schedule_id), msgspec.json.encode(self))


def find_definition(schedule_id: str) -> Definition | None:
    """Null when the schedule was cancelled or has fired. Raises `Unavailable`."""
    content = s3.read(_key(schedule_id))
    return msgspec.json.decode(content, type=Definition) if content else None


def forget(schedule_ids: Iterable[str]) -> None:
    """Deletes definitions, up to 1,000; whatever still fires then runs nothing. Raises `Unavailable`."""
    s3.delete_many([_key(schedule_id) for schedule_id in schedule_ids])


def _key(schedule_id: str) -> str:
    # Not under runs/ or uploads/, which S3 deletes after a week.
    return f"schedules/{schedule_id}.json"
