"""Test destinations: fixed codes for the reviewers of an app store."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from functions.core import config
from functions.core.config import SettingsError
from functions.core.verification.record import Verification
from functions.core.verification.test_destinations import DestinationTestSettings
from tests.builders import Reply
from tests.builders.verifications import check, send
from tests.workflows.conftest import Clock, Settings, sent_emails, sent_sms

pytestmark = pytest.mark.usefixtures("cloud")

TODAY = datetime.now(UTC).date()
REVIEWERS = {
    "TEST_DESTINATIONS": "review@example.com=424242,+14155550100=ABC234",
    "TEST_DESTINATIONS_UNTIL": str(TODAY + timedelta(days=30)),
}
REVIEW_CODES = {"review@example.com": "424242", "+14155550100": "ABC234"}


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


def refusal(reply: Reply) -> str:
    assert reply.status == 429, reply.body
    return reply.headers["ratelimit-policy"].split(";")[0].strip('"')


@pytest.mark.parametrize("to", ["review@example.com", "+14155550100"])
def test_a_servers_own_tests_wait_for_nothing_until_the_day_is_used_up(
    to: str, settings: Settings
) -> None:
    settings.set(**REVIEWERS)
    for number in range(10):
        reply = send(to)
        assert reply.status == 200, reply.body
        assert (reply.body["resend_in_seconds"] == 0) is (number < 9)
        assert check(reply.body["verification_id"], REVIEW_CODES[to]).body["valid"] is True
    assert refusal(send(to)) == "destination-day"


def test_a_resend_of_a_servers_own_test_waits_for_nothing_either(settings: Settings) -> None:
    settings.set(**REVIEWERS)
    first = send("review@example.com").body["verification_id"]
    replies = [send("review@example.com", resend_of=first) for _ in range(6)]
    assert [(each.status, each.body["verification_id"]) for each in replies] == [(200, first)] * 6


def test_all_limits_hold_for_strangers_at_test_destinations(settings: Settings) -> None:
    settings.set(**REVIEWERS)
    send("review@example.com")
    assert send("review@example.com", kind="publishable").status == 200
    assert refusal(send("review@example.com", kind="publishable")) == "cooldown"


def test_all_limits_hold_for_test_destinations_that_may_belong_to_somebody(
    settings: Settings,
) -> None:
    settings.set(
        TEST_DESTINATIONS="qa@staging.company.com=424242",
        TEST_DESTINATIONS_UNTIL=REVIEWERS["TEST_DESTINATIONS_UNTIL"],
        TEST_DESTINATIONS_ANYWHERE="true",
    )
    send("qa@staging.company.com")
    assert refusal(send("qa@staging.company.com")) == "cooldown"


@pytest.mark.parametrize(
    "changes", [{"TEST_DESTINATIONS_UNTIL": "2020-01-01"}, {"TEST_DESTINATIONS": ""}]
)
def test_an_address_of_nobody_that_is_no_test_destination_has_all_limits(
    changes: dict[str, str], settings: Settings
) -> None:
    settings.set(**REVIEWERS | changes)
    send("review@example.com")
    assert refusal(send("review@example.com")) == "cooldown"


def test_shared_ceilings_count_a_servers_own_tests(settings: Settings) -> None:
    settings.set(**REVIEWERS, EMAILS_PER_DAY=2)
    assert [send("review@example.com").status for _ in range(3)] == [200, 200, 429]


def test_a_servers_own_test_costs_no_request_more(
    settings: Settings, dynamodb_requests: list[str]
) -> None:
    settings.set(**REVIEWERS)
    for _ in range(3):
        dynamodb_requests.clear()
        send("review@example.com")
        assert dynamodb_requests == ["BatchGetItem", "TransactWriteItems"]


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
