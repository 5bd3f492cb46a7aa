"""The function `events`: each record of the stream becomes one run of deliver_event."""

import io
import json
from typing import Any

import pytest

from functions.api.events.handler import lambda_handler as events
from functions.core.errors import Unavailable
from functions.core.runs import execution
from functions.core.runs.files import read_item
from tests import fakes
from tests.builders.run_records import started_runs
from tests.builders.stream_records import APPROVED
from tests.workflows.conftest import Settings

pytestmark = pytest.mark.usefixtures("cloud", "listened")

ANOTHER = APPROVED | {"eventID": "another"}


@pytest.fixture
def listened(settings: Settings) -> None:
    settings.set(EVENTS_URL="https://app.example.com/events")


def feed(*records: dict[str, Any]) -> int:
    return int(events({"Records": list(records)}, None)["events"])


def runs() -> list[str]:
    return started_runs()


def test_each_event_is_a_run_of_deliver_event_with_all_that_is_to_be_told() -> None:
    assert feed(APPROVED) == 1
    (run_id,) = runs()
    begun, _ = execution.read(run_id)
    assert (begun.workflow, begun.token_id) == ("deliver_event", "events")
    item = read_item(begun.items_key, begun.reference.start, begun.reference.length)
    assert (item["type"], item["data"]["to"]) == ("verification.approved", "ana@example.com")


def test_a_repeated_record_of_the_stream_starts_nothing_again() -> None:
    feed(APPROVED, ANOTHER)
    feed(ANOTHER)
    feed(APPROVED, ANOTHER)
    assert len(runs()) == 2


def test_an_unwanted_event_starts_nothing(settings: Settings) -> None:
    settings.set(EVENT_TYPES="verification.expired,email.*")
    assert feed(APPROVED) == 0
    assert runs() == []


@pytest.mark.parametrize("service", ["S3", "SFN"])
def test_a_fault_is_raised_so_that_the_stream_gives_the_changes_again(
    service: str, settings: Settings
) -> None:
    settings.set(**{f"AWS_ENDPOINT_URL_{service}": fakes.nobody()})
    with pytest.raises(Unavailable):
        feed(APPROVED, ANOTHER)
    settings.unset(f"AWS_ENDPOINT_URL_{service}")
    assert feed(APPROVED, ANOTHER) == 2
    assert len(runs()) == 2


def test_a_process_that_dies_between_two_events_tells_both_in_the_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    begin, begun = execution.begin, iter([True, False])

    def dies(planned: execution.Execution) -> bool:
        if next(begun, True):
            return begin(planned)
        raise KeyboardInterrupt

    monkeypatch.setattr(execution, "begin", dies)
    with pytest.raises(KeyboardInterrupt):
        feed(APPROVED, ANOTHER)
    assert [execution.exists(run_id) for run_id in runs()] == [False, True]
    feed(APPROVED, ANOTHER)
    assert [execution.exists(run_id) for run_id in runs()] == [True, True]


def test_a_change_that_cannot_be_read_keeps_none_behind_it_waiting(
    capfd: pytest.CaptureFixture[str],
) -> None:
    broken = APPROVED | {
        "dynamodb": {"ApproximateCreationDateTime": 1, "OldImage": {}, "NewImage": {}}
    }
    assert feed(broken, APPROVED) == 1
    assert len(runs()) == 1
    assert "ChangeNotRead" in capfd.readouterr().out


def test_an_event_that_an_earlier_version_told_in_other_words_stays_as_it_was_told() -> None:
    feed(APPROVED)
    image = APPROVED["dynamodb"]["NewImage"] | {"purpose": {"S": "sign_in"}}
    told_otherwise = APPROVED | {"dynamodb": APPROVED["dynamodb"] | {"NewImage": image}}
    assert feed(told_otherwise, ANOTHER) == 2
    assert len(runs()) == 2


def test_a_verification_that_is_gone_after_its_time_is_told_to_have_expired() -> None:
    images = {"OldImage": APPROVED["dynamodb"]["OldImage"]}
    feed(
        APPROVED
        | {
            "eventName": "REMOVE",
            "dynamodb": {"ApproximateCreationDateTime": 4_000_000_000, **images},
        }
    )
    begun, _ = execution.read(runs()[0])
    item = read_item(begun.items_key, begun.reference.start, begun.reference.length)
    assert (item["type"], item["data"]["test"]) == ("verification.expired", False)


def test_the_log_says_which_event_and_of_whom_nothing(log: io.StringIO) -> None:
    feed(APPROVED)
    (line,) = (json.loads(each) for each in log.getvalue().splitlines())
    assert (line["message"], line["type"], line["run_id"]) == (
        "event",
        "verification.approved",
        runs()[0],
    )
    assert "ana@" not in log.getvalue()
