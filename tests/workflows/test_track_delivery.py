"""track_delivery: reports of providers on messages, in any order and number."""

import io
from typing import Any

import pytest

from functions.core import aws
from functions.core.messages import email
from functions.core.runs import execution
from functions.core.runs.files import read_item
from functions.core.verification import delivery
from functions.core.verification.codes import id_of_tag, tag_of
from functions.core.verification.record import Verification
from functions.workflows.track_delivery.handler import lambda_handler as track_delivery
from tests import fakes
from tests.builders import call
from tests.builders.run_records import started_runs
from tests.builders.verifications import check, send, stored
from tests.workflows.conftest import Settings

pytestmark = pytest.mark.usefixtures("cloud")

MESSAGE = "m-1"


def sent(**changes: Any) -> str:
    return stored(**({"delivery": "sent", "message_id": MESSAGE} | changes))


def report(
    verification_id: str | None, status: str, provider: str = "ses", **about: Any
) -> dict[str, Any]:
    body = {
        "provider": provider,
        "status": status,
        "message_id": MESSAGE,
        "verification_id": verification_id,
    }
    reply = call(track_delivery, body | about)
    assert reply.status == 200, reply.body
    return reply.body


def recorded(verification_id: str) -> tuple[str | None, str | None]:
    found = Verification.get(verification_id)
    return found.delivery, found.delivery_reason


@pytest.mark.parametrize(
    ("provider", "status", "delivery_of_it"),
    [
        ("ses", "Delivery", "delivered"),
        ("ses", "Bounce", "failed"),
        ("ses", "Reject", "failed"),
        ("twilio", "delivered", "delivered"),
        ("twilio", "undelivered", "failed"),
        ("twilio", "failed", "failed"),
        ("twilio", "completed", "delivered"),
        ("twilio", "no-answer", "failed"),
    ],
)
def test_a_final_report_is_recorded(provider: str, status: str, delivery_of_it: str) -> None:
    verification_id = sent()
    assert report(verification_id, status, provider)["delivery"] == delivery_of_it
    assert recorded(verification_id)[0] == delivery_of_it


@pytest.mark.parametrize(
    ("provider", "status"), [("ses", "Complaint"), ("ses", "Open"), ("twilio", "queued")]
)
def test_a_report_that_is_not_final_records_nothing(provider: str, status: str) -> None:
    verification_id = sent()
    assert report(verification_id, status, provider) == {
        "delivery": None,
        "recorded": False,
        "run_id": None,
    }
    assert recorded(verification_id) == ("sent", None)


def test_why_it_failed_is_recorded() -> None:
    verification_id = sent()
    report(verification_id, "undelivered", "twilio", reason="30005")
    assert recorded(verification_id) == ("failed", "30005")


def test_a_report_that_comes_again_or_late_changes_nothing() -> None:
    verification_id = sent()
    assert [
        report(verification_id, status)["recorded"] for status in ("Bounce", "Bounce", "Delivery")
    ] == [
        True,
        False,
        False,
    ]
    assert delivery.record(verification_id, "sent", MESSAGE) is False
    assert recorded(verification_id)[0] == "failed"


def test_an_email_that_a_server_took_can_still_bounce() -> None:
    verification_id = sent()
    report(verification_id, "Delivery")
    assert report(verification_id, "Bounce", reason="Permanent/General")["recorded"] is True


def test_an_automatic_reply_does_not_undo_a_delivery() -> None:
    """SES reports it as a transient bounce."""
    verification_id = sent()
    report(verification_id, "Delivery")
    assert report(verification_id, "Bounce", reason="Transient/General")["recorded"] is False
    assert recorded(verification_id) == ("delivered", None)
    assert report(sent(), "Bounce", reason="Transient/MailboxFull")["recorded"] is True


def test_a_report_of_another_message_has_no_say() -> None:
    """The first of two providers may report a message that the second sent instead."""
    verification_id = sent()
    assert report(verification_id, "failed", "twilio", message_id="other")["recorded"] is False
    assert recorded(verification_id)[0] == "sent"


def test_the_message_that_was_taken_is_the_one_that_counts() -> None:
    """A first try got no answer. Its provider reports before the second try is recorded."""
    verification_id = stored()
    report(verification_id, "failed", "twilio", message_id="first", reason="30007")
    assert delivery.record(verification_id, "sent", "second") is True
    assert recorded(verification_id) == ("sent", None)
    assert report(verification_id, "delivered", "twilio", message_id="second")["recorded"] is True
    assert report(verification_id, "failed", "twilio", message_id="first")["recorded"] is False


def test_a_report_may_come_before_the_send_was_recorded() -> None:
    verification_id = stored()
    assert report(verification_id, "Delivery")["recorded"] is True
    assert delivery.record(verification_id, "sent", MESSAGE) is False


def test_a_report_of_a_verification_that_is_gone_makes_none() -> None:
    assert report("k1.gone", "Delivery")["recorded"] is False
    assert list(Verification.scan()) == []


