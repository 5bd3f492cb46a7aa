import io
import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from functions.core.errors import TooSlow
from functions.core.verification.limits.sending import SendLimitRecord
from functions.core.verification.record import Verification
from tests import fakes
from tests.builders.codes import stands_in
from tests.builders.verifications import check, last_code, send
from tests.workflows.conftest import Clock, Settings, admin, sent_emails, sent_sms

pytestmark = pytest.mark.usefixtures("cloud")


def test_an_email_carries_the_code_and_the_answer_does_not() -> None:
    reply = send(purpose="sign_in")
    assert reply.status == 200
    assert last_code() not in json.dumps(reply.body)
    (mail,) = sent_emails()
    assert mail.source == "Our app <no-reply@example.com>"
    assert mail.destinations["ToAddresses"] == ["ana@example.com"]
    assert mail.subject == "Your sign-in code for Our app"
    stored = Verification.get(reply.body["verification_id"])
    assert (stored.channel, stored.to, stored.purpose) == ("email", "ana@example.com", "sign_in")


def test_an_email_address_is_one_account_in_any_case_and_gets_its_mail_as_typed() -> None:
    reply = send("Case.Test@Example.com")
    assert sent_emails()[0].destinations["ToAddresses"] == ["Case.Test@example.com"]
    assert Verification.get(reply.body["verification_id"]).to == "case.test@example.com"
    assert check(reply.body["verification_id"], last_code()).body["to"] == "case.test@example.com"


@pytest.mark.parametrize(
    "name", ["a.n.a@pm.me", "ana+x@protonmail.com", "a-n-a@proton.me", "A_NA@protonmail.ch"]
)
def test_all_names_of_a_mailbox_share_its_limits(name: str) -> None:
    assert send("ana@proton.me").status == 200
    assert send(name).status == 429


def test_a_phone_number_may_come_as_a_json_number() -> None:
    assert send(14155550123).body["to"] == "+*********23"
    assert sent_sms()[0][0] == "+14155550123"


@pytest.mark.parametrize("to", [1.4155550123e10, -14155550123, True])
def test_a_number_that_may_have_lost_digits_is_refused(to: object) -> None:
    reply = send(to)
    assert (reply.status, [error["pointer"] for error in reply.body["errors"]]) == (422, ["/to"])


@pytest.mark.parametrize(
    ("purpose", "subject"),
    [
        ("reset_password", "Your code to reset your password at Our app"),
        ("delete_account", "Your code to delete your account at Our app"),
    ],
)
def test_a_message_states_its_purpose(purpose: str, subject: str) -> None:
    sent = send(purpose=purpose)
    assert sent_emails()[0].subject == subject
    assert check(sent.body["verification_id"], last_code()).body["purpose"] == purpose


def test_a_purpose_without_sentences_is_refused_with_those_that_there_are() -> None:
    (error,) = send(purpose="export_data").body["errors"]
    assert error["pointer"] == "/purpose"
    assert error["detail"].startswith("must be one of: sign_up, sign_in, two_factor, ")
    assert sent_emails() == []


def test_the_answer_says_where_how_long_and_when_again() -> None:
    before = datetime.now(UTC).replace(microsecond=0)
    body = send().body
    assert (body["channel"], body["to"], body["code_length"]) == ("email", "a**@example.com", 6)
    assert re.fullmatch(r"k1\.d6[0-9A-Za-z_-]{22}", body["verification_id"])
    after = datetime.now(UTC)
    assert (
        before + timedelta(minutes=10)
        <= datetime.fromisoformat(body["expires_at"])
        <= after + timedelta(minutes=10)
    )
    assert (
        before + timedelta(seconds=60)
        <= datetime.fromisoformat(body["resend_at"])
        <= after + timedelta(seconds=61)
    )


def test_an_sms_carries_the_code() -> None:
    reply = send(channel="sms", to="+1 (415) 555-0123")
    assert (reply.status, reply.body["channel"], reply.body["to"]) == (200, "sms", "+*********23")
    ((number, text),) = sent_sms()
    assert number == "+14155550123"
    assert text == f"{last_code()} is your Our app code. Valid for 10 minutes. Do not share it."


