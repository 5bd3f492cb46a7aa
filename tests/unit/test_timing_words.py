"""The meaning of schedules in words, and their next times as clocks show them."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from functions.core.schedules.times.planned import next_times, planned_times
from functions.core.schedules.times.timing import Timing, TimingParameters, read_timing
from functions.core.schedules.times.words import meaning_of

NOW = datetime(2026, 11, 22, 22, 35, 16, tzinfo=UTC)
BERLIN = "Europe/Berlin"


def timing(**when: Any) -> Timing:
    return read_timing(TimingParameters(**when), NOW)


@pytest.mark.parametrize(
    ("cron", "words"),
    [
        ("0 9 ? * 1 *", "at 09:00 on Sundays"),
        ("0 9 * * 1", "at 09:00 on Mondays"),
        ("0 9 * * 1-5", "at 09:00 from Monday to Friday"),
        ("30 8,17 * * *", "at 08:30 and 17:30 every day"),
        ("*/15 * * * *", "every 15 minutes"),
        ("* 3 * * *", "every minute in the hour 3"),
        ("*/10 8-18 * * sat,sun", "every 10 minutes in the hours 8 to 18 on Saturdays and Sundays"),
        ("@hourly", "every hour"),
        ("5 * * * *", "every hour at minute 5"),
        ("0 */2 * * *", "every 2 hours"),
        ("1-7 * * * *", "at minutes 1 to 7 of every hour"),
        ("0 8-18 * * *", "at minute 0 in the hours 8 to 18 every day"),
        ("0 0 1,15 * *", "at 00:00 on days 1 and 15 of the month"),
        ("@yearly", "at 00:00 on day 1 of the month in January"),
        ("0 9 L * ? *", "at 09:00 on the last day of the month"),
        ("0 9 LW * ? *", "at 09:00 on the last working day of the month"),
        ("0 9 15W * ? *", "at 09:00 on the working day nearest to day 15 of the month"),
        ("0 9 ? * 2#1 *", "at 09:00 on the first Monday of the month"),
        ("0 9 ? * FRIL *", "at 09:00 on the last Friday of the month"),
        ("0 9 ? * L *", "at 09:00 on Saturdays"),
        ("0 9 ? JUN-AUG MON 2027", "at 09:00 on Mondays in June to August in 2027"),
    ],
)
def test_a_cron_expression_is_said_in_words(cron: str, words: str) -> None:
    assert meaning_of(timing(cron=cron, timezone=BERLIN)) == f"{words} (Europe/Berlin)"


@pytest.mark.parametrize(
    ("when", "words"),
    [
        ({"every_seconds": 60}, "every minute"),
        ({"every_seconds": 5400}, "every 90 minutes"),
        ({"every_seconds": 86_400}, "every day"),
        ({"at": "2026-12-01T09:00+01:00"}, "once, on 2026-12-01 at 08:00 (UTC)"),
    ],
)
def test_other_timings_are_said_in_words(when: dict[str, Any], words: str) -> None:
    assert meaning_of(timing(**when)) == words


@pytest.mark.parametrize(
    ("when", "count"),
    [
        ({"every_seconds": 3600}, 10),
        ({"cron": "0 9 * * *", "ends_at": "2026-11-25T09:00Z"}, 2),
        ({"at": "2026-12-01T09:00Z"}, 1),
    ],
)
def test_the_next_times_are_ten_or_as_many_as_there_are(when: dict[str, Any], count: int) -> None:
    made = timing(**when)
    found, moment = next_times(made, NOW), NOW
    assert len(found) == count
    for each in found:
        following = made.next_after(moment)
        assert following == each
        moment = each


def test_skipped_local_times_stand_between_the_others() -> None:
    before = datetime(2027, 3, 27, 12, tzinfo=UTC)
    times = planned_times(timing(cron="0,30 2 * * *", timezone=BERLIN), before, UTC)
    assert [(each.local, each.clocks) for each in times[:3]] == [
        ("2027-03-28T02:00:00", "skipped"),
        ("2027-03-28T02:30:00", "skipped"),
        ("2027-03-29T02:00:00", None),
    ]
    assert sum(each.at is not None for each in times) == 10


def test_an_hour_that_the_clocks_repeat_is_marked_and_comes_once() -> None:
    before = datetime(2027, 10, 30, 23, 30, tzinfo=UTC)
    times = planned_times(timing(cron="0 * * * *", timezone=BERLIN), before, UTC)
    assert [(f"{each.at:%H:%M}", each.local[11:16], each.clocks) for each in times[:3]] == [
        ("00:00", "02:00", "repeated"),
        ("02:00", "03:00", None),
        ("03:00", "04:00", None),
    ]


def test_an_interval_goes_on_through_a_change_of_the_clocks() -> None:
    made = Timing(
        kind="every",
        expression="rate(60 minutes)",
        first_at=datetime(2027, 10, 31, 0, tzinfo=UTC),
        every_seconds=3600,
    )
    before = made.first_at
    assert before is not None
    times = planned_times(made, before - timedelta(seconds=1), ZoneInfo(BERLIN))
    assert [(each.local[11:16], each.clocks) for each in times[:3]] == [
        ("02:00", "repeated"),
        ("02:00", "repeated"),
        ("03:00", None),
    ]
