"""Resends: the same code of the same verification, or a new one in its place."""

import io
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from functions.core.aws import scheduler
from functions.core.verification.issuing import issue
from functions.core.verification.limits.send_history import SendHistory
from functions.core.verification.limits.sending import SendLimitRecord
from functions.core.verification.record import Verification
from functions.workflows.track_delivery.handler import lambda_handler as track_delivery
from infra.local import twilio
from infra.local.stand_ins import running_stand_ins
from tests import fakes
from tests.builders import call
from tests.builders.verifications import check, end, guess, last_code, send, stored
from tests.workflows.conftest import Clock, Settings, admin, sent_emails, sent_sms

pytestmark = pytest.mark.usefixtures("cloud")

PHONE = "+14155550123"
UNTIL = str(datetime.now(UTC).date() + timedelta(days=30))
"""Last day of test destinations."""


def the_history() -> SendHistory:
    (history,) = [limit.read_history() for limit in SendLimitRecord.scan() if limit.history]
    return history


def record_of(verification_id: str) -> dict[str, Any]:
    return dict(Verification.get(verification_id).attribute_values)


@pytest.fixture
def all_channels(cloud: None, settings: Settings) -> Iterator[list[dict[str, Any]]]:  # noqa: ARG001 - is there first
    """WhatsApp messages and calls that the stand-in of Twilio accepted."""
    taken: list[dict[str, Any]] = []
    secret = admin("secretsmanager").create_secret(
        Name="twilio", SecretString=json.dumps(twilio.SECRET)
    )
    with running_stand_ins(taken.append) as url:
        settings.set(TWILIO_SECRET=secret["ARN"], TWILIO_URL=url, TWILIO_CHANNELS="whatsapp,voice")
        yield taken


# --- the same code --------------------------------------------------------------------------------


def test_a_resend_sends_the_same_code_of_the_same_verification(clock: Clock) -> None:
    first, code = send().body, last_code()
    before = record_of(first["verification_id"])
    clock.advance(61)
    again = send(resend_of=first["verification_id"])
    assert again.status == 200
    assert (again.body["verification_id"], last_code()) == (first["verification_id"], code)
    assert again.body["expires_at"] == first["expires_at"]
    assert len(sent_emails()) == 2
    assert record_of(first["verification_id"]) == before
    assert check(first["verification_id"], code).body["valid"] is True


def test_a_code_that_was_sent_twice_is_valid_once(clock: Clock) -> None:
    verification_id, code = send().body["verification_id"], last_code()
    clock.advance(61)
    send(resend_of=verification_id)
    assert [check(verification_id, code).body["valid"] for _ in range(2)] == [True, False]


def test_the_message_says_the_minutes_that_are_left(clock: Clock) -> None:
    verification_id = send(PHONE).body["verification_id"]
    clock.advance(61)
    send(PHONE, resend_of=verification_id)
    texts = [text for _, text in sent_sms()]
    assert ["10 minutes" in texts[0], "8 minutes" in texts[1]] == [True, True]


def test_the_answer_says_the_seconds_that_are_left(clock: Clock) -> None:
    first = send().body
    clock.advance(61)
    again = send(resend_of=first["verification_id"]).body
    assert (first["expires_in_seconds"], first["resend_in_seconds"]) == (599, 60)
    assert (again["expires_in_seconds"], again["resend_in_seconds"]) == (538, 120)


def test_a_resend_is_charged_and_reserves_no_attempts(clock: Clock) -> None:
    verification_id = send().body["verification_id"]
    clock.advance(61)
    send(resend_of=verification_id)
    assert (len(the_history().sends), the_history().reserved) == (2, 5)
    shards = [each for each in SendLimitRecord.scan() if each.limit_key.startswith("channel#")]
    assert sum(int(each.used or 0) for each in shards) == 2
    assert send(resend_of=verification_id).status == 429


