"""Definition of a schedule: what was scheduled, exactly as requested.

Neither EventBridge Scheduler nor its events should hold parameters. So the definition is stored in
the stack's bucket until the schedule is cancelled or has fired for the last time.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import msgspec

from functions.api.schedules.timing import Timing
from functions.core.aws import s3


class Definition(msgspec.Struct, frozen=True, kw_only=True):
    """Definition of a schedule. It never changes; EventBridge Scheduler holds the paused state."""

    schedule_id: str
    workflow: str
    parameters: dict[str, Any]
    timing: Timing
    token_id: str
    """Token that made the schedule. Its revocation ends the schedule."""
    created_at: datetime

    def store(self) -> None:
        """Stores the definition. Raises `Unavailable`."""
        s3.write(key_of(self.schedule_id), msgspec.json.encode(self))


_DECODER = msgspec.json.Decoder(Definition)
"""Made once, at import: msgspec crashes when several threads make it for a type at the same time.
"""


def find_definition(schedule_id: str) -> Definition | None:
    """Definition; None if the schedule was cancelled or has fired. Raises `Unavailable`."""
    content = s3.read(key_of(schedule_id))
    return _DECODER.decode(content) if content else None


def delete_definitions(schedule_ids: Iterable[str]) -> None:
    """Deletes up to 1,000 definitions. A schedule without one runs nothing when it fires.

    Raises `Unavailable`.
    """
    s3.delete_many([key_of(schedule_id) for schedule_id in schedule_ids])


def key_of(schedule_id: str) -> str:
    """Key of a definition in the bucket of runs."""
    # Not under runs/ or uploads/, which S3 deletes after a week.
    return f"schedules/{schedule_id}.json"
