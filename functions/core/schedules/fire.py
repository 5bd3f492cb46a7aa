"""Fires a due schedule: starts its run, if the token for which it does is still active."""

from datetime import UTC, datetime

from functions.core import clock
from functions.core.aws import scheduler
from functions.core.clock import utc
from functions.core.errors import IdempotencyKeyReused
from functions.core.observability import count, logger
from functions.core.runs.lineage import TOP, Lineage
from functions.core.runs.run import Run, describe
from functions.core.runs.start import start
from functions.core.schedules.definition import (
    Definition,
    find_definition,
    find_stored,
    update,
)
from functions.core.schedules.making import forget_key, write_entry
from functions.core.schedules.owner import Refusal, refusal_of
from functions.core.schedules.schedule import SCHEDULED_TIME, run_id_of
from functions.core.schedules.skipping import run_under_way, tell_skipped


def fire(schedule_id: str, scheduled_at: str, revision: int) -> str | None:
    """Starts a due schedule's run. A repeated delivery of the event gets the same run.

    Args:
        schedule_id: of the schedule.
        scheduled_at: due time, or its placeholder.
        revision: of the entry that fires, as its event has it.

    Returns:
        The run's id; None if nothing is to start.

    Raises:
        Unavailable: or any other error; the event must be delivered again.
    """
    definition = find_definition(schedule_id)
    if definition is None:
        # It was cancelled, is delivered again after its last time, or its creation failed half-way.
        logger.info("nothing is scheduled under this id any more")
        scheduler.delete(schedule_id)
        return None
    logger.append_keys(workflow=definition.workflow)
    if definition.paused:
        # The process that paused it died before the entry was, or is about to write that.
        write_entry(definition, utc(clock.now()))
        return None
    moment = _moment(definition, scheduled_at)
    if revision != definition.revision and not _was_due(definition, moment):
        _renew_entry(definition)
        if not definition.timing.includes(moment):
            return None
    if reason := refusal_of(definition.token_id, definition.workflow):
        _pause(definition, reason)
        return None
    run_id = run_id_of(definition, moment)
    under_way = run_under_way(definition, run_id)
    if under_way:
        tell_skipped(definition, moment, run_id, under_way)
    else:
        start_due(definition, run_id)
    if definition.timing.next_after(moment) is None:
        end(definition)
    elif not under_way:
        note_run(definition, run_id, moment)
    return None if under_way else run_id


def start_run(
    definition: Definition, run_id: str, *, token_id: str | None = None, lineage: Lineage = TOP
) -> Run:
    """Starts a run of a schedule, without checking its token.

    Args:
        definition: of the schedule.
        run_id: a repeated start of the same run is one run.
        token_id: of the client that asks for the run; by default that of the schedule.
        lineage: where a workflow starts it at once.

    Raises:
        IdempotencyKeyReused: there is a run of that id with other parameters.
        Unavailable
    """
    return start(
        definition.workflow,
        [definition.parameters],
        token_id=token_id or definition.token_id,
        started_by=definition.started_by,
        run_id=run_id,
        schedule_id=definition.schedule_id,
        lineage=lineage,
    )


def start_due(definition: Definition, run_id: str, *, lineage: Lineage = TOP) -> Run:
    """Starts the run of a due time, also where an earlier delivery has started it and a client has
    changed the parameters since. Raises `Unavailable`.
    """
    try:
        return start_run(definition, run_id, lineage=lineage)
    except IdempotencyKeyReused:
        return describe(run_id)


def note_run(definition: Definition, run_id: str, at: datetime) -> None:
    """Notes a run as the schedule's last one. Raises `Unavailable`."""
    update(definition.schedule_id, lambda present: present.with_run(run_id, at))


def end(definition: Definition) -> None:
    """Deletes a schedule that has fired for the last time, unless it has got another time."""
    while stored := find_stored(definition.schedule_id):
        if stored.definition.revision != definition.revision:
            return
        if stored.delete():
            break
    scheduler.delete(definition.schedule_id)
    forget_key(definition)


def _moment(definition: Definition, scheduled_at: str) -> datetime:
    """Due time. The event carries it, so that each delivery has the same."""
    timing = definition.timing
    if timing.kind == "once" and timing.first_at:
        return timing.first_at
    if scheduled_at == SCHEDULED_TIME:
        return utc(clock.now())
    return datetime.fromisoformat(scheduled_at).astimezone(UTC)


def _was_due(definition: Definition, moment: datetime) -> bool:
    """Whether a time was due before the change that its entry does not have yet."""
    if definition.timing.kind == "once":
        return moment <= utc(clock.now())
    return definition.retimed_at is None or moment < definition.retimed_at


def _renew_entry(definition: Definition) -> None:
    """Writes the entry that a change has not written: its process died, or is about to write it."""
    logger.warning("the schedule has got another time, which its entry did not have")
    write_entry(definition, utc(clock.now()))


def _pause(definition: Definition, reason: Refusal) -> None:
    """Pauses a schedule whose token may not start it; another token can take it over."""
    logger.warning(
        "not started, and paused: its token is no longer allowed to",
        token_id=definition.token_id,
        reason=reason,
    )
    count("ScheduleRefused")
    now = utc(clock.now())
    if definition.timing.has_ended(now):
        end(definition)
        return

    def pause(present: Definition) -> Definition:
        taken_over = present.token_id != definition.token_id  # another token has resumed it
        return present if taken_over else present.with_pause(paused=True)

    if paused := update(definition.schedule_id, pause):
        write_entry(paused, now)
