"""The console's times of schedules: what the product's own engine says."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest

from functions.core.schedules.definition import Definition
from functions.core.schedules.schedule import run_id_of
from functions.core.schedules.times.timing import Timing
from tests.builders.local_servers import Stack

SCHEDULE_ID = "verify_send.0123456789abcdef"
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)


def definition(timing: Timing, created_at: datetime) -> Definition:
    return Definition(
        schedule_id=SCHEDULE_ID,
        workflow="verify_send",
        parameters={"channel": "email", "to": "ana@example.com"},
        timing=timing,
        token_id="t",
        created_at=created_at,
    )


def every_minute(first_at: datetime, **more: Any) -> Timing:
    return Timing(
        kind="every", expression="rate(1 minute)", first_at=first_at, every_seconds=60, **more
    )


def times_of(stack: Stack, stored: Definition) -> dict[str, Any]:
    deployment = stack.server.deployment
    stack.server.deployment = deployment._replace(outputs={"RunsBucket": "bucket"})
    stack.reply = (200, msgspec.json.encode(stored), {})
    answer = stack.client.get(f"/_local/schedules/{SCHEDULE_ID}/times")
    assert answer.status_code == 200, answer.text
    assert stack.reached[-1][0] == f"GET /bucket/schedules/{SCHEDULE_ID}.json"
    found: dict[str, Any] = answer.json()
    return found


def moments(texts: list[str]) -> list[datetime]:
    return [datetime.fromisoformat(text) for text in texts]


def this_minute() -> datetime:
    return datetime.now(UTC).replace(second=0, microsecond=0)


def test_a_timing_has_its_next_ten_times(stack: Stack) -> None:
    query = {"cron": "0 9 ? * MON-FRI *", "timezone": "America/New_York"}
    found = stack.client.get("/_local/times", params=query).json()
    times = [each.astimezone(ZoneInfo("America/New_York")) for each in moments(found["times"])]
    assert found["errors"] == []
    assert len(times) == 10
    assert times == sorted(set(times))
    assert {(each.hour, each.minute) for each in times} == {(9, 0)}
    assert {each.isoweekday() for each in times} == {1, 2, 3, 4, 5}


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ({"cron": "0 9 ? * MON-FRX *"}, "/cron"),
        ({"every_seconds": "61"}, "/every_seconds"),
        ({"every_seconds": "often"}, "/every_seconds"),
        ({"at": "2099-01-01T09:00", "timezone": "Europe/Nowhere"}, "/timezone"),
        ({}, ""),
    ],
)
def test_a_wrong_timing_has_the_errors_of_the_api(
    query: dict[str, str], pointer: str, stack: Stack
) -> None:
    found = stack.client.get("/_local/times", params=query).json()
    assert found["times"] == []
    assert [error["pointer"] for error in found["errors"]] == [pointer]


def test_a_schedule_has_its_next_times_and_the_runs_of_its_last_ones(stack: Stack) -> None:
    started = this_minute() - HOUR
    stored = definition(every_minute(started), started)
    found = times_of(stack, stored)
    times, runs = moments(found["times"]), moments([run["at"] for run in found["runs"]])
    assert (len(times), len(runs)) == (10, 10)
    around = [*reversed(runs), *times]
    assert {later - earlier for earlier, later in pairwise(around)} == {MINUTE}
    assert [run["run_id"] for run in found["runs"]] == [run_id_of(stored, at) for at in runs]
    assert found["parameters"] == {"channel": "email", "to": "ana@example.com"}


def test_times_begin_and_end_with_the_schedule(stack: Stack) -> None:
    started = this_minute() - 3 * MINUTE
    ends_at = started + 6 * MINUTE
    found = times_of(stack, definition(every_minute(started + MINUTE, ends_at=ends_at), started))
    all_times = moments([*(run["at"] for run in found["runs"]), *found["times"]])
    assert sorted(all_times) == [started + number * MINUTE for number in range(1, 6)]
    assert datetime.fromisoformat(found["ends_at"]) == ends_at


def test_rare_times_are_found_far_back(stack: Stack) -> None:
    timing = Timing(kind="cron", expression="cron(0 6 1 1 ? *)", timezone="UTC")
    this = datetime.now(UTC).year
    created = datetime(this - 4, 6, 1, tzinfo=UTC)
    runs = times_of(stack, definition(timing, created))["runs"]
    assert [int(run["at"][:4]) for run in runs] == [this, this - 1, this - 2, this - 3]


def test_an_unknown_schedule_has_no_times(stack: Stack) -> None:
    stack.server.deployment = stack.server.deployment._replace(outputs={"RunsBucket": "bucket"})
    error = b"<Error><Code>NoSuchKey</Code><Message>gone</Message></Error>"
    stack.reply = (404, error, {"content_type": "application/xml"})
    answer = stack.client.get(f"/_local/schedules/{SCHEDULE_ID}/times")
    assert (answer.status_code, answer.json()) == (
        404,
        {"message": "This schedule does not exist, or no longer."},
    )
