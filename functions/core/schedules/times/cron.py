"""Evaluator of AWS's cron expressions: reads the six fields and computes the next time.

Neither croniter nor cronsim reads AWS's dialect (`?`, `L`, `W`, `#`, a year), and the libraries
that do have a single maintainer each.
Source: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-cron-expressions.html
"""

import re
from calendar import monthrange
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, tzinfo
from typing import NamedTuple

from functions.core.errors import FieldError, InvalidParameters

MONTH_NAMES = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
WEEKDAY_NAMES = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
"""AWS counts from Sunday."""
_SATURDAY, _SUNDAY = 7, 1

_PART = re.compile(r"(?P<first>\*|\w+)(?:-(?P<last>\w+))?(?:/(?P<step>\d{1,4}))?", re.ASCII)
_NEAREST = re.compile(r"(\d{1,2})W", re.ASCII)
_LAST_OF_MONTH = re.compile(r"(\w+)L", re.ASCII)
_NTH_OF_MONTH = re.compile(r"(\w+)#(\d)", re.ASCII)


class Field(NamedTuple):
    """One of the six fields."""

    name: str
    low: int
    high: int
    names: tuple[str, ...] = ()
    """Names of the values, the lowest first."""


MINUTE = Field("minutes", 0, 59)
HOUR = Field("hours", 0, 23)
DAY = Field("day of month", 1, 31)
MONTH = Field("month", 1, 12, MONTH_NAMES)
WEEKDAY = Field("day of week", 1, 7, WEEKDAY_NAMES)
YEAR = Field("year", 1970, 2199)

DaysOfMonth = Callable[[int, int], list[int]]
"""Matching days of a year's month, ascending."""


class Cron(NamedTuple):
    """Parsed expression. Each list ascends."""

    minutes: list[int]
    hours: list[int]
    days: DaysOfMonth
    months: list[int]
    years: list[int]

    def next_after(self, moment: datetime, zone: tzinfo) -> datetime | None:
        """Next time after a moment, in UTC; None if never.

        As in EventBridge Scheduler, a local time that the clocks skip is left out, and one that
        they repeat comes once.
        """
        local_times = self.local_times_after(moment, zone)
        return next((each.astimezone(UTC) for each in local_times if exists(each)), None)

    def local_times_after(self, moment: datetime, zone: tzinfo) -> Iterator[datetime]:
        """Local times after a moment, ascending, also those that the clocks skip."""
        for day in self._days_from(moment.astimezone(zone).date()):
            for hour in self.hours:
                for minute in self.minutes:
                    local = datetime(day.year, day.month, day.day, hour, minute, tzinfo=zone)
                    if local.astimezone(UTC) > moment:
                        yield local

    def _days_from(self, first: date) -> Iterator[date]:
        for year in self.years:
            for month in self.months:
                if (year, month) < (first.year, first.month):
                    continue
                for day in self.days(year, month):
                    if (candidate := date(year, month, day)) >= first:
                        yield candidate


def exists(local: datetime) -> bool:
    """Whether the clocks of its zone show a local time at all: they skip an hour in spring."""
    back = local.astimezone(UTC).astimezone(local.tzinfo)
    return back.replace(tzinfo=None) == local.replace(tzinfo=None)


def read_cron(text: str) -> Cron:
    """Reads `minutes hours day-of-month month day-of-week year`.

    Raises:
        InvalidParameters: names the field and its error.
    """
    fields = text.upper().split()
    if len(fields) != 6:  # noqa: PLR2004 - AWS's six fields
        raise refused(
            f"has {len(fields)} fields; it needs AWS's six (minutes hours day-of-month month "
            "day-of-week year), the five of standard cron, or a word like @daily"
        )
    minutes, hours, day, month, weekday, year = fields
    return Cron(
        read_values(MINUTE, minutes),
        read_values(HOUR, hours),
        _read_days(day, weekday),
        read_values(MONTH, month),
        read_values(YEAR, year),
    )


