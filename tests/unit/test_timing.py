from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from msgspec import json

from functions.core.errors import InvalidParameters
from functions.core.schedules.times.timing import Timing, TimingParameters, read_timing

NOW = datetime(2026, 11, 22, 22, 35, 16, tzinfo=UTC)


def timing(**when: Any) -> Timing:
    return read_timing(TimingParameters(**when), NOW)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("when", "expression"),
    [
        ({"at": "2026-12-01T09:00:00Z"}, "at(2026-12-01T09:00:00)"),
        ({"at": "2026-12-01t09:00z"}, "at(2026-12-01T09:00:00)"),
        ({"at": "2026-12-01 09:00:00+01:00"}, "at(2026-12-01T08:00:00)"),
        ({"at": "2026-12-01T09:00:00.25Z"}, "at(2026-12-01T09:00:01)"),
        ({"at": "2026-12-01T09:00", "timezone": "Europe/Berlin"}, "at(2026-12-01T08:00:00)"),
        ({"at": "2027-07-01T09:00", "timezone": "Europe/Berlin"}, "at(2027-07-01T07:00:00)"),
        ({"at": "2026-12-01T09:00Z", "timezone": "Europe/Berlin"}, "at(2026-12-01T09:00:00)"),
        ({"after_seconds": 90}, "at(2026-11-22T22:36:46)"),
        ({"every_seconds": 60}, "rate(1 minute)"),
        ({"every_seconds": 5400}, "rate(90 minutes)"),
        ({"cron": " 0  9 ? * mon-fri * "}, "cron(0 9 ? * MON-FRI *)"),
    ],
)
def test_each_way_to_say_when_is_an_expression_of_aws(
    when: dict[str, Any], expression: str
) -> None:
    assert timing(**when).expression == expression


@pytest.mark.parametrize(
    ("when", "pointer", "sentence"),
    [
        ({}, "", "needs exactly one of at, after_seconds, every_seconds and cron"),
        ({"at": "2026-12-01T09:00Z", "after_seconds": 5}, "", "needs exactly one of"),
        ({"at": "tomorrow"}, "/at", "must be a time like 2026-01-31T12:00:00Z"),
        ({"at": "2026-12-01"}, "/at", "must be a time like"),
        ({"at": "2026-02-30T09:00Z"}, "/at", "is not a date and time that exists"),
        ({"at": "0001-01-01T00:00+14:00"}, "/at", "is not a date and time that exists"),
        (
            {"at": "2026-12-01T09:00"},
            "/at",
            "needs an offset, such as Z or .01:00, or the parameter timezone",
        ),
        (
            {"at": "2027-03-28T02:30", "timezone": "Europe/Berlin"},
            "/at",
            "does not exist in Europe/Berlin",
        ),
        ({"at": "2040-01-01T00:00Z"}, "/at", "must be at most ten years ahead"),
        (
            {"at": "2026-12-01T09:00", "timezone": "Berlin"},
            "/timezone",
            "must be an IANA time zone, such as Europe/Berlin",
        ),
        (
            {"cron": "0 9 * * ? *", "timezone": "../../etc/passwd"},
            "/timezone",
            "must be an IANA time zone",
        ),
        (
            {"cron": "0 9 * * ? *", "timezone": "posix/Europe/Berlin"},
            "/timezone",
            "must be an IANA time zone",
        ),
        ({"every_seconds": 90}, "/every_seconds", "must be a multiple of 60"),
        ({"cron": "0 9 30 2 ? *"}, "/cron", "names a time that never comes"),
        (
            {"after_seconds": 90, "ends_at": "2026-12-01T09:00Z"},
            "/ends_at",
            "is only accepted with every_seconds or cron",
        ),
        (
            {"every_seconds": 60, "ends_at": "2026-11-22T22:35:16Z"},
            "/ends_at",
            "must be in the future",
        ),
        (
            {"every_seconds": 3600, "ends_at": "2026-11-22T23:00Z"},
            "/ends_at",
            "must be after the first time",
        ),
        (
            {"cron": "0 9 * * ? *", "ends_at": "2026-11-23T09:00Z"},
            "/ends_at",
            "must be after the first time",
        ),
    ],
)
def test_an_error_is_described_in_a_sentence(
    when: dict[str, Any], pointer: str, sentence: str
) -> None:
    with pytest.raises(InvalidParameters, match=sentence) as refused:
        timing(**when)
    assert refused.value.errors[0].pointer == pointer


def test_a_local_time_that_is_there_twice_is_the_first() -> None:
    assert timing(at="2027-10-31T02:30", timezone="Europe/Berlin").first_at == at(
        "2027-10-31 00:30"
    )


@pytest.mark.parametrize(("seconds", "now"), [(0, True), (59, True), (60, False)])
def test_a_time_under_a_minute_ahead_is_now(seconds: int, *, now: bool) -> None:
    assert timing(after_seconds=seconds).starts_now(NOW) is now


def test_a_time_in_the_past_is_now() -> None:
    assert timing(at="2020-01-01T00:00Z").starts_now(NOW) is True


def test_a_repeating_schedule_never_runs_at_once() -> None:
    assert timing(every_seconds=60).starts_now(NOW) is False
    assert timing(cron="* * * * ? *").starts_now(NOW) is False


def test_an_interval_begins_after_one_interval_on_a_whole_minute_and_keeps_its_rhythm() -> None:
    every = timing(every_seconds=3600)
    first = at("2026-11-22 23:36")
    assert every.first_at == first
    assert every.next_after(NOW) == first
    assert every.next_after(first - timedelta(seconds=1)) == first
    assert every.next_after(first) == at("2026-11-23 00:36")
    assert every.next_after(at("2027-03-01 12:00:30")) == at("2027-03-01 12:36")


def test_an_end_is_a_time_at_which_nothing_runs_any_more() -> None:
    every = timing(every_seconds=3600, ends_at="2026-11-23T01:36Z")
    assert every.next_after(at("2026-11-22 23:36")) == at("2026-11-23 00:36")
    assert every.next_after(at("2026-11-23 00:36")) is None
    assert every.has_ended(at("2026-11-23 00:36")) is True
    assert every.has_ended(NOW) is False


def test_an_end_may_be_local_time() -> None:
    ends = timing(
        cron="0 9 * * ? *", timezone="America/New_York", ends_at="2026-12-01T12:00"
    ).ends_at
    assert ends == at("2026-12-01 17:00")


def test_a_cron_expression_is_meant_in_its_time_zone() -> None:
    assert timing(cron="0 9 * * ? *", timezone="America/New_York").next_after(NOW) == at(
        "2026-11-23 14:00"
    )


@pytest.mark.parametrize(
    "when",
    [
        {"after_seconds": 90},
        {"every_seconds": 60},
        {"cron": "0 9 * * ? *", "timezone": "Asia/Kolkata"},
    ],
)
def test_a_timing_is_the_same_once_it_is_stored(when: dict[str, Any]) -> None:
    assert json.decode(json.encode(timing(**when)), type=Timing) == timing(**when)
