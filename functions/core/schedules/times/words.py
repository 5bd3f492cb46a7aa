"""The meaning of a timing in words: `at 09:00 on Sundays (Europe/Berlin)`.

AWS's `0 9 ? * 1 *` is a Sunday, and standard cron's `0 9 * * 1` is a Monday. Words tell them apart.
"""

from datetime import timedelta
from itertools import pairwise

from functions.core.schedules.times.cron import (
    DAY,
    HOUR,
    MINUTE,
    MONTH,
    WEEKDAY,
    YEAR,
    Field,
    read_values,
)
from functions.core.schedules.times.timing import Timing

_WEEKDAYS = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")
_MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
_NTH = ("first", "second", "third", "fourth", "fifth")
_UNITS = {"day": timedelta(days=1), "hour": timedelta(hours=1), "minute": timedelta(minutes=1)}
_MOST_TIMES = 6
"""Times of a day that are listed one by one."""
_LEAST_RANGE = 3
"""Values in a row that are told by the first and the last."""


def meaning_of(timing: Timing) -> str:
    """A timing in words."""
    if timing.kind == "cron":
        return f"{_cron(timing.fields)} ({timing.timezone})"
    if timing.kind == "every":
        return f"every {_length(timedelta(seconds=timing.every_seconds))}"
    return f"once, on {timing.first_at:%Y-%m-%d} at {timing.first_at:%H:%M} (UTC)"


def _cron(fields: str) -> str:
    minutes, hours, day, month, weekday, year = fields.split()
    time = _time(read_values(MINUTE, minutes), read_values(HOUR, hours))
    days = _days(day) if weekday == "?" else _weekdays(weekday)
    if not days and "every" not in time:
        days = "every day"
    months = _some(MONTH, month, _MONTHS)
    years = _some(YEAR, year, ())
    parts = (time, days, months and f"in {months}", years and f"in {years}")
    return " ".join(part for part in parts if part)


def _time(minutes: list[int], hours: list[int]) -> str:
    every_hour = len(hours) == HOUR.high + 1
    if len(minutes) * len(hours) <= _MOST_TIMES and not every_hour:
        times = [f"{hour:02}:{minute:02}" for hour in hours for minute in minutes]
        return f"at {_listed(times)}"
    at_minutes = f"at {_numbers('minute', minutes)}"
    if len(minutes) == 1 and (hour_step := _step(HOUR, hours)):
        rest = "" if minutes == [0] else f" {at_minutes}"
        return f"every {_length(timedelta(hours=hour_step))}{rest}"
    within = "" if every_hour else f" in the {_numbers('hour', hours)}"
    if minute_step := _step(MINUTE, minutes):
        return f"every {_length(timedelta(minutes=minute_step))}{within}"
    return f"{at_minutes}{within or ' of every hour'}"


def _numbers(unit: str, values: list[int]) -> str:
    return f"{unit}{'s' if len(values) > 1 else ''} {_ranges(list(map(str, values)), values)}"


def _days(text: str) -> str:
    """Days of the month in words; empty for every day."""
    if text == "L":
        return "on the last day of the month"
    if text == "LW":
        return "on the last working day of the month"
    if text.endswith("W"):
        return f"on the working day nearest to day {text[:-1]} of the month"
    days = read_values(DAY, text)
    if len(days) == DAY.high:
        return ""
    return f"on {_numbers('day', days)} of the month"


def _weekdays(text: str) -> str:
    """Days of the week in words; empty for every day."""
    if "#" in text:
        day, nth = text.split("#")
        return f"on the {_NTH[int(nth) - 1]} {_weekday(day)} of the month"
    if text.endswith("L") and text != "L":
        return f"on the last {_weekday(text[:-1])} of the month"
    days = read_values(WEEKDAY, "SAT" if text == "L" else text)
    if len(days) == WEEKDAY.high:
        return ""
    names = [_WEEKDAYS[day - 1] for day in days]
    if len(days) >= _LEAST_RANGE and _in_row(days):
        return f"from {names[0]} to {names[-1]}"
    # The week is told from Monday on.
    return f"on {_listed([f'{name}s' for name in sorted(names, key=_place_in_week)])}"


def _weekday(text: str) -> str:
    return _WEEKDAYS[read_values(WEEKDAY, text)[0] - 1]


def _place_in_week(name: str) -> int:
    return (_WEEKDAYS.index(name) - 1) % len(_WEEKDAYS)


def _some(field: Field, text: str, names: tuple[str, ...]) -> str:
    """Values of a field, by their names if it has some; empty for all values."""
    values = read_values(field, text)
    if len(values) == field.high - field.low + 1:
        return ""
    return _ranges([names[value - 1] if names else str(value) for value in values], values)


def _ranges(names: list[str], values: list[int]) -> str:
    if len(values) >= _LEAST_RANGE and _in_row(values):
        return f"{names[0]} to {names[-1]}"
    return _listed(names)


def _in_row(values: list[int]) -> bool:
    return all(after == value + 1 for value, after in pairwise(values))


def _step(field: Field, values: list[int]) -> int:
    """The step of values that divide their whole evenly, such as 15 of 0, 15, 30, 45; 0: none."""
    whole = field.high + 1
    step = whole // len(values) if whole % len(values) == 0 else 0
    return step if step and values == list(range(0, whole, step)) and len(values) > 1 else 0


def _length(length: timedelta) -> str:
    """`hour`, `15 minutes`: a length in its largest whole unit."""
    name, unit = next((name, unit) for name, unit in _UNITS.items() if not length % unit)
    amount = length // unit
    return name if amount == 1 else f"{amount} {name}s"


def _listed(texts: list[str]) -> str:
    return f"{', '.join(texts[:-1])} and {texts[-1]}" if len(texts) > 1 else texts[0]
