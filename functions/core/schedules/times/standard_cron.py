"""Standard cron (five fields, @daily) in AWS's six fields.

Source: crontab(5) of Vixie cron. It differs from AWS's cron expressions in these:

- Days of the week count from Sunday = 0, and 7 is Sunday, too. AWS counts from Sunday = 1.
- `*` may stand in both day fields. AWS needs `?` in one of them.
- Where both day fields are restricted, a day that fits either is meant. AWS cannot say that.
"""

import re
from collections.abc import Iterator

from functions.core.schedules.times.cron import WEEKDAY_NAMES, refused

_SHORTCUTS = {
    "@YEARLY": "0 0 1 1 *",
    "@ANNUALLY": "0 0 1 1 *",
    "@MONTHLY": "0 0 1 * *",
    "@WEEKLY": "0 0 * * 0",
    "@DAILY": "0 0 * * *",
    "@MIDNIGHT": "0 0 * * *",
    "@HOURLY": "0 * * * *",
}
_FIELDS = 5
_DAYS = 7
_PART = re.compile(r"(?P<first>\*|\w+)(?:-(?P<last>\w+))?(?:/(?P<step>\d))?", re.ASCII)
_LEAST_RANGE = 3
"""Days in a row that are written as a range, such as MON-WED."""


def to_aws(text: str) -> str:
    """AWS's six fields of a standard expression, in capitals; any other text as it is.

    Raises:
        InvalidParameters: AWS's fields cannot say it.
    """
    text = " ".join(text.upper().split())
    if text.startswith("@"):
        if text not in _SHORTCUTS:
            raise refused(f"must be one of {', '.join(_SHORTCUTS).lower()}, or fields")
        text = _SHORTCUTS[text]
    fields = text.split()
    if len(fields) != _FIELDS:
        return text
    minutes, hours, day, month, weekday = fields
    return " ".join([minutes, hours, *_days(day, month, weekday), "*"])


def _days(day: str, month: str, weekday: str) -> tuple[str, str, str]:
    """Day of month, month and day of week."""
    weekdays, every_day = _weekdays(weekday), day in {"*", "?", "*/1"}
    if weekdays == "*":
        return ("*" if every_day else day), month, "?"
    if not every_day:
        raise refused(
            "restricts both day of month and day of week. In standard cron a day that fits either "
            "is meant, which EventBridge Scheduler cannot say; make one schedule for each"
        )
    return "?", month, weekdays


def _weekdays(text: str) -> str:
    """Names of the days, such as MON-FRI; * for every day."""
    if text == "?":
        return "*"
    found = {number % _DAYS for part in text.split(",") for number in _read_part(part)}
    days = sorted(found, key=lambda day: (day - 1) % _DAYS)  # the week begins on Monday
    if len(days) == _DAYS:
        return "*"
    names = [WEEKDAY_NAMES[day] for day in days]
    in_row = (days[-1] - days[0]) % _DAYS == len(days) - 1
    # AWS's week begins on Sunday, so no range of its own may end with it.
    if in_row and len(days) >= _LEAST_RANGE and 0 not in days:
        return f"{names[0]}-{names[-1]}"
    return ",".join(names)


def _read_part(text: str) -> Iterator[int]:
    """Numbers of days, Sunday as 0 or 7."""
    part = _PART.fullmatch(text)
    if not part or (part["first"] == "*" and part["last"]):
        raise refused(f"day of week: {text[:20]!r} is not valid; write values like 1, MON-FRI, 1,3")
    step = int(part["step"] or 1)
    if not step:
        raise refused(f"day of week: the step of {text} must be 1 to {_DAYS}")
    if part["first"] == "*":
        return iter(range(0, _DAYS + 1, step))
    first = _number(part["first"])
    last = _number(part["last"]) if part["last"] else _DAYS if part["step"] else first
    if last == 0 < first:
        last = _DAYS
    if last < first:
        raise refused(
            f"day of week: {text} runs backwards; write two ranges with a comma between them"
        )
    return iter(range(first, last + 1, step))


def _number(text: str) -> int:
    if text in WEEKDAY_NAMES:
        return WEEKDAY_NAMES.index(text)
    if text.isdecimal() and int(text) <= _DAYS:
        return int(text)
    raise refused(f"day of week: {text[:20]} must be 0 to 7 (0 and 7 are Sunday) or SUN to SAT")
