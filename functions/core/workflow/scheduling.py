"""Workflows that schedule others: `schedule` runs one later, `cancel` takes that back.

    from functions.core.workflow import cancel, schedule

    def order_paid(order: Order) -> Reminded:
        cancel(group=f"offer-{order.number}")
        later = schedule("remind", {"order": order.number}, after=timedelta(days=3))
        return Reminded(at=later.next_at)

    lambda_handler = workflow(order_paid, starts=["remind"])

A schedule belongs to the workflow that makes it, which declares what it `starts`. No token does: a
client's token that is revoked or replaced stops no reminder. So its runs have no token, either.

An item of a run makes each of its schedules once, however often it is tried: their ids follow from
its own.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, TypedDict, TypeVar, Unpack, overload

from functions.core import clock
from functions.core.clock import utc
from functions.core.definition.call import Call, CallInProgress, in_progress
from functions.core.definition.workflow import name_of
from functions.core.parameters import Parameters
from functions.core.workflow.other_workflows import lineage_below, plain, require_declared

if TYPE_CHECKING:
    from functions.core.schedules.definition import Definition
    from functions.core.schedules.schedule import Schedule

P = TypeVar("P", bound=Parameters)


class ScheduleOptions(TypedDict, total=False):
    """Options of `schedule`, which describes them."""

    at: datetime | None
    after: timedelta | None
    group: str | None
    key: str | None


@overload
def schedule(
    workflow: str, parameters: Mapping[str, Any], **options: Unpack[ScheduleOptions]
) -> "Schedule": ...
@overload
def schedule(
    workflow: Callable[[P], Any] | Callable[[P, Call], Any],
    parameters: P,
    **options: Unpack[ScheduleOptions],
) -> "Schedule": ...
def schedule(  # noqa: PLR0913 - what a schedule can have, by name
    workflow: str | Callable[..., Any],
    parameters: Mapping[str, Any] | Parameters,
    *,
    at: datetime | None = None,
    after: timedelta | None = None,
    group: str | None = None,
    key: str | None = None,
) -> "Schedule":
    """Runs another workflow, or the same one, later; returns the schedule.

    Exactly one of `at` and `after` says when, to a minute. A time that is past or less than a
    minute ahead starts the run at once; with a `key` it is a minute from now.

    Args:
        workflow: its name or its function, one of `starts`.
        parameters: as it takes them. It validates them when it runs.
        at: a time with a time zone.
        after: time from now.
        group: name under which schedules are cancelled together: letters, digits, `-` and `_`.
        key: as long as a schedule with this key waits, it is moved to the new time and gets the new
            parameters (debounce). A key counts within the workflow and the group.

    Raises:
        TooDeep: a time at once, and workflows start each other without an end.
        ValueError: neither or both of `at` and `after`, or a time without a zone.
        InvalidParameters: the group is not a valid name.
        Unavailable
    """
    from functions.core.schedules.fire import start_due  # noqa: PLC0415 - only a schedule pays for it
    from functions.core.schedules.making import make, make_or_move  # noqa: PLC0415 - as above
    from functions.core.schedules.schedule import describe, run_id_of  # noqa: PLC0415 - as above

    in_call, now = in_progress.get(), utc(clock.now())
    name = name_of(workflow)
    require_declared(name, in_call.starts, "starts")
    moment = _moment(at, after, now)
    planned = _planned(in_call, name, plain(parameters), moment, group, key)
    in_call.scheduled += 1
    if key is not None:
        return describe(make_or_move(planned, now), now, paused=False)
    if planned.timing.starts_now(now):
        start_due(planned, run_id_of(planned, moment), lineage=lineage_below())
        return describe(planned, now, paused=False)
    return describe(make(planned, now), now, paused=False)


def cancel(*, group: str) -> int:
    """Cancels the schedules of a group; returns their number.

    Those of workflows that are not among the caller's `starts` stay. Runs that have started go on.

    Raises:
        InvalidParameters: the group is not a valid name.
        Unavailable
    """
    from functions.core.schedules.cancelling import cancel_group  # noqa: PLC0415 - only a cancel pays for it

    return cancel_group(group, in_progress.get().starts.__contains__)


def _moment(at: datetime | None, after: timedelta | None, now: datetime) -> datetime:
    if after is not None and at is None:
        return now + after
    if at is None or after is not None:
        raise ValueError("A schedule needs exactly one of at and after.")
    if at.tzinfo is None:
        raise ValueError("The time of a schedule needs a time zone, such as UTC.")
    return at.astimezone(UTC)


def _planned(  # noqa: PLR0913, PLR0917 - parts of a schedule
    in_call: CallInProgress,
    workflow: str,
    parameters: dict[str, Any],
    at: datetime,
    group: str | None,
    key: str | None,
) -> "Definition":
    from functions.core.schedules.definition import Definition  # noqa: PLC0415 - only a schedule pays for it
    from functions.core.schedules.making import object_of_key  # noqa: PLC0415 - as above
    from functions.core.schedules.names import new_name  # noqa: PLC0415 - as above
    from functions.core.schedules.times.timing import NEAREST, once_at  # noqa: PLC0415 - as above

    now, item_id = utc(clock.now()), in_call.call.item_id
    seed = f"{item_id}#schedule{in_call.scheduled}" if item_id else None
    return Definition(
        schedule_id=new_name(workflow, group, seed).schedule_id,
        workflow=workflow,
        parameters=parameters,
        timing=once_at(at if key is None else max(at, now + NEAREST)),
        token_id=None,
        started_by=f"workflow:{in_call.workflow}",
        created_at=now,
        # With a key it may fire and be moved; its runs have the time in their ids.
        seeded=seed is not None and key is None,
        key=None if key is None else object_of_key(workflow, group, key),
    )
