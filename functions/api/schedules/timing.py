"""When a schedule runs: read from the request, told to EventBridge Scheduler, and when that is next."""

import math
import re
from datetime import UTC, datetime, timedelta
from importlib import resources
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Meta

from functions.api.schedules.cron import read_cron
from functions.core import config
from functions.core.errors import FieldError, InvalidParameters
from functions.core.parameters import Parameters

_MINUTE_SECONDS = 60
"""EventBridge Scheduler's precision."""
_LONGEST_INTERVAL_SECONDS = 366 * 86_400
_FARTHEST_SECONDS = 10 * 366 * 86_400
_LONGEST_ZONE_NAME = 50
"""Characters, of EventBridge Scheduler."""

_TIME = re.compile(
    r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(:\d\d(\.\d{1,9})?)?([Zz]|[+-]\d\d:\d\d)?", re.ASCII
)


class When(Parameters, kw_only=True):
    """The part of a request that says when. Exactly one of the first four."""

    at: str | None = None
    """RFC 3339 with an offset, or local time beside a `timezone`."""
    after_seconds: Annotated[int, Meta(ge=0, le=_FARTHEST_SECONDS)] | None = None
    every_seconds: Annotated[int, Meta(ge=_MINUTE_SECONDS, le=_LONGEST_INTERVAL_SECONDS)] | None = (
        None
    )
    cron: Annotated[str, Meta(max_length=200)] | None = None
    timezone: str | None = None
    ends_at: str | None = None


class Timing(msgspec.Struct, frozen=True, kw_only=True):
    """When a schedule runs. Its kind says which of the others there are."""

    kind: Literal["once", "every", "cron"]
    expression: str
    """As EventBridge Scheduler takes it: `at(…)` in UTC, `rate(…)` or `cron(…)`."""
    timezone: str = "UTC"
    """In which a cron expression is meant."""
    first_at: datetime | None = None
    """The one time, or the first of an interval."""
    every_seconds: int = 0
    ends_at: datetime | None = None

    def next_after(self, moment: datetime) -> datetime | None:
        """When it runs next after a moment; null if never."""
        found = self._next_after(moment)
        return found if found and (self.ends_at is None or found < self.ends_at) else None

    def starts_now(self, now: datetime) -> bool:
        """Whether it is to run once, and at a time that is past or too near for EventBridge Scheduler."""
        near = now + timedelta(seconds=_MINUTE_SECONDS)
        return self.kind == "once" and self.first_at is not None and self.first_at < near

    def has_ended(self, now: datetime) -> bool:
        """Whether it ran repeatedly, and never will again."""
        return self.kind != "once" and self.next_after(now) is None

    def _next_after(self, moment: datetime) -> datetime | None:
        if self.first_at is None:
            return read_cron(self.expression.removeprefix("cron(").removesuffix(")")).next_after(
                moment, ZoneInfo(self.timezone)
            )
        if moment < self.first_at:
            return self.first_at
        if self.kind == "once":
            return None
        passed = (moment - self.first_at) // timedelta(seconds=self.every_seconds)
        return self.first_at + timedelta(seconds=(passed + 1) * self.every_seconds)


def read_timing(when: When, now: datetime) -> Timing:
    """Reads when a schedule runs.

    Raises:
        InvalidParameters: with a sentence for what is wrong.
    """
    given = [
        each
        for each in (when.at, when.after_seconds, when.every_seconds, when.cron)
        if each is not None
    ]
    if len(given) != 1:
        raise _refused("", "needs exactly one of at, after_seconds, every_seconds and cron")
    zone = _read_zone(when.timezone) if when.timezone else None
    timing = _once(when, zone, now) or _every(when, now) or _cron(when)
    if when.ends_at is None:
        return _that_comes(timing, now)
    if timing.kind == "once":
        raise _refused("/ends_at", "is only for every_seconds and cron")
    ends_at = _read_time("/ends_at", when.ends_at, zone)
    if ends_at <= now:
        raise _refused("/ends_at", "must be in the future")
    return _that_comes(msgspec.structs.replace(timing, ends_at=ends_at), now)