def _read_days(day: str, weekday: str) -> DaysOfMonth:
    if (day == "?") == (weekday == "?"):
        raise refused(
            "needs ? in exactly one of day of month and day of week, such as 0 9 ? * MON-FRI *"
        )
    return _read_day_of_month(day) if weekday == "?" else _read_weekday(weekday)


def _read_day_of_month(text: str) -> DaysOfMonth:
    if text == "L":
        return lambda year, month: [monthrange(year, month)[1]]
    if text == "LW":
        return lambda year, month: [_nearest_working_day(year, month, monthrange(year, month)[1])]
    if match := _NEAREST.fullmatch(text):
        near = _number(DAY, match[1])
        return lambda year, month: (
            [_nearest_working_day(year, month, near)] if near <= monthrange(year, month)[1] else []
        )
    days = read_values(DAY, text)
    return lambda year, month: [day for day in days if day <= monthrange(year, month)[1]]


def _read_weekday(text: str) -> DaysOfMonth:
    if text == "L":
        return lambda year, month: _on_weekdays(year, month, [_SATURDAY])
    if match := _NTH_OF_MONTH.fullmatch(text):
        weekdays, nth = [_number(WEEKDAY, match[1])], int(match[2])
        if not 1 <= nth <= 5:  # noqa: PLR2004 - a month has at most five of a weekday
            raise refused(
                "day of week: the number after # must be 1 to 5, such as 2#1 for the first Monday"
            )
        return lambda year, month: _on_weekdays(year, month, weekdays)[nth - 1 : nth]
    if match := _LAST_OF_MONTH.fullmatch(text):
        weekdays = [_number(WEEKDAY, match[1])]
        return lambda year, month: _on_weekdays(year, month, weekdays)[-1:]
    weekdays = read_values(WEEKDAY, text)
    return lambda year, month: _on_weekdays(year, month, weekdays)


def _on_weekdays(year: int, month: int, weekdays: list[int]) -> list[int]:
    return [
        day
        for day in range(1, monthrange(year, month)[1] + 1)
        if _weekday(year, month, day) in weekdays
    ]


def _weekday(year: int, month: int, day: int) -> int:
    return date(year, month, day).isoweekday() % 7 + 1


def _nearest_working_day(year: int, month: int, day: int) -> int:
    """The working day nearest to a day, in the same month."""
    weekday = _weekday(year, month, day)
    if weekday == _SATURDAY:
        return day - 1 if day > 1 else day + 2
    if weekday == _SUNDAY:
        return day + 1 if day < monthrange(year, month)[1] else day - 2
    return day


def read_values(field: Field, text: str) -> list[int]:
    """Values of a list such as `1,3-5,*/2`, ascending. Raises `InvalidParameters`."""
    return sorted({value for part in text.split(",") for value in _read_part(field, part)})


def _read_part(field: Field, text: str) -> range:
    part = _PART.fullmatch(text)
    if not part or (part["first"] == "*" and part["last"]):
        raise refused(
            f"{field.name}: {text[:20]!r} is not valid; write values like 5, 1-5, 1,3 or */2"
        )
    first = field.low if part["first"] == "*" else _number(field, part["first"])
    one = part["first"] != "*" and not part["step"]
    last = _number(field, part["last"]) if part["last"] else first if one else field.high
    step = int(part["step"] or 1)
    if last < first:
        raise refused(
            f"{field.name}: {text} runs backwards; write two ranges with a comma between them"
        )
    if not 1 <= step <= field.high:
        raise refused(f"{field.name}: the step of {text} must be 1 to {field.high}")
    return range(first, last + 1, step)


def _number(field: Field, text: str) -> int:
    if text in field.names:
        return field.names.index(text) + field.low
    value = int(text) if text.isdecimal() else -1
    if not field.low <= value <= field.high:
        named = f" or {field.names[0]} to {field.names[-1]}" if field.names else ""
        raise refused(f"{field.name}: {text[:20]} must be {field.low} to {field.high}{named}")
    return value


def refused(detail: str) -> InvalidParameters:
    """Error of the parameter `cron`."""
    return InvalidParameters(FieldError("/cron", detail))
