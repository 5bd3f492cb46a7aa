"""Next times of a schedule, with the local times that a change of the clocks skips or repeats."""

from collections.abc import Iterator
from datetime import UTC, datetime, tzinfo
from itertools import islice
from typing import Literal
from zoneinfo import ZoneInfo

import msgspec

from functions.core.schedules.times.cron import exists, read_cron
from functions.core.schedules.times.timing import Timing

SHOWN = 10


class PlannedTime(msgspec.Struct, frozen=True, kw_only=True):
    """A time of a schedule, as the clocks of its time zone show it."""

    at: datetime | None
    """Start of the run; null where the clocks skip the local time, so that nothing starts."""
    local: str
    """Local time without an offset, such as `2027-03-28T02:30:00`."""
    clocks: Literal["skipped", "repeated"] | None
    """The clocks skip this local time (spring), or show it twice (autumn; the run starts the first
    time). Null: neither.
    """


def next_times(timing: Timing, after: datetime) -> list[datetime]:
    """The next ten times after a moment; fewer where it ends before."""
    return list(islice((each.at for each in _times(timing, after, UTC) if each.at), SHOWN))


def planned_times(timing: Timing, after: datetime, zone: tzinfo) -> list[PlannedTime]:
    """The next ten times after a moment, and the skipped local times between them.

    `zone`: of the local times, where the timing has none of its own.
    """
    found: list[PlannedTime] = []
    for each in _times(timing, after, zone):
        found.append(each)
        if sum(1 for time in found if time.at) == SHOWN:
            break
    return found


def _times(timing: Timing, after: datetime, zone: tzinfo) -> Iterator[PlannedTime]:
    if timing.kind == "cron":
        own = ZoneInfo(timing.timezone)
        local_times = read_cron(timing.fields).local_times_after(after, own)
    else:
        local_times = (each.astimezone(zone) for each in _moments(timing, after))
    for local in local_times:
        at = local.astimezone(UTC)
        if timing.ends_at and at >= timing.ends_at:
            return
        yield _planned(local, at)


def _moments(timing: Timing, after: datetime) -> Iterator[datetime]:
    while moment := timing.next_after(after):
        yield moment
        after = moment


def _planned(local: datetime, at: datetime) -> PlannedTime:
    text = local.replace(tzinfo=None).isoformat()
    if not exists(local):
        return PlannedTime(at=None, local=text, clocks="skipped")
    repeated = local.utcoffset() != local.replace(fold=1 - local.fold).utcoffset()
    return PlannedTime(at=at, local=text, clocks="repeated" if repeated else None)