def _that_comes(timing: Timing, now: datetime) -> Timing:
    if timing.has_ended(now):
        pointer = "/ends_at" if timing.ends_at else "/cron"
        raise _refused(
            pointer,
            "is before the first time" if timing.ends_at else "names a time that never comes",
        )
    return timing


def _once(when: When, zone: ZoneInfo | None, now: datetime) -> Timing | None:
    """In UTC, whatever the time was given in: it is one moment, and needs no rules of a time zone any more."""
    if when.at is not None:
        at = _read_time("/at", when.at, zone)
    elif when.after_seconds is not None:
        at = _whole_second(now) + timedelta(seconds=when.after_seconds)
    else:
        return None
    if at > now + timedelta(seconds=_FARTHEST_SECONDS):
        raise _refused("/at", "is more than ten years ahead")
    return Timing(kind="once", expression=f"at({at:%Y-%m-%dT%H:%M:%S})", first_at=at)


def _every(when: When, now: datetime) -> Timing | None:
    """First after one interval; EventBridge Scheduler would begin at once. On whole minutes, which are its precision."""
    if when.every_seconds is None:
        return None
    minutes, rest = divmod(when.every_seconds, _MINUTE_SECONDS)
    if rest:
        raise _refused("/every_seconds", f"must be a multiple of {_MINUTE_SECONDS}")
    first = math.ceil((now.timestamp() + when.every_seconds) / _MINUTE_SECONDS) * _MINUTE_SECONDS
    return Timing(
        kind="every",
        expression=f"rate({minutes} minute{'s' if minutes > 1 else ''})",
        first_at=datetime.fromtimestamp(first, UTC),
        every_seconds=when.every_seconds,
    )


def _cron(when: When) -> Timing:
    text = " ".join(str(when.cron).upper().split())
    read_cron(text)
    return Timing(kind="cron", expression=f"cron({text})", timezone=when.timezone or "UTC")


def _read_time(pointer: str, text: str, zone: ZoneInfo | None) -> datetime:
    try:
        moment = datetime.fromisoformat(text.upper()) if _TIME.fullmatch(text) else None
        if moment is None:
            raise _refused(
                pointer, "must be a time like 2026-01-31T12:00:00Z or 2026-01-31T12:00:00+01:00"
            )
        return _whole_second(moment if moment.tzinfo else _in_zone(pointer, moment, zone))
    except (ValueError, OverflowError):
        raise _refused(pointer, "is no time that there is") from None


def _in_zone(pointer: str, moment: datetime, zone: ZoneInfo | None) -> datetime:
    if zone is None:
        raise _refused(pointer, "needs an offset, such as Z or +01:00, or a timezone beside it")
    local = moment.replace(tzinfo=zone)
    if local.astimezone(UTC).astimezone(zone).replace(tzinfo=None) != moment:
        raise _refused(pointer, f"does not exist in {zone.key}: the clocks skip that hour")
    return local


def _whole_second(moment: datetime) -> datetime:
    """Never before the moment that was asked for."""
    return datetime.fromtimestamp(math.ceil(moment.timestamp()), UTC)


def _read_zone(name: str) -> ZoneInfo:
    if name not in _zones() or len(name) > _LONGEST_ZONE_NAME:
        raise _refused("/timezone", "must be an IANA time zone, such as Europe/Berlin")
    return ZoneInfo(name)


@config.cached(lasting=True)
def _zones() -> frozenset[str]:
    """Names of all IANA time zones, from the package tzdata: Lambda's system has none."""
    return frozenset((resources.files("tzdata") / "zones").read_text().split())


def _refused(pointer: str, sentence: str) -> InvalidParameters:
    return InvalidParameters(FieldError(pointer, sentence))
