"""Fires a due schedule: starts its run if the token that made the schedule is still active."""

from datetime import UTC, datetime

from functions.api.schedules.cancel import remove
from functions.api.schedules.definition import Definition, delete_definitions, find_definition
from functions.api.schedules.schedule import SCHEDULED_TIME, run_id_of
from functions.core import clock
from functions.core.auth.tokens import read_token
from functions.core.aws import scheduler
from functions.core.clock import utc
from functions.core.observability import count, logger
from functions.core.runs.run import Run
from functions.core.runs.start import start


def fire(schedule_id: str, scheduled_at: str) -> str | None:
    """Starts a due schedule's run. A repeated delivery of the event gets the same run.

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
    moment = _moment(definition, scheduled_at)
    run = start_scheduled(definition, moment)
    if run and definition.timing.next_after(moment) is None:
        delete_definitions([schedule_id])
    return run.run_id if run else None


def start_scheduled(definition: Definition, moment: datetime) -> Run | None:
    """Starts the run of a schedule at one of its times. A repetition gets the same run.

    Returns None and deletes the schedule if its token is revoked or expired, which is never undone.
    """
    token_id = definition.token_id
    token = read_token(token_id)
    needed = {"runs:write", f"workflow:{definition.workflow}"}
    if token is None or not token.is_active(clock.now()) or not needed <= token.scopes:
        logger.warning(
            "not started: the token that made this schedule is no longer allowed to",
            token_id=token_id,
        )
        count("ScheduleRefused", workflow=definition.workflow)
        remove([definition.schedule_id])
        return None
    run_id = run_id_of(definition, moment)
    return start_now(definition, run_id)


def start_now(definition: Definition, run_id: str) -> Run:
    """Starts a schedule's run under this id, without checking the token."""
    return start(
        definition.workflow,
        [definition.parameters],
        token_id=definition.token_id,
        started_by="schedule",
        run_id=run_id,
    )


def _moment(definition: Definition, scheduled_at: str) -> datetime:
    """Due time. The event carries it, so that each delivery has the same."""
    timing = definition.timing
    if timing.kind == "once" and timing.first_at:
        return timing.first_at
    if scheduled_at == SCHEDULED_TIME:
        return utc(clock.now())
    return datetime.fromisoformat(scheduled_at).astimezone(UTC)