def test_a_resend_makes_no_second_schedule(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    make = scheduler.schedule_once

    def schedule_once(name: str, *about: Any) -> None:
        asked.append(name)
        make(name, *about)

    monkeypatch.setattr(scheduler, "schedule_once", schedule_once)
    verification_id = send().body["verification_id"]
    clock.advance(61)
    send(resend_of=verification_id)
    assert asked == [verification_id]


def test_a_verification_of_several_sends_is_settled_once(clock: Clock) -> None:
    verification_id = send().body["verification_id"]
    guess(verification_id)
    clock.advance(61)
    send(resend_of=verification_id)
    guess(verification_id)
    end(verification_id)
    end(verification_id)
    assert (the_history().failures, the_history().reserved) == (2, 0)


def test_a_verification_of_several_sends_is_one_for_the_pumping_of_its_country(
    clock: Clock,
) -> None:
    verification_id = send(PHONE, kind="publishable").body["verification_id"]
    clock.advance(61)
    send(PHONE, kind="publishable", resend_of=verification_id)
    end(verification_id)
    counted = [each for each in SendLimitRecord.scan() if each.limit_key.startswith("sms-pumping")]
    assert [(each.used, len(each.failed_marks or ())) for each in counted] == [(1, 1)]


def test_a_resend_may_go_to_another_channel_of_the_number(
    all_channels: list[dict[str, Any]],
) -> None:
    """No cooldown holds between two channels."""
    verification_id, code = send(PHONE).body["verification_id"], last_code()
    again = send(PHONE, channel="whatsapp", resend_of=verification_id)
    assert (again.status, again.body["channel"]) == (200, "whatsapp")
    assert again.body["verification_id"] == verification_id
    ((channel, text),) = [(each["channel"], each["text"]) for each in all_channels]
    assert (channel, code in text) == ("whatsapp", True)
    answer = check(verification_id, code).body
    assert (answer["valid"], answer["channel"]) == (True, "whatsapp")


def test_purpose_and_nonce_are_those_of_the_first_send(clock: Clock) -> None:
    verification_id = send(purpose="sign_in", nonce="n-1").body["verification_id"]
    clock.advance(61)
    assert send(resend_of=verification_id).status == 200
    assert {mail.subject for mail in sent_emails()} == {"Your sign-in code for Our app"}
    clock.advance(121)
    again = send(resend_of=verification_id, purpose="sign_in", nonce="n-1")
    assert again.body["verification_id"] == verification_id
    found = Verification.get(verification_id)
    assert (found.purpose, found.nonce) == ("sign_in", "n-1")


@pytest.mark.parametrize(
    ("other", "pointers"),
    [
        ({"purpose": "sign_up"}, ["/purpose"]),
        ({"nonce": "n-2"}, ["/nonce"]),
        ({"purpose": "sign_up", "nonce": "n-2"}, ["/purpose", "/nonce"]),
    ],
)
def test_another_purpose_or_nonce_is_a_422_and_changes_nothing(
    other: dict[str, str], pointers: list[str], clock: Clock
) -> None:
    verification_id, code = (
        send(purpose="sign_in", nonce="n-1").body["verification_id"],
        last_code(),
    )
    clock.advance(61)
    reply = send(resend_of=verification_id, **other)
    assert (reply.status, [each["pointer"] for each in reply.body["errors"]]) == (422, pointers)
    assert (len(the_history().sends), len(sent_emails())) == (1, 1)
    assert check(verification_id, code).body["valid"] is True


def test_a_purpose_that_the_first_send_had_not_is_another_one(clock: Clock) -> None:
    verification_id = send().body["verification_id"]
    clock.advance(61)
    assert send(resend_of=verification_id, purpose="sign_in").status == 422


def test_a_test_destinations_code_is_sent_again_too(settings: Settings, clock: Clock) -> None:
    settings.set(TEST_DESTINATIONS="review@example.com=REVIEW10", TEST_DESTINATIONS_UNTIL=UNTIL)
    verification_id = send("review@example.com").body["verification_id"]
    clock.advance(61)
    again = send("review@example.com", resend_of=verification_id)
    assert again.body["verification_id"] == verification_id
    assert check(verification_id, "review10").body["valid"] is True


# --- a new verification instead -------------------------------------------------------------------


def replaced(first: str, **resend: Any) -> str:
    """Sends again and returns the new verification's id; the first one must be gone."""
    again = send(**resend, resend_of=first)
    assert again.status == 200
    assert again.body["verification_id"] != first
    return str(again.body["verification_id"])


@pytest.mark.parametrize(("after", "same"), [(479, True), (481, False)])
def test_two_minutes_of_validity_must_be_left(after: int, same: bool, clock: Clock) -> None:  # noqa: FBT001 - a case
    first, code = send().body["verification_id"], last_code()
    clock.advance(after)
    again = send(resend_of=first).body["verification_id"]
    assert (again == first, last_code() == code) == (same, same)
    assert check(first, code).body["valid"] is same


@pytest.mark.parametrize(("after", "same"), [(59, True), (61, False)])
def test_half_of_a_short_validity_must_be_left(
    after: int,
    same: bool,  # noqa: FBT001 - a case
    clock: Clock,
    settings: Settings,
) -> None:
    settings.set(CODE_VALID_SECONDS=120, RESEND_AFTER_SECONDS=10)
    first = send().body["verification_id"]
    clock.advance(after)
    assert (send(resend_of=first).body["verification_id"] == first) is same


def test_a_late_resend_replaces_the_code_and_goes_on_with_the_rest(clock: Clock) -> None:
    first, code = send(purpose="sign_in", nonce="n-1").body["verification_id"], last_code()
    guess(first)
    clock.advance(500)
    second = replaced(first)
    assert check(first, code).body["valid"] is False
    found = Verification.get(second)
    assert (found.attempts, found.purpose, found.nonce) == (1, "sign_in", "n-1")
    assert check(second, last_code()).body["valid"] is True


def test_a_spent_verification_is_replaced_without_purpose_or_nonce_of_its_own() -> None:
    """Its proof has used up the nonce. Nor does its cooldown hold."""
    first = send(purpose="sign_in", nonce="n-1").body["verification_id"]
    check(first, last_code())
    found = Verification.get(replaced(first))
    assert (found.attempts, str(found.purpose), str(found.nonce)) == (0, "None", "None")


def test_an_expired_verification_is_replaced(clock: Clock) -> None:
    first = send().body["verification_id"]
    clock.advance(601)
    assert check(replaced(first), last_code()).body["valid"] is True


def test_a_record_of_an_earlier_release_is_checked_and_replaced(clock: Clock) -> None:
    first = send().body["verification_id"]
    Verification(first).update([Verification.salt.remove()])
    assert guess(first).body["attempts_left"] == 4
    clock.advance(61)
    second = replaced(first)
    assert check(second, last_code()).body["attempts_left"] == 3


def test_a_record_without_salt_is_checked_as_ever() -> None:
    assert check(stored()).body["valid"] is True


def test_another_address_of_the_same_mailbox_never_gets_the_code(clock: Clock) -> None:
    """Where + is part of a name, the two have two owners; one limit counts them all the same."""
    spelled = "ana+x@example.com"
    first, code = send().body["verification_id"], last_code()
    guess(first)
    clock.advance(61)
    second = replaced(first, to=spelled)
    assert last_code() != code
    assert check(first, code).body["valid"] is False
    answer = check(second, last_code()).body
    assert (answer["to"], answer["attempts_left"]) == (spelled, 3)


def test_an_address_in_another_case_is_the_same_account_and_gets_its_mail_as_typed(
    clock: Clock,
) -> None:
    first, code = send("Case.Test@example.com").body["verification_id"], last_code()
    clock.advance(61)
    again = send("case.TEST@Example.com", resend_of=first)
    assert (again.body["verification_id"], last_code()) == (first, code)
    assert [mail.destinations["ToAddresses"] for mail in sent_emails()] == [
        ["Case.Test@example.com"],
        ["case.TEST@example.com"],
    ]
    assert check(first, code).body["to"] == "case.test@example.com"


def test_a_record_of_an_earlier_release_keeps_the_address_as_typed(clock: Clock) -> None:
    first = send("Case.Test@example.com").body["verification_id"]
    Verification(first).update([Verification.to.set("Case.Test@example.com")])
    clock.advance(61)
    second = replaced(first, to="Case.Test@example.com")
    assert check(second, last_code()).body["to"] == "case.test@example.com"


def test_a_code_whose_key_is_gone_is_replaced(clock: Clock, settings: Settings) -> None:
    first = send().body["verification_id"]
    clock.advance(61)
    keys = json.dumps({"current": "k4", "k4": "d" * 64})
    admin("secretsmanager").put_secret_value(SecretId="code-keys", SecretString=keys)
    settings.set(STAGE="dev")
    assert check(replaced(first), last_code()).body["valid"] is True


def test_a_code_of_the_key_before_is_sent_again(clock: Clock, settings: Settings) -> None:
    first, code = send().body["verification_id"], last_code()
    clock.advance(61)
    keys = json.dumps({"current": "k2", "k1": "a" * 64, "k2": "d" * 64})
    admin("secretsmanager").put_secret_value(SecretId="code-keys", SecretString=keys)
    settings.set(STAGE="dev")
    assert send(resend_of=first).body["verification_id"] == first
    assert last_code() == code


def test_a_test_destination_whose_code_has_changed_gets_a_new_verification(
    settings: Settings, clock: Clock
) -> None:
    settings.set(TEST_DESTINATIONS="review@example.com=424242", TEST_DESTINATIONS_UNTIL=UNTIL)
    first = send("review@example.com").body["verification_id"]
    settings.set(TEST_DESTINATIONS="review@example.com=434343")
    clock.advance(61)
    assert check(replaced(first, to="review@example.com"), "434343").body["valid"] is True


# --- others in the way ----------------------------------------------------------------------------


def meanwhile(monkeypatch: pytest.MonkeyPatch, do: Any) -> None:
    """Does something once between a send's read and its write."""
    write = issue._write
    done: list[bool] = []

    def interleaved(*arguments: Any) -> None:
        if not done:
            done.append(True)
            do()
        write(*arguments)

    monkeypatch.setattr(issue, "_write", interleaved)


def test_a_resend_never_revives_a_code_that_is_spent_meanwhile(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, code = send().body["verification_id"], last_code()
    clock.advance(61)
    meanwhile(monkeypatch, lambda: check(first, code))
    second = send(resend_of=first).body["verification_id"]
    assert second != first
    assert check(first, code).body["valid"] is False
    assert last_code() != code


def test_a_resend_of_a_code_that_is_exhausted_meanwhile_is_a_409(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = send().body["verification_id"]
    clock.advance(61)
    meanwhile(monkeypatch, lambda: [guess(first) for _ in range(5)])
    assert send(resend_of=first).body["code"] == "attempts_exhausted"
    assert len(sent_emails()) == 1


def test_a_wrong_guess_meanwhile_is_charged_and_the_code_is_sent(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = send().body["verification_id"]
    clock.advance(61)
    meanwhile(monkeypatch, lambda: guess(first))
    assert send(resend_of=first).body["verification_id"] == first
    assert check(first, last_code()).body["attempts_left"] == 3


def test_a_resend_of_what_is_deleted_meanwhile_is_a_send(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = send().body["verification_id"]
    clock.advance(61)
    meanwhile(monkeypatch, lambda: end(first))
    assert check(replaced(first), last_code()).body["valid"] is True


# --- a resend that fails --------------------------------------------------------------------------


def test_a_resend_that_nobody_got_takes_back_its_send_only(
    clock: Clock, settings: Settings
) -> None:
    first, code = send().body["verification_id"], last_code()
    guess(first)
    before, history = record_of(first), the_history()
    clock.advance(61)
    settings.set(AWS_ENDPOINT_URL_SESV2=fakes.nobody())
    assert send(resend_of=first).status == 503
    assert (record_of(first), the_history()) == (before, history)
    settings.unset("AWS_ENDPOINT_URL_SESV2")
    assert send(resend_of=first).status == 200
    answer = check(first, code).body
    assert (answer["valid"], answer["attempts_left"]) == (True, 3)


def test_a_resend_that_may_have_been_sent_keeps_its_send_and_the_code(
    clock: Clock, settings: Settings
) -> None:
    first, code = send().body["verification_id"], last_code()
    clock.advance(61)
    with fakes.server(fakes.answers(503, b"{}")) as url:
        settings.set(AWS_ENDPOINT_URL_SESV2=url)
        assert send(resend_of=first).status == 503
    assert len(the_history().sends) == 2
    assert check(first, code).body["valid"] is True


@pytest.mark.usefixtures("all_channels")
@pytest.mark.parametrize("nothing_sent", [True, False])
def test_a_resend_that_fails_restores_the_channel(
    nothing_sent: bool,  # noqa: FBT001 - a case
    settings: Settings,
    dynamodb_requests: list[str],
) -> None:
    first, code = send(PHONE).body["verification_id"], last_code()
    before = record_of(first)
    dynamodb_requests.clear()
    with fakes.server(fakes.answers(500, b"{}")) as url:
        settings.set(TWILIO_URL=fakes.nobody() if nothing_sent else url)
        assert send(PHONE, channel="voice", resend_of=first).status == 503
    assert dynamodb_requests == ["BatchGetItem", "TransactWriteItems", "TransactWriteItems"]
    assert record_of(first) == before
    assert len(the_history().sends) == (1 if nothing_sent else 2)
    assert check(first, code).body["channel"] == "sms"


@pytest.mark.usefixtures("all_channels")
@pytest.mark.parametrize("what", ["checked", "deleted"])
def test_a_resend_that_fails_meets_a_verification_that_has_ended(
    what: str, log: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, code = send(PHONE).body["verification_id"], last_code()

    def fails(*_: object) -> None:
        if what == "checked":
            assert check(first, code).body["valid"] is True
        else:
            end(first)
        raise RuntimeError("broken")

    monkeypatch.setattr("functions.core.messages.channels.call_with_code", fails)
    assert send(PHONE, channel="voice", resend_of=first).status == 500
    assert "failed send not undone" not in log.getvalue()
    assert check(first, code).body["valid"] is False


# --- requests -------------------------------------------------------------------------------------


def test_a_resend_is_2_requests_and_3_where_a_valid_check_ends_the_cooldown(
    clock: Clock, dynamodb_requests: list[str]
) -> None:
    first = send().body["verification_id"]
    clock.advance(61)
    dynamodb_requests.clear()
    assert send(resend_of=first).status == 200
    assert dynamodb_requests == ["BatchGetItem", "TransactWriteItems"]
    check(first, last_code())
    dynamodb_requests.clear()
    assert send().status == 200
    assert dynamodb_requests == ["BatchGetItem", "BatchGetItem", "TransactWriteItems"]


def test_no_send_is_more_than_4_requests(
    clock: Clock, settings: Settings, dynamodb_requests: list[str]
) -> None:
    """A resend whose cooldown another verification ends, and that then fails."""
    first = send().body["verification_id"]
    clock.advance(61)
    second = send().body["verification_id"]
    check(second, last_code())
    settings.set(EMAIL_FROM="unverified@example.org")
    dynamodb_requests.clear()
    assert send(resend_of=first).status == 502
    assert dynamodb_requests == [
        *("BatchGetItem", "BatchGetItem"),
        *("TransactWriteItems", "TransactWriteItems"),
    ]


# --- delivery -------------------------------------------------------------------------------------


def test_the_last_message_is_the_one_whose_delivery_is_known(
    clock: Clock, settings: Settings
) -> None:
    settings.set(RECORD_DELIVERY="true")
    first = send().body["verification_id"]
    earlier = Verification.get(first).message_id
    report = {"provider": "ses", "message_id": earlier, "verification_id": first}
    assert call(track_delivery, report | {"status": "Bounce"}).body["recorded"] is True
    clock.advance(61)
    send(resend_of=first)
    found = Verification.get(first)
    assert (found.delivery, found.message_id != earlier) == ("sent", True)
    assert call(track_delivery, report | {"status": "Delivery"}).body["recorded"] is False
    last = report | {"message_id": found.message_id}
    assert call(track_delivery, last | {"status": "Delivery"}).body["recorded"] is True


def test_a_resend_that_fails_leaves_what_is_known_of_the_first_message(
    clock: Clock, settings: Settings
) -> None:
    settings.set(RECORD_DELIVERY="true")
    first = send().body["verification_id"]
    before = record_of(first)
    clock.advance(61)
    settings.set(AWS_ENDPOINT_URL_SESV2=fakes.nobody())
    send(resend_of=first)
    assert record_of(first) == before


def test_waiting_until_resend_at_suffices(clock: Clock) -> None:
    resend_at = datetime.fromisoformat(send().body["resend_at"])
    clock.advance(resend_at.timestamp() - clock())
    assert send().status == 200


def test_waiting_for_resend_in_seconds_suffices(clock: Clock) -> None:
    clock.advance(send().body["resend_in_seconds"])
    assert send().status == 200


def test_a_code_is_valid_for_expires_in_seconds(clock: Clock) -> None:
    sent = send().body
    clock.advance(sent["expires_in_seconds"] - 1)
    assert check(sent["verification_id"], last_code()).body["valid"] is True
