"""Definition of a schedule: what was scheduled, for whom, and what has run of it.

Neither EventBridge Scheduler nor its events should hold parameters. So the definition is stored in
the stack's bucket until the schedule is cancelled or has fired for the last time. Everyone who
changes one writes over exactly what they have read (S3's conditional writes): a time that fires and
a client that changes the schedule at the same moment lose nothing of each other's.
"""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any, Literal, NamedTuple

import msgspec

from functions.core.aws import s3
from functions.core.errors import Unavailable
from functions.core.schedules.times.timing import Timing

Overlap = Literal["allow", "skip"]

BY_CLIENTS = "schedule"
"""Origin of runs whose parameters a client chose (`Execution.started_by`)."""
_TRIES = 8
"""Attempts to change a definition that others change, too."""
_RECENT = 10


class Definition(msgspec.Struct, frozen=True, kw_only=True):
    """Definition of a schedule."""

    schedule_id: str
    workflow: str
    parameters: dict[str, Any]
    timing: Timing
    token_id: str | None
    """Token for which it starts runs, and without which it does not. Null: the workflow that made
    it is the authority.
    """
    created_at: datetime
    started_by: str = BY_CLIENTS
    """Origin of its runs: BY_CLIENTS, or `workflow:<name>` of the workflow that made it."""
    overlap: Overlap = "allow"
    paused: bool = False
    """Whether nothing starts. Also paused is what only its entry says: it is older than this field,
    or the call that resumes it has died half-way.
    """
    revision: int = 0
    """Number of changes of the timing and of the pause. The entry's event has it, too, which tells
    an older one.
    """
    retimed_at: datetime | None = None
    """Last change of the timing."""
    seeded: bool = False
    """Whether its id follows from an idempotency key or an item, so that no other schedule ever has
    it.
    """
    request_digest: str | None = None
    """Digest of the request with an idempotency key that made it."""
    key: str | None = None
    """Object that says which schedule has its key (making.py)."""
    last_at: datetime | None = None
    recent_runs: tuple[str, ...] = ()
    """Ids of the last runs, the newest first."""

    def store(self) -> None:
        """Stores the definition. Raises `Unavailable`."""
        s3.write(key_of(self.schedule_id), msgspec.json.encode(self))

    def store_once(self) -> bool:
        """Stores the definition; false where there is one of this id. Raises `Unavailable`."""
        try:
            return s3.write_once(key_of(self.schedule_id), msgspec.json.encode(self))
        except s3.AnotherWrite:
            return False

    def with_run(self, run_id: str, at: datetime) -> "Definition":
        """The definition after a run was started."""
        if run_id in self.recent_runs:
            return self
        recent = (run_id, *self.recent_runs)[:_RECENT]
        return msgspec.structs.replace(self, last_at=at, recent_runs=recent)

    def retimed(self, timing: Timing, now: datetime) -> "Definition":
        """The definition with another timing."""
        return msgspec.structs.replace(
            self, timing=timing, revision=self.revision + 1, retimed_at=now
        )

    def with_pause(self, *, paused: bool) -> "Definition":
        """The definition, paused or resumed."""
        if paused == self.paused:
            return self
        return msgspec.structs.replace(self, paused=paused, revision=self.revision + 1)


class Stored(NamedTuple):
    """A definition as it was read."""

    definition: Definition
    etag: str

    def replace(self, changed: Definition) -> bool:
        """Writes over it; false where it is another by now, or gone."""
        content = msgspec.json.encode(changed)
        return s3.write_unchanged(key_of(changed.schedule_id), content, self.etag)

    def delete(self) -> bool:
        """Deletes it; false where it is another by now, or gone."""
        return s3.delete_unchanged(key_of(self.definition.schedule_id), self.etag)


_DECODER = msgspec.json.Decoder(Definition)
"""Made once, at import: msgspec crashes when several threads make it for a type at the same time.
"""


def find_definition(schedule_id: str) -> Definition | None:
    """Definition; None if the schedule was cancelled or has fired. Raises `Unavailable`."""
    content = s3.read(key_of(schedule_id))
    return _DECODER.decode(content) if content else None


def find_stored(schedule_id: str) -> Stored | None:
    """Definition, to be changed or deleted; None without one. Raises `Unavailable`."""
    tagged = s3.read_tagged(key_of(schedule_id))
    return Stored(_DECODER.decode(tagged.content), tagged.etag) if tagged else None


def update(schedule_id: str, change: Callable[[Definition], Definition]) -> Definition | None:
    """Changes a definition, whoever else does at the same time; None where there is none.

    Args:
        schedule_id: of the schedule.
        change: makes the new definition of the present one; called again where that has changed
            meanwhile.

    Raises:
        Unavailable: also where others change it all the time.
    """
    for _ in range(_TRIES):
        stored = find_stored(schedule_id)
        if stored is None:
            return None
        changed = change(stored.definition)
        if changed == stored.definition or stored.replace(changed):
            return changed
    raise Unavailable("The schedule is being changed by other calls. Try again.", retry_after=1)


def delete_definitions(schedule_ids: Iterable[str]) -> None:
    """Deletes up to 1,000 definitions. A schedule without one runs nothing when it fires.

    Raises `Unavailable`.
    """
    s3.delete_many([key_of(schedule_id) for schedule_id in schedule_ids])


def ids_of(prefix: str) -> list[str]:
    """Ids of all schedules whose names begin with a prefix. Raises `Unavailable`."""
    keys = s3.list_keys(f"{_FOLDER}{prefix}")
    return [key.removeprefix(_FOLDER).removesuffix(_ENDING) for key in keys]


def key_of(schedule_id: str) -> str:
    """Key of a definition in the bucket of runs."""
    return f"{_FOLDER}{schedule_id}{_ENDING}"


# Not under runs/ or uploads/, which S3 deletes after a week.
_FOLDER, _ENDING = "schedules/", ".json"