@pytest.mark.parametrize(
    ("locale", "subject"),
    [("pt", "Seu código de verificação de Our app"), ("tlh", "Your verification code for Our app")],
)
def test_a_message_is_in_the_readers_language_if_there_is_one(locale: str, subject: str) -> None:
    assert send(locale=locale).status == 200
    assert sent_emails()[-1].subject == subject


def test_an_sms_is_in_the_readers_language() -> None:
    send(channel="sms", to="+14155550123", locale="de-AT", purpose="sign_in")
    assert sent_sms()[0][1].startswith(f"{last_code()} ist Ihr Code für die Anmeldung bei Our app.")


def test_longer_codes_are_sent_and_checked(settings: Settings) -> None:
    settings.set(CODE_LENGTH=8)
    reply = send(channel="sms", to="+14155550123")
    ((_, text),) = sent_sms()
    code = re.search(r"\b[0-9]{8}\b", text)
    assert code
    assert reply.body["code_length"] == 8
    answer = check(reply.body["verification_id"], f"{code[0][:4]}-{code[0][4:]}")
    assert answer.body["valid"] is True


@pytest.mark.parametrize("channel", ["whatsapp", "voice"])
def test_a_channel_that_is_off_is_refused_and_charges_nothing(channel: str) -> None:
    reply = send(channel=channel, to="+14155550123")
    assert (reply.status, reply.body["errors"][0]["pointer"]) == (422, "/channel")
    assert list(SendLimitRecord.scan()) == []


def test_the_code_is_stored_as_its_hmac_only() -> None:
    reply = send()
    raw = admin("dynamodb").scan(TableName="local-verifications")["Items"]
    assert not stands_in(last_code(), str(raw))
    assert check(reply.body["verification_id"], last_code()).body["valid"] is True


def test_the_deletion_is_scheduled_15_minutes_after_creation() -> None:
    reply = send()
    schedule = admin("scheduler").get_schedule(
        Name=reply.body["verification_id"], GroupName="verifications"
    )
    created = Verification.get(reply.body["verification_id"]).created_at
    at = datetime.strptime(schedule["ScheduleExpression"] + "+00:00", "at(%Y-%m-%dT%H:%M:%S)%z")
    assert timedelta(0) <= at - datetime.fromtimestamp(created + 900, UTC) < timedelta(seconds=1)
    assert schedule["ActionAfterCompletion"] == "DELETE"
    assert schedule["Target"]["DeadLetterConfig"]["Arn"].endswith(":dead-letters")
    assert json.loads(schedule["Target"]["Input"]) == {
        "trigger": "schedule",
        "parameters": {"verification_id": reply.body["verification_id"]},
    }


def test_a_send_goes_on_when_its_deletion_cannot_be_scheduled(
    settings: Settings, log: io.StringIO
) -> None:
    settings.set(SCHEDULE_GROUP="no-such-group")
    reply = send()
    assert reply.status == 200
    assert "deletion not scheduled; TTL will delete the verification" in log.getvalue()
    stored = Verification.get(reply.body["verification_id"])
    assert 0 <= stored.delete_at - (stored.created_at + 900) < 1


def test_a_second_send_to_a_destination_waits_for_the_cooldown() -> None:
    assert send().status == 200
    reply = send()
    assert (reply.status, reply.body["code"]) == (429, "limit_exceeded")
    assert 55 <= int(reply.headers["retry-after"]) <= 60
    assert reply.body["retry_after_seconds"] == int(reply.headers["retry-after"])
    assert len(sent_emails()) == 1


@pytest.mark.parametrize("same", ["ANA@example.com", "ana+2@example.com", "Ana+x@EXAMPLE.com"])
def test_other_spellings_of_a_mailbox_share_its_cooldown(same: str) -> None:
    send()
    assert send(to=same).status == 429


def test_another_destination_does_not_wait() -> None:
    send()
    assert send(to="bo@example.com").status == 200


