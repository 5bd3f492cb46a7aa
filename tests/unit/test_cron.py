from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from functions.core.errors import InvalidParameters
from functions.core.schedules.times.cron import read_cron

BERLIN = ZoneInfo("Europe/Berlin")


def times(text: str, after: str, *, zone: ZoneInfo | None = None, count: int = 3) -> list[str]:
    moment, found = datetime.fromisoformat(after).replace(tzinfo=UTC), []
    for _ in range(count):
        following = read_cron(text).next_after(moment, zone or UTC)
        assert following is not None
        found.append(f"{following:%Y-%m-%d %H:%M}")
        moment = following
    return found


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("* * * * ? *", ["2026-11-22 22:36", "2026-11-22 22:37", "2026-11-22 22:38"]),
        ("0/20 * * * ? *", ["2026-11-22 22:40", "2026-11-22 23:00", "2026-11-22 23:20"]),
        ("*/40 23 * * ? *", ["2026-11-22 23:00", "2026-11-22 23:40", "2026-11-23 23:00"]),
        ("15,45 9-10 * * ? *", ["2026-11-23 09:15", "2026-11-23 09:45", "2026-11-23 10:15"]),
        ("0 9 ? * MON-FRI *", ["2026-11-23 09:00", "2026-11-24 09:00", "2026-11-25 09:00"]),
        ("0 9 ? * 1 *", ["2026-11-29 09:00", "2026-12-06 09:00", "2026-12-13 09:00"]),
        ("0 9 ? * mon,wed *", ["2026-11-23 09:00", "2026-11-25 09:00", "2026-11-30 09:00"]),
        ("0 9 ? * L *", ["2026-11-28 09:00", "2026-12-05 09:00", "2026-12-12 09:00"]),
        ("0 9 ? * 6L *", ["2026-11-27 09:00", "2026-12-25 09:00", "2027-01-29 09:00"]),
        ("0 9 ? * FRIL *", ["2026-11-27 09:00", "2026-12-25 09:00", "2027-01-29 09:00"]),
        ("0 9 ? * 2#1 *", ["2026-12-07 09:00", "2027-01-04 09:00", "2027-02-01 09:00"]),
        ("0 9 ? * SUN#5 *", ["2026-11-29 09:00", "2027-01-31 09:00", "2027-05-30 09:00"]),
        ("0 9 L * ? *", ["2026-11-30 09:00", "2026-12-31 09:00", "2027-01-31 09:00"]),
        ("0 9 LW * ? *", ["2026-11-30 09:00", "2026-12-31 09:00", "2027-01-29 09:00"]),
        # 1 November 2026 is a Sunday, 1 May 2027 a Saturday: the run must stay in its month.
        ("0 9 1W 5 ? *", ["2027-05-03 09:00", "2028-05-01 09:00", "2029-05-01 09:00"]),
        ("0 9 15W * ? *", ["2026-12-15 09:00", "2027-01-15 09:00", "2027-02-15 09:00"]),
        ("0 9 31W JAN,FEB ? *", ["2027-01-29 09:00", "2028-01-31 09:00", "2029-01-31 09:00"]),
        ("0 9 31 * ? *", ["2026-12-31 09:00", "2027-01-31 09:00", "2027-03-31 09:00"]),
        ("0 9 29 FEB ? *", ["2028-02-29 09:00", "2032-02-29 09:00", "2036-02-29 09:00"]),
        ("0 0 1 JAN/6 ? 2027-2199/2", ["2027-01-01 00:00", "2027-07-01 00:00", "2029-01-01 00:00"]),
    ],
)
def test_an_expression_comes_when_aws_says(text: str, expected: list[str]) -> None:
    assert times(text, "2026-11-22 22:35") == expected


@pytest.mark.parametrize("text", ["0 9 30 2 ? *", "0 9 1 1 ? 2025", "0 9 ? 2 2#5 2026-2027"])
def test_a_date_that_never_comes_has_no_next_time(text: str) -> None:
    assert read_cron(text).next_after(datetime(2026, 11, 22, tzinfo=UTC), UTC) is None


def test_a_time_is_local_and_moves_with_the_clocks() -> None:
    assert times("0 9 * * ? *", "2027-03-27 00:00", zone=BERLIN) == [
        "2027-03-27 08:00",
        "2027-03-28 07:00",
        "2027-03-29 07:00",
    ]


def test_a_local_time_that_the_clocks_skip_is_left_out() -> None:
    """Europe/Berlin, 28 March 2027: the clocks go from 02:00 to 03:00."""
    assert times("30 2 * * ? *", "2027-03-26 12:00", zone=BERLIN, count=2) == [
        "2027-03-27 01:30",
        "2027-03-29 00:30",
    ]


def test_a_local_time_that_the_clocks_repeat_comes_once() -> None:
    """Europe/Berlin, 31 October 2027: the clocks go from 03:00 back to 02:00."""
    assert times("30 2 * * ? *", "2027-10-30 12:00", zone=BERLIN, count=2) == [
        "2027-10-31 00:30",
        "2027-11-01 01:30",
    ]


def test_the_next_time_is_after_the_moment_not_at_it() -> None:
    assert times("0 9 * * ? *", "2026-11-22 09:00", count=1) == ["2026-11-23 09:00"]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("0 9 * *", "has 4 fields; it needs AWS.s six"),
        ("", "has 0 fields"),
        ("0 9 * * * *", "needs [?] in exactly one of day of month and day of week"),
        ("0 9 ? * ? *", "needs [?] in exactly one of"),
        ("60 9 * * ? *", "minutes: 60 must be 0 to 59"),
        ("0 24 * * ? *", "hours: 24 must be 0 to 23"),
        ("0 9 0 * ? *", "day of month: 0 must be 1 to 31"),
        ("0 9 32W * ? *", "day of month: 32 must be 1 to 31"),
        ("0 9 L-3 * ? *", "day of month: L must be 1 to 31"),
        ("0 9 * 13 ? *", "month: 13 must be 1 to 12 or JAN to DEC"),
        ("0 9 * MAI ? *", "month: MAI must be 1 to 12 or JAN to DEC"),
        ("0 9 ? * 0 *", "day of week: 0 must be 1 to 7 or SUN to SAT"),
        ("0 9 ? * 2#6 *", "day of week: the number after # must be 1 to 5"),
        ("0 9 ? * 2#1,3#1 *", "day of week: '2#1' is not valid"),
        ("0 9 ? * FRI-MON *", "day of week: FRI-MON runs backwards"),
        ("0 9 * * ? 1969", "year: 1969 must be 1970 to 2199"),
        ("0 9 * * ? 2200", "year: 2200 must be 1970 to 2199"),
        ("*/0 9 * * ? *", "minutes: the step of [*]/0 must be 1 to 59"),
        ("*-5 9 * * ? *", "minutes: '[*]-5' is not valid"),
        ("5, 9 * * ? *", "minutes: '' is not valid"),
        ("٣ 9 * * ? *", "minutes: '٣' is not valid"),
        ("1.5 9 * * ? *", "minutes: '1.5' is not valid"),
        ("? 9 * * ? *", "minutes: '[?]' is not valid"),
    ],
)
def test_an_error_is_described_in_a_sentence(text: str, sentence: str) -> None:
    with pytest.raises(InvalidParameters, match=sentence) as refused:
        read_cron(text)
    assert refused.value.errors[0].pointer == "/cron"