def test_a_report_leaves_the_code_as_it_is() -> None:
    verification_id = sent()
    report(verification_id, "Delivery")
    assert check(verification_id).body["valid"] is True


def test_ses_names_the_verification_by_a_tag_without_a_dot() -> None:
    verification_id = sent(verification_id="k12.a-b_c-d")
    assert report(tag_of(verification_id), "Delivery")["recorded"] is True
    assert [id_of_tag(tag_of(each)) for each in ("k1.a-b", "k1.-a", "k12._")] == [
        "k1.a-b",
        "k1.-a",
        "k12._",
    ]


@pytest.mark.parametrize(
    ("status", "event"),
    [
        ("Bounce", "email.bounced"),
        ("Complaint", "email.complained"),
        ("Delivery", "email.delivered"),
    ],
)
def test_the_outcome_of_an_email_is_delivered_as_an_event(
    status: str, event: str, settings: Settings
) -> None:
    settings.set(EVENTS_URL="https://app.example.com/events")
    about = {"to": "ana@example.com", "template": "welcome", "reason": "Permanent"}
    run_id = report("k1-AAAA", status, **about, occurred_at="2026-11-24T12:00:00Z")["run_id"]
    begun, _ = execution.read(run_id)
    assert (begun.workflow, begun.token_id) == ("deliver_event", "0123456789abcdef")
    assert read_item(begun.items_key, begun.reference.start, begun.reference.length) == {
        "type": event,
        "occurred_at": "2026-11-24T12:00:00Z",
        "data": about | {"message_id": MESSAGE, "verification_id": "k1.AAAA"},
    }


def test_a_time_without_its_offset_is_refused() -> None:
    body = {
        "provider": "ses",
        "status": "Bounce",
        "message_id": MESSAGE,
        "occurred_at": "2026-11-24T12:00:00",
    }
    reply = call(track_delivery, body)
    assert (reply.status, reply.body["errors"][0]["pointer"]) == (422, "/occurred_at")


def test_no_run_is_started_for_sms_or_without_a_url_of_events(settings: Settings) -> None:
    report(None, "Bounce")
    settings.set(EVENTS_URL="https://app.example.com/events")
    report(None, "failed", "twilio")
    report(None, "delivery", "twilio")
    assert started_runs() == []


def test_a_database_that_is_away_is_a_503_so_that_the_report_is_tried_again(
    settings: Settings,
) -> None:
    settings.set(AWS_ENDPOINT_URL_DYNAMODB=fakes.nobody())
    body = {"provider": "ses", "status": "Bounce", "message_id": MESSAGE, "verification_id": "k1.x"}
    assert call(track_delivery, body).status == 503


# --- what verify_send leaves for it ---------------------------------------------------------------


def test_a_send_is_recorded_with_the_providers_id_where_that_is_wanted(settings: Settings) -> None:
    settings.set(RECORD_DELIVERY="true")
    reply = send()
    found = Verification.get(reply.body["verification_id"])
    assert (found.delivery, bool(found.message_id)) == ("sent", True)


def test_ses_is_told_of_which_verification_an_email_is_and_where_its_events_go(
    settings: Settings,
) -> None:
    asked: list[dict[str, Any]] = []
    settings.set(EMAIL_CONFIGURATION_SET="code-emails")
    email.prepare()
    aws.client("sesv2", attempts=1).meta.events.register(
        "provide-client-params.sesv2.SendEmail", lambda params, **_: asked.append(params)
    )
    reply = send()
    tags = [{"Name": "verification_id", "Value": tag_of(reply.body["verification_id"])}]
    assert (asked[0]["EmailTags"], asked[0]["ConfigurationSetName"]) == (tags, "code-emails")


def test_by_default_a_send_costs_no_write_more(dynamodb_requests: list[str]) -> None:
    reply = send()
    assert Verification.get(reply.body["verification_id"]).delivery is None
    assert "UpdateItem" not in dynamodb_requests


def test_a_code_that_was_sent_stays_valid_although_that_could_not_be_recorded(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object) -> bool:
        raise OSError("the network is away")

    settings.set(RECORD_DELIVERY="true")
    monkeypatch.setattr(delivery, "record", away)
    reply = send()
    assert reply.status == 200
    assert Verification.get(reply.body["verification_id"]).delivery is None


@pytest.mark.parametrize(
    ("reason", "told"),
    [
        ("Permanent/OnAccountSuppressionList", True),
        ("Permanent/Suppressed", True),
        ("Permanent/General", False),
        ("Transient/General", False),
    ],
)
def test_the_log_says_why_ses_sent_nothing_and_names_no_address(
    reason: str, *, told: bool, log: io.StringIO
) -> None:
    verification_id = sent()
    report(verification_id, "Bounce", reason=reason, to="ana@example.com")
    lines = [line for line in log.getvalue().splitlines() if "suppression list" in line]
    assert [verification_id in line and reason in line for line in lines] == [True] * told
    assert "ana@" not in log.getvalue()
    assert recorded(verification_id) == ("failed", reason)