def test_a_limits_key_names_no_destination_and_no_address() -> None:
    send(client_ip="192.0.2.77")
    send(channel="sms", to="+14155550123")
    keys = sorted(limit.limit_key for limit in SendLimitRecord.scan())
    assert [key for key in keys if "ana" in key or "4155550123" in key or "192.0.2" in key] == []
    assert sum(bool(re.fullmatch(r"destination#[0-9a-f]{64}", key)) for key in keys) == 2


def test_the_cooldown_opens_again_when_its_time_has_passed(clock: Clock) -> None:
    send()
    clock.advance(59)
    assert send().status == 429
    clock.advance(2)
    assert send().status == 200


def test_a_resend_carries_spent_attempts_over(clock: Clock) -> None:
    first = send().body["verification_id"]
    check(first, "000000")
    check(first, "000000")
    clock.advance(61)
    second = send(resend_of=first).body["verification_id"]
    assert check(second, "000000").body["attempts_left"] == 2


def test_a_send_without_resend_of_leaves_other_verifications_alone(clock: Clock) -> None:
    first, code = send().body["verification_id"], last_code()
    clock.advance(61)
    send()
    assert check(first, code).body["valid"] is True


def test_a_resend_of_an_exhausted_verification_is_refused_and_changes_nothing(clock: Clock) -> None:
    first = send().body["verification_id"]
    for _ in range(5):
        check(first, "000000")
    clock.advance(61)
    reply = send(resend_of=first)
    assert (reply.status, reply.body["code"]) == (409, "attempts_exhausted")
    assert len(sent_emails()) == 1
    assert send().status == 200


@pytest.mark.parametrize("resend_of", ["k1.unknown", "", None])
def test_a_resend_of_nothing_is_a_send(resend_of: str | None) -> None:
    assert send(resend_of=resend_of).status == 200


def test_a_resend_of_a_spent_verification_starts_afresh(clock: Clock) -> None:
    first = send().body["verification_id"]
    check(first, last_code())
    clock.advance(61)
    second = send(resend_of=first).body["verification_id"]
    assert check(second, "000000").body["attempts_left"] == 4


def test_a_resend_that_the_cooldown_refuses_leaves_the_old_code_valid() -> None:
    first, code = send().body["verification_id"], last_code()
    assert send(resend_of=first).status == 429
    assert check(first, code).body["valid"] is True


@pytest.mark.parametrize(
    ("parameters", "pointer"),
    [
        ({"to": "ana"}, "/to"),
        ({"to": ""}, "/to"),
        ({"to": None}, "/to"),
        ({"to": "x" * 400}, "/to"),
        ({"channel": "fax"}, "/channel"),
        ({"channel": "sms"}, "/to"),
        ({"purpose": "fun"}, "/purpose"),
        ({"channel": "sms", "to": "0151 23456789", "country": "Germany"}, "/country"),
        ({"channel": "sms", "to": "4155550123", "country": "XX"}, "/country"),
        ({"client_ip": "localhost"}, "/client_ip"),
        ({"resend_of": "x" * 65}, "/resend_of"),
        ({"locale": 5}, "/locale"),
        ({"code": "123456"}, "/code"),
    ],
)
def test_wrong_parameters_are_named_and_change_nothing(
    parameters: dict[str, Any], pointer: str
) -> None:
    reply = send(**({"channel": "email"} | parameters))
    assert (reply.status, [error["pointer"] for error in reply.body["errors"]]) == (422, [pointer])
    assert (list(Verification.scan()), list(SendLimitRecord.scan()), sent_emails()) == ([], [], [])


def test_a_send_is_2_dynamodb_requests(dynamodb_requests: list[str]) -> None:
    send()
    assert dynamodb_requests == ["BatchGetItem", "TransactWriteItems"]


def test_a_send_that_the_provider_refuses_is_3_dynamodb_requests(
    settings: Settings, dynamodb_requests: list[str]
) -> None:
    settings.set(EMAIL_FROM="unverified@example.org")
    assert send().status == 502
    assert dynamodb_requests == ["BatchGetItem", "TransactWriteItems", "TransactWriteItems"]


