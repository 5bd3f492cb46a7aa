"""A schedule that is due: starts its run, while the token that made it is good."""

from datetime import UTC, datetime

from functions.api.schedules.cancel import remove
from functions.api.schedules.definition import Definition, find_definition, forget
from functions.api.schedules.schedule import SCHEDULED_TIME, run_id_of
from functions.core import clock
from functions.core.auth.tokens import read_token
from functions.core.aws import scheduler
from functions.core.clock import utc
from functions.core.observability import count, logger
from functions.core.runs.run import Run
from functions.core.runs.start import start


def fire(schedule_id: str, scheduled_at: str) -> str | None:
    """The run that was started, now or by an earlier delivery of the same event; null when none is to start.

    Raises:
        Unavailable: and whatever else went wrong; the event is to be delivered again.
    """
    definition = find_definition(schedule_id)
    if definition is None:
        # Cancelled, or delivered again after its last time; or made by a request that failed half-way.
        logger.info("nothing is scheduled under this id any more")
        scheduler.delete(schedule_id)
        return None
    logger.append_keys(workflow=definition.workflow)
    moment = _moment(definition, scheduled_at)
    run = start_scheduled(definition, moment)
    if run and definition.timing.next_after(moment) is None:
        forget([schedule_id])
    return run.run_id if run else None


def start_scheduled(definition: Definition, moment: datetime) -> Run | None:
    """Starts the run that a schedule has at a moment, once however often it is asked to. Null, and the schedule deleted, when
    the token that made it is revoked or expired: neither is ever undone.
    """
    token_id = definition.token_id
    token = read_token(token_id)
    needed = {"runs:write", f"workflow:{definition.workflow}"}
    if token is None or not token.is_active(clock.now()) or not needed <= token.scopes:
        logger.warning(
            "not started: the token that made this schedule may not do so any more",
            token_id=token_id,
        )
        count("ScheduleRefused", workflow=definition.workflow)
        remove([definition.schedule_id])
        return None
    run_id = run_id_of(definition, moment)
    return start_now(definition, run_id)


def start_now(definition: Definition, run_id: str) -> Run:
    """Starts what a schedule is for, as a run of that id."""
    return start(
        definition.workflow,
        [definition.parameters],
        token_id=definition.token_id,
        started_by="schedule",
        run_id=run_id,
    )


def _moment(definition: Definition, scheduled_at: str) -> datetime:
    """For which it was due. It comes with the event, so that it is the same at each delivery."""
    timing = definition.timing
    if timing.kind == "once" and timing.first_at:
        return timing.first_at
    if scheduled_at == SCHEDULED_TIME:
        return utc(clock.now())
    return datetime.fromisoformat(scheduled_at).astimezone(UTC)
