"""Test destinations: fixed codes for the reviewers of an app store."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from functions.core import config
from functions.core.config import SettingsError
from functions.core.verification.record import Verification
from functions.core.verification.test_destinations import DestinationTestSettings
from tests.builders.verifications import check, send
from tests.workflows.conftest import Clock, Settings, sent_emails, sent_sms

pytestmark = pytest.mark.usefixtures("cloud")

TODAY = datetime.now(UTC).date()
REVIEWERS = {
    "TEST_DESTINATIONS": "review@example.com=424242,+14155550100=ABC234",
    "TEST_DESTINATIONS_UNTIL": str(TODAY + timedelta(days=30)),
}


@pytest.mark.parametrize(
    ("to", "code"), [("Review@example.com", "424242"), ("+14155550100", "abc 234")]
)
def test_a_reviewer_needs_no_message(
    to: str, code: str, settings: Settings, capfd: pytest.CaptureFixture[str]
) -> None:
    settings.set(**REVIEWERS)
    reply = send(to)
    assert (reply.status, sent_emails(), sent_sms()) == (200, [], [])
    assert Verification.get(reply.body["verification_id"]).test is True
    answer = check(reply.body["verification_id"], code).body
    assert (answer["valid"], answer["test"]) == (True, True)
    metrics = [json.loads(line) for line in capfd.readouterr().out.splitlines() if "_aws" in line]
    assert [line["TestDestinationUsed"] for line in metrics if "TestDestinationUsed" in line] == [
        [1.0]
    ]


def test_limits_hold_for_test_destinations(settings: Settings) -> None:
    settings.set(**REVIEWERS)
    send("review@example.com")
    assert send("review@example.com").status == 429


@pytest.mark.parametrize(
    "to", ["review+1@example.com", "xreview@example.com", "review@example.org"]
)
def test_the_list_is_exact(to: str, settings: Settings) -> None:
    settings.set(**REVIEWERS)
    send(to)
    assert len(sent_emails()) == 1


def test_after_the_last_day_it_is_a_destination_like_any_other(settings: Settings) -> None:
    settings.set(**REVIEWERS | {"TEST_DESTINATIONS_UNTIL": "2020-01-01"})
    reply = send("review@example.com")
    assert len(sent_emails()) == 1
    assert check(reply.body["verification_id"], "424242").body["valid"] is False


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"TEST_DESTINATIONS": "ana@gmail.com=424242"}, "may belong to somebody"),
        ({"TEST_DESTINATIONS": "+4915123456789=424242"}, "may belong to somebody"),
        ({"TEST_DESTINATIONS": "review@example.com=42"}, "needs a code of 6 to 10"),
        ({"TEST_DESTINATIONS": "review@example.com"}, "needs a code of 6 to 10"),
        ({"TEST_DESTINATIONS_UNTIL": ""}, "TEST_DESTINATIONS_UNTIL must be set"),
        ({"TEST_DESTINATIONS_UNTIL": "soon"}, "TEST_DESTINATIONS_UNTIL"),
    ],
)
def test_a_list_that_cannot_be_is_refused_at_init(
    changes: dict[str, str], sentence: str, settings: Settings
) -> None:
    settings.set(**REVIEWERS | changes)
    with pytest.raises(SettingsError, match=sentence):
        config.read(DestinationTestSettings)


def test_the_last_day_is_at_most_400_days_ahead(settings: Settings, clock: Clock) -> None:
    today = datetime.fromtimestamp(clock(), UTC).date()
    settings.set(**REVIEWERS | {"TEST_DESTINATIONS_UNTIL": str(today + timedelta(days=400))})
    assert send("review@example.com").status == 200
    assert sent_emails() == []
    settings.set(**REVIEWERS | {"TEST_DESTINATIONS_UNTIL": str(today + timedelta(days=401))})
    with pytest.raises(SettingsError, match=r"UNTIL may be 400 days ahead, today until \d{4}-"):
        config.read(DestinationTestSettings)
    assert send("review+2@example.com").status == 500


def test_somebodys_destination_can_be_allowed_explicitly(settings: Settings) -> None:
    settings.set(
        TEST_DESTINATIONS="qa@staging.company.com=424242",
        TEST_DESTINATIONS_UNTIL=REVIEWERS["TEST_DESTINATIONS_UNTIL"],
        TEST_DESTINATIONS_ANYWHERE="true",
    )
    assert send("qa@staging.company.com").status == 200
    assert sent_emails() == []