def nothing_remains() -> bool:
    return list(Verification.scan()) == []


def test_a_refusal_of_the_provider_is_a_502_and_opens_the_cooldown_again(
    settings: Settings,
) -> None:
    settings.set(EMAIL_FROM="unverified@example.org")
    reply = send()
    assert (reply.status, reply.body["code"]) == (502, "provider_refused")
    assert nothing_remains()
    settings.set(EMAIL_FROM="no-reply@example.com")
    assert send().status == 200


@pytest.mark.parametrize(
    ("script", "channel", "to"),
    [
        (fakes.answers(503, b"{}"), "email", "ana@example.com"),
        (
            fakes.answers(429, b"{}", **{"x-amzn-ErrorType": "TooManyRequestsException"}),
            "email",
            "ana@example.com",
        ),
        (
            fakes.answers(
                500, b"<ErrorResponse><Error><Code>InternalError</Code></Error></ErrorResponse>"
            ),
            "sms",
            "+14155550123",
        ),
    ],
)
def test_a_provider_that_fails_is_a_503_leaves_no_code_and_keeps_the_cooldown(
    script: fakes.Script, channel: str, to: str, settings: Settings, log: io.StringIO
) -> None:
    """It may have sent the message all the same, so the next send waits."""
    with fakes.server(script) as url:
        settings.set(AWS_ENDPOINT_URL_SESV2=url, AWS_ENDPOINT_URL_SNS=url)
        reply = send(channel=channel, to=to)
    assert (reply.status, reply.body["code"], reply.headers["retry-after"]) == (
        503,
        "provider_unavailable",
        "5",
    )
    assert nothing_remains()
    assert "provider failed" in log.getvalue()
    assert to not in log.getvalue()
    assert send(channel=channel, to=to).status == 429


def test_a_provider_that_cannot_be_reached_opens_the_cooldown_again(settings: Settings) -> None:
    settings.set(AWS_ENDPOINT_URL_SESV2=fakes.nobody())
    assert send().status == 503
    assert nothing_remains()
    settings.unset("AWS_ENDPOINT_URL_SESV2")
    assert send().status == 200


def test_a_provider_that_hangs_is_given_up_in_time(settings: Settings) -> None:
    with fakes.server(fakes.hangs) as url:
        settings.set(AWS_ENDPOINT_URL_SESV2=url, READ_TIMEOUT_SECONDS=0.1)
        assert send().status == 503
    assert nothing_remains()


def test_a_send_that_breaks_before_its_message_leaves_no_code(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("functions.core.messages.verification.render_email", None)
    assert send().status == 500
    assert nothing_remains()


def test_a_deadline_ends_a_send_also_while_its_schedule_is_made(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def too_slow(*_: object) -> None:
        raise TooSlow("The call took too long.")

    monkeypatch.setattr("functions.core.aws.scheduler.schedule_once", too_slow)
    assert (send().status, sent_emails()) == (504, [])


@pytest.mark.parametrize("service", ["DYNAMODB", "SECRETS_MANAGER"])
def test_without_its_tables_or_keys_a_send_is_a_503_and_sends_nothing(
    service: str, settings: Settings
) -> None:
    settings.set(**{f"AWS_ENDPOINT_URL_{service}": fakes.nobody()})
    reply = send()
    assert (reply.status, reply.body["code"]) == (503, "unavailable")
    assert sent_emails() == []


def test_neither_code_nor_destination_is_logged(log: io.StringIO) -> None:
    verification_id = send().body["verification_id"]
    check(verification_id, last_code())
    assert not stands_in(last_code(), log.getvalue())
    assert "ana@example.com" not in log.getvalue()


def test_sends_are_counted_by_channel(capfd: pytest.CaptureFixture[str]) -> None:
    send()
    metrics = [json.loads(line) for line in capfd.readouterr().out.splitlines() if "_aws" in line]
    assert [(line["VerificationSent"], line["channel"]) for line in metrics] == [([1.0], "email")]
