"""Timing of a schedule: read from the request, written for EventBridge Scheduler, evaluated."""

import math
import re
from datetime import UTC, datetime, timedelta
from importlib import resources
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Meta

from functions.core import config
from functions.core.errors import FieldError, InvalidParameters
from functions.core.parameters import Parameters
from functions.core.schedules.times.cron import exists, read_cron
from functions.core.schedules.times.standard_cron import to_aws

_MINUTE_SECONDS = 60
"""EventBridge Scheduler's precision."""
NEAREST = timedelta(seconds=_MINUTE_SECONDS)
"""Nearest time for which EventBridge Scheduler takes a schedule."""
_MAX_INTERVAL_SECONDS = 366 * 86_400
_MAX_AHEAD_SECONDS = 10 * 366 * 86_400
_MAX_ZONE_NAME = 50
"""Characters, a limit of EventBridge Scheduler."""

_FORM = r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(:\d\d(\.\d{1,9})?)?([Zz]|[+-]\d\d:\d\d)?"
_TIME = re.compile(_FORM, re.ASCII)
MomentText = Annotated[
    str, Meta(extra_json_schema={"pattern": f"^{_FORM}$", "examples": ["2026-12-01T09:00:00Z"]})
]
"""Text that `_read_time` reads, and explains where it cannot."""


NEVER = "never"
"""An end that is taken away, in a change."""


class TimingParameters(Parameters, kw_only=True):
    """Timing fields of a request. Exactly one of the first four is required."""

    at: MomentText | None = None
    """RFC 3339 with an offset, or local time beside a `timezone`."""
    after_seconds: Annotated[int, Meta(ge=0, le=_MAX_AHEAD_SECONDS)] | None = None
    """Seconds from now."""
    every_seconds: (
        Annotated[
            int,
            Meta(
                ge=_MINUTE_SECONDS,
                le=_MAX_INTERVAL_SECONDS,
                extra_json_schema={"multipleOf": _MINUTE_SECONDS},
            ),
        ]
        | None
    ) = None
    """Interval, a multiple of 60. The first run comes after one interval."""
    cron: Annotated[str, Meta(max_length=200)] | None = None
    """Standard cron: five fields (`0 9 * * 1-5`, in which Sunday is 0 or 7) or `@hourly`, `@daily`,
    `@weekly`, `@monthly`, `@yearly`. Or AWS's six fields: minutes, hours, day of month, month, day
    of week, year (`0 9 ? * MON-FRI *`, in which Sunday is 1).
    """
    timezone: Annotated[str, Meta(examples=["Europe/Berlin"])] | None = None
    """IANA time zone of `cron` and of times without an offset; by default UTC."""
    ends_at: MomentText | None = None
    """Time from which nothing starts, for `every_seconds` and `cron`."""


def once_at(at: datetime) -> "Timing":
    """Timing of a single run. It is in UTC, because one moment needs no rules of a time zone."""
    at = _whole_second(at)
    return Timing(kind="once", expression=f"at({at:%Y-%m-%dT%H:%M:%S})", first_at=at)


class Timing(msgspec.Struct, frozen=True, kw_only=True):
    """Timing of a schedule. The kind decides which other fields are set."""

    kind: Literal["once", "every", "cron"]
    expression: str
    """Expression of EventBridge Scheduler: `at(…)` in UTC, `rate(…)` or `cron(…)`."""
    timezone: str = "UTC"
    """Time zone of a cron expression."""
    first_at: datetime | None = None
    """The only time, or the first time of an interval."""
    every_seconds: int = 0
    ends_at: datetime | None = None

    def next_after(self, moment: datetime) -> datetime | None:
        """Next time after a moment; None if never."""
        time = self._next_after(moment)
        return time if time and (self.ends_at is None or time < self.ends_at) else None

    @property
    def fields(self) -> str:
        """The fields of a cron expression."""
        return self.expression.removeprefix("cron(").removesuffix(")")

    def includes(self, moment: datetime) -> bool:
        """Whether it repeats, and a moment is within a minute of its own."""
        minute = moment.replace(second=0, microsecond=0)
        return self.kind != "once" and self.next_after(minute - timedelta(seconds=1)) == minute

    def starts_now(self, now: datetime) -> bool:
        """Whether it runs once, at a time that is past or too near for EventBridge Scheduler."""
        return self.kind == "once" and self.first_at is not None and self.first_at < now + NEAREST

    def has_ended(self, now: datetime) -> bool:
        """Whether it repeats, and has no next time."""
        return self.kind != "once" and self.next_after(now) is None

    def _next_after(self, moment: datetime) -> datetime | None:
        if self.first_at is None:
            return read_cron(self.fields).next_after(moment, ZoneInfo(self.timezone))
        if moment < self.first_at:
            return self.first_at
        if self.kind == "once":
            return None
        passed = (moment - self.first_at) // timedelta(seconds=self.every_seconds)
        return self.first_at + timedelta(seconds=(passed + 1) * self.every_seconds)


def read_timing(parameters: TimingParameters, now: datetime) -> Timing:
    """Reads the timing of a request.

    Raises:
        InvalidParameters: names the field and its error.
    """
    zone = _read_zone(parameters.timezone) if parameters.timezone else None
    timing = _read_kind(parameters, zone, now)
    ends_at = _read_end(parameters.ends_at, timing, zone, now) if parameters.ends_at else None
    return _refuse_ended(msgspec.structs.replace(timing, ends_at=ends_at), now)


