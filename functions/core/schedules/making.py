"""Makes schedules. Whatever must not make two has an id, or a key, that follows from it.

A key (debounce) belongs to one schedule at a time: scheduling again under it moves that schedule.
An object in S3 says which schedule has a key. Of any number of parallel calls one makes that object
(S3's conditional writes), and the others move what it made. After a schedule has fired, the next
one under its key has a new id.
"""

import hashlib
from datetime import datetime

import msgspec

from functions.core.aws import s3, scheduler
from functions.core.errors import FieldError, InvalidParameters, Unavailable
from functions.core.observability import logger
from functions.core.schedules.definition import (
    Definition,
    delete_definitions,
    find_definition,
    update,
)
from functions.core.schedules.schedule import entry_of

_TRIES = 8


def make(planned: Definition, now: datetime) -> Definition:
    """Makes a schedule. The definition comes first: an entry without one would run nothing.

    Returns the planned definition. For a seeded id it is the one that an earlier try has stored:
    its time stays, and its entry is made if that try did not come so far.

    Raises:
        InvalidParameters: only AWS refuses the cron expression.
        Unavailable
    """
    if not planned.seeded:
        planned.store()
    elif not planned.store_once():
        return _made_before(planned, now)
    try:
        _create_entry(planned, now)
    except BaseException:
        # If only the answer was lost, the entry exists. Without a definition it runs nothing.
        delete_definitions([planned.schedule_id])
        raise
    return planned


def make_or_move(planned: Definition, now: datetime) -> Definition:
    """Moves the schedule that has the planned one's key to its time and parameters; makes it if no
    schedule has the key.

    Raises:
        Unavailable: also where other calls take the key all the time.
    """
    key = str(planned.key)
    for _ in range(_TRIES):
        holder = s3.read_tagged(key)
        if holder and (moved := _move(holder.content.decode(), planned, now)):
            write_entry(moved, now)
            return moved
        planned.store()
        if _take(key, planned, holder):
            scheduler.create(entry_of(planned, now, paused=False))
            return planned
        delete_definitions([planned.schedule_id])
    raise Unavailable("The key is being used by other calls. Try again.", retry_after=1)


def write_entry(definition: Definition, now: datetime) -> None:
    """Writes the entry of a changed schedule. Of changes at the same moment the one that its
    definition has counts, whichever entry is written last. What was cancelled meanwhile gets none.

    Raises:
        CronRefused, Unavailable
    """
    for _ in range(_TRIES):
        scheduler.put(entry_of(definition, now, paused=definition.paused))
        present = find_definition(definition.schedule_id)
        if present is None:
            scheduler.delete(definition.schedule_id)
            return
        if present.revision == definition.revision:
            return
        definition = present
    raise Unavailable("The schedule is being changed by other calls. Try again.", retry_after=1)


def object_of_key(workflow: str, group: str | None, key: str) -> str:
    """The object that says which schedule has a key, which counts within a workflow and a group."""
    digest = hashlib.sha256(msgspec.json.encode([workflow, group, key])).hexdigest()
    return f"schedules/keys/{digest}"


def forget_key(definition: Definition) -> None:
    """Gives the key of a schedule free, if it has one. Raises `Unavailable`."""
    if definition.key is None:
        return
    holder = s3.read_tagged(definition.key)
    if holder and holder.content.decode() == definition.schedule_id:
        s3.delete_unchanged(definition.key, holder.etag)


def cron_refused() -> InvalidParameters:
    """Error for a cron expression that only AWS refuses."""
    logger.warning("EventBridge Scheduler refused a cron expression", exc_info=True)
    detail = "is refused by EventBridge Scheduler; see its documentation of cron expressions"
    return InvalidParameters(FieldError("/cron", detail))


def _made_before(planned: Definition, now: datetime) -> Definition:
    earlier = find_definition(planned.schedule_id)
    if earlier is None:
        raise Unavailable("The schedule is being made by another call. Try again.", retry_after=1)
    _create_entry(earlier, now)
    return earlier


def _create_entry(definition: Definition, now: datetime) -> None:
    try:
        scheduler.create(entry_of(definition, now, paused=False))
    except scheduler.CronRefused:
        raise cron_refused() from None


def _move(schedule_id: str, planned: Definition, now: datetime) -> Definition | None:
    """The moved definition; null where the schedule has fired or was cancelled."""
    return update(
        schedule_id,
        lambda present: msgspec.structs.replace(
            present.retimed(planned.timing, now),
            paused=False,
            parameters=planned.parameters,
            started_by=planned.started_by,
            token_id=planned.token_id,
        ),
    )


def _take(key: str, planned: Definition, holder: s3.Tagged | None) -> bool:
    """Takes a key for the planned schedule; false where another call was faster."""
    content = planned.schedule_id.encode()
    if holder:
        return s3.write_unchanged(key, content, holder.etag)
    try:
        return s3.write_once(key, content)
    except s3.AnotherWrite:
        return False
