"""Standard cron: what it means by crontab(5), minute by minute, against AWS's fields."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice

import pytest

from functions.core.errors import InvalidParameters
from functions.core.schedules.times.cron import read_cron
from functions.core.schedules.times.standard_cron import to_aws

NAMES = {
    name: number
    for names, first in (("sun mon tue wed thu fri sat", 0), ("jan feb mar apr may jun", 1))
    for number, name in enumerate(names.split(), first)
}
START = datetime(2027, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "fields"),
    [
        ("0 9 * * *", "0 9 * * ? *"),
        ("*/15 8-18 * * 1-5", "*/15 8-18 ? * MON-FRI *"),
        ("0 9 * * 0", "0 9 ? * SUN *"),
        ("0 9 * * 7", "0 9 ? * SUN *"),
        ("0 9 * * 1", "0 9 ? * MON *"),
        ("0 9 * * sun,wed", "0 9 ? * WED,SUN *"),
        ("0 9 * * 5-7", "0 9 ? * FRI,SAT,SUN *"),
        ("0 9 * * sat-sun", "0 9 ? * SAT,SUN *"),
        ("0 9 * * */2", "0 9 ? * TUE,THU,SAT,SUN *"),
        ("0 9 * * 0-6", "0 9 * * ? *"),
        ("0 9 1,15 jan-jun *", "0 9 1,15 JAN-JUN ? *"),
        ("0 9 ? * 1", "0 9 ? * MON *"),
        ("0 9 */1 * 1", "0 9 ? * MON *"),
        ("@hourly", "0 * * * ? *"),
        ("@daily", "0 0 * * ? *"),
        ("@midnight", "0 0 * * ? *"),
        ("@weekly", "0 0 ? * SUN *"),
        ("@monthly", "0 0 1 * ? *"),
        ("@Yearly", "0 0 1 1 ? *"),
        ("@annually", "0 0 1 1 ? *"),
        ("0 9 ? * 1 *", "0 9 ? * 1 *"),
    ],
)
def test_a_standard_expression_is_said_in_awss_fields(text: str, fields: str) -> None:
    assert to_aws(text) == fields
    read_cron(fields)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("0 9 1 * 1", "restricts both day of month and day of week"),
        ("0 9 */2 * 1", "make one schedule for each"),
        ("0 9 * * 8", "day of week: 8 must be 0 to 7"),
        ("0 9 * * MON#1", "day of week: 'MON#1' is not valid"),
        ("0 9 * * 5-1", "day of week: 5-1 runs backwards"),
        ("0 9 * * */0", "day of week: the step of"),
        ("0 9 * * *-5", "is not valid"),
        ("@reboot", "must be one of @yearly"),
        ("@every 5m", "must be one of @yearly"),
    ],
)
def test_what_aws_cannot_say_is_refused_in_a_sentence(text: str, sentence: str) -> None:
    with pytest.raises(InvalidParameters, match=sentence) as refused:
        to_aws(text)
    assert refused.value.errors[0].pointer == "/cron"


def values(text: str, low: int, high: int) -> set[int]:
    """Values of a field, by crontab(5)."""
    found: set[int] = set()
    for part in text.split(","):
        span, _, step = part.partition("/")
        first, _, last = span.partition("-")
        ends = (low, high) if first == "*" else (number(first), number(last or first))
        found |= set(range(ends[0], ends[1] + 1, int(step or 1)))
    return found


def number(text: str) -> int:
    return NAMES[text] if text in NAMES else int(text)


def fits(text: str, moment: datetime) -> bool:
    minute, hour, day, month, weekday = text.split()
    return (
        moment.minute in values(minute, 0, 59)
        and moment.hour in values(hour, 0, 23)
        and moment.day in values(day, 1, 31)
        and moment.month in values(month, 1, 12)
        and moment.isoweekday() % 7 in {each % 7 for each in values(weekday, 0, 7)}
    )


def by_brute_force(text: str) -> Iterator[datetime]:
    hours = (START + timedelta(hours=hour) for hour in range(24 * 200))
    minutes = sorted(values(text.split(maxsplit=1)[0], 0, 59))
    return (
        moment
        for hour in hours
        for minute in minutes
        if fits(text, moment := hour.replace(minute=minute))
    )


def random_expression(pick: random.Random) -> str:
    day, weekday = pick.choice(
        [("*", random_weekday(pick)), (pick.choice(["1", "31", "*/5", "10-20/3", "1,15"]), "*")]
    )
    return " ".join(
        [
            pick.choice(["0", "*/20", "5,50", "10-40/15"]),
            pick.choice(["9", "*", "*/6", "8-18/5", "0,23"]),
            day,
            pick.choice(["*", "jan-mar", "2,4", "*/2"]),
            weekday,
        ]
    )


def random_weekday(pick: random.Random) -> str:
    first, last = sorted((pick.randint(0, 7), pick.randint(0, 7)))
    return pick.choice(
        [
            str(first),
            f"{first}-{last}",
            f"{first},{last}",
            f"{first}-{last}/2",
            f"*/{pick.randint(1, 7)}",
            pick.choice(["mon-fri", "sun", "tue,thu"]),
        ]
    )


@pytest.mark.parametrize("seed", range(60))
def test_awss_fields_come_when_the_standard_expression_does(seed: int) -> None:
    text = random_expression(random.Random(seed))  # noqa: S311 - the same cases each time
    expected = list(islice(by_brute_force(text), 12))
    moment = START - timedelta(minutes=1)
    found: list[datetime] = []
    while len(found) < len(expected):
        following = read_cron(to_aws(text)).next_after(moment, UTC)
        assert following is not None, text
        found.append(following)
        moment = following
    assert found == expected, text