def change_timing(timing: Timing, change: TimingParameters, now: datetime) -> Timing:
    """The timing with the changes of a request: a new time, another zone of its cron expression,
    another end (NEVER: none).

    Raises:
        InvalidParameters: as `read_timing`.
    """
    if not _kinds(change):
        changed = _in_other_zone(timing, change)
    else:
        kept = timing.timezone if timing.kind == "cron" and change.cron else None
        name = change.timezone or kept
        changed = _read_kind(
            msgspec.structs.replace(change, timezone=name), _read_zone(name) if name else None, now
        )
    ends_at = timing.ends_at if changed.kind != "once" else None
    if change.ends_at:
        zone = _read_zone(change.timezone) if change.timezone else None
        never = change.ends_at == NEVER
        ends_at = None if never else _read_end(change.ends_at, changed, zone, now)
    return _refuse_ended(msgspec.structs.replace(changed, ends_at=ends_at), now)


def _in_other_zone(timing: Timing, change: TimingParameters) -> Timing:
    if not change.timezone:
        return timing
    if timing.kind == "cron":
        return msgspec.structs.replace(timing, timezone=_read_zone(change.timezone).key)
    if change.ends_at:  # whose zone it is
        return timing
    raise _refused("/timezone", "is only accepted with a cron expression or beside a local time")


def _kinds(parameters: TimingParameters) -> int:
    """Number of given fields that say when."""
    kinds = parameters.at, parameters.after_seconds, parameters.every_seconds, parameters.cron
    return sum(each is not None for each in kinds)


def _read_kind(parameters: TimingParameters, zone: ZoneInfo | None, now: datetime) -> Timing:
    """Timing without its end."""
    if _kinds(parameters) != 1:
        raise _refused("", "needs exactly one of at, after_seconds, every_seconds and cron")
    return _once(parameters, zone, now) or _every(parameters, now) or _cron(parameters)


def _read_end(text: str, timing: Timing, zone: ZoneInfo | None, now: datetime) -> datetime:
    if timing.kind == "once":
        raise _refused("/ends_at", "is only accepted with every_seconds or cron")
    ends_at = _read_time("/ends_at", text, zone)
    if ends_at <= now:
        raise _refused("/ends_at", "must be in the future")
    return ends_at


def _refuse_ended(timing: Timing, now: datetime) -> Timing:
    if not timing.has_ended(now):
        return timing
    if timing.ends_at:
        raise _refused("/ends_at", "must be after the first time")
    raise _refused("/cron", "names a time that never comes")


def _once(parameters: TimingParameters, zone: ZoneInfo | None, now: datetime) -> Timing | None:
    if parameters.at is not None:
        at = _read_time("/at", parameters.at, zone)
    elif parameters.after_seconds is not None:
        at = _whole_second(now) + timedelta(seconds=parameters.after_seconds)
    else:
        return None
    if at > now + timedelta(seconds=_MAX_AHEAD_SECONDS):
        raise _refused("/at", "must be at most ten years ahead")
    return once_at(at)


def _every(parameters: TimingParameters, now: datetime) -> Timing | None:
    """Timing of an interval, in whole minutes, which are EventBridge Scheduler's precision.

    The first run comes after one interval; EventBridge Scheduler alone would start it at once.
    """
    if parameters.every_seconds is None:
        return None
    every_seconds = parameters.every_seconds
    minutes, rest = divmod(every_seconds, _MINUTE_SECONDS)
    if rest:
        raise _refused("/every_seconds", f"must be a multiple of {_MINUTE_SECONDS}")
    first = math.ceil((now.timestamp() + every_seconds) / _MINUTE_SECONDS) * _MINUTE_SECONDS
    return Timing(
        kind="every",
        expression=f"rate({minutes} minute{'s' if minutes > 1 else ''})",
        first_at=datetime.fromtimestamp(first, UTC),
        every_seconds=every_seconds,
    )


def _cron(parameters: TimingParameters) -> Timing:
    text = to_aws(str(parameters.cron))
    read_cron(text)
    return Timing(kind="cron", expression=f"cron({text})", timezone=parameters.timezone or "UTC")


def _read_time(pointer: str, text: str, zone: ZoneInfo | None) -> datetime:
    try:
        moment = datetime.fromisoformat(text.upper()) if _TIME.fullmatch(text) else None
        if moment is None:
            raise _refused(
                pointer, "must be a time like 2026-01-31T12:00:00Z or 2026-01-31T12:00:00+01:00"
            )
        return _whole_second(moment if moment.tzinfo else _in_zone(pointer, moment, zone))
    except (ValueError, OverflowError):
        raise _refused(pointer, "is not a date and time that exists") from None


def _in_zone(pointer: str, moment: datetime, zone: ZoneInfo | None) -> datetime:
    if zone is None:
        raise _refused(pointer, "needs an offset, such as Z or +01:00, or the parameter timezone")
    local = moment.replace(tzinfo=zone)
    if not exists(local):
        raise _refused(pointer, f"does not exist in {zone.key}: the clocks skip that hour")
    return local


def _whole_second(moment: datetime) -> datetime:
    """Rounds up to a whole second, so that nothing runs before its time."""
    return datetime.fromtimestamp(math.ceil(moment.timestamp()), UTC)


def _read_zone(name: str) -> ZoneInfo:
    if name not in _zones() or len(name) > _MAX_ZONE_NAME:
        raise _refused("/timezone", "must be an IANA time zone, such as Europe/Berlin")
    return ZoneInfo(name)


@config.cached(lasting=True)
def _zones() -> frozenset[str]:
    """Names of all IANA time zones, from the package tzdata: Lambda's system has none."""
    return frozenset((resources.files("tzdata") / "zones").read_text().split())


def _refused(pointer: str, detail: str) -> InvalidParameters:
    return InvalidParameters(FieldError(pointer, detail))
