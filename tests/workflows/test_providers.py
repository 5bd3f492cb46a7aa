"""SMS through real clients (Twilio's SDK, botocore).

The servers are the local stack's stand-ins, and failing ones.
"""

import io
import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl

import pytest

from functions.core import aws, config
from functions.core.config import SettingsError
from functions.core.deadline import HTTP_SECONDS
from functions.core.errors import InvalidParameters, ProviderRefused, ProviderUnavailable
from functions.core.messages import channels, sms
from functions.core.messages.providers import twilio_client
from functions.core.messages.providers.twilio import spoken
from functions.core.messages.providers.twilio_account import read_account
from infra.local import end_user_messaging, twilio
from infra.local.stand_ins import running_stand_ins
from tests import fakes
from tests.builders.verifications import send
from tests.workflows.conftest import Settings, admin, sent_sms

pytestmark = [pytest.mark.usefixtures("cloud"), pytest.mark.slow]

TO, TEXT = "+14155550123", "918273 is your code."
AWS_URLS = {
    "end_user_messaging": "AWS_ENDPOINT_URL_PINPOINT_SMS_VOICE_V2",
    "sns": "AWS_ENDPOINT_URL_SNS",
}
ORDERS = ["end_user_messaging", "sns", "twilio"]


@pytest.fixture
def inbox(cloud: None, settings: Settings) -> Iterator[list[dict[str, Any]]]:  # noqa: ARG001 - is there first
    """Messages that the stand-ins of Twilio and End User Messaging accepted."""
    taken: list[dict[str, Any]] = []
    with running_stand_ins(taken.append) as url:
        settings.set(
            TWILIO_SECRET=admin("secretsmanager").create_secret(
                Name="twilio", SecretString=account()
            )["ARN"],
            TWILIO_URL=url,
            AWS_ENDPOINT_URL_PINPOINT_SMS_VOICE_V2=url,
            END_USER_MESSAGING_ORIGINATION=end_user_messaging.ORIGINATION,
        )
        yield taken


def account(**changes: str) -> str:
    return json.dumps(twilio.SECRET | changes)


def put_account(text: str) -> None:
    admin("secretsmanager").put_secret_value(SecretId="twilio", SecretString=text)


def point(settings: Settings, provider: str, url: str) -> None:
    settings.set(**{AWS_URLS.get(provider, "TWILIO_URL"): url})


def twilio_error(status: int, code: int) -> fakes.Script:
    about = {"code": code, "message": f"{TO} got {TEXT}", "more_info": "", "status": status}
    return fakes.answers(status, json.dumps(about).encode(), content_type="application/json")


def aws_error(kind: str, status: int = 400, **about: Any) -> fakes.Script:
    body = {"__type": kind, "Message": f"{TO} got {TEXT}"} | about
    return fakes.answers(
        status, json.dumps(body).encode(), content_type="application/x-amz-json-1.0"
    )


SNS_REFUSES = (
    f"<E><Error><Code>InvalidParameter</Code><Message>{TO} got {TEXT}</Message></Error></E>"
).encode()


def counted(capfd: pytest.CaptureFixture[str]) -> list[tuple[str, str]]:
    """Provider and kind of each counted failure."""
    metrics = [json.loads(line) for line in capfd.readouterr().out.splitlines() if "_aws" in line]
    return [(line["provider"], line["kind"]) for line in metrics if "ProviderFailed" in line]


# --- each provider takes a message ----------------------------------------------------------------


@pytest.mark.parametrize("provider", ["end_user_messaging", "twilio"])
def test_a_message_reaches_the_phone_through_the_configured_provider(
    provider: str, settings: Settings, inbox: list[dict[str, Any]]
) -> None:
    settings.set(SMS_PROVIDERS=provider)
    sent = sms.send_sms(TO, TEXT)
    assert (sent.provider, bool(sent.message_id)) == (provider, True)
    assert [(each["channel"], each["to"], each["text"]) for each in inbox] == [("sms", TO, TEXT)]
    assert sent_sms() == []


def test_sns_is_the_provider_when_nothing_is_set() -> None:
    assert sms.send_sms(TO, TEXT).provider == "sns"
    assert sent_sms() == [(TO, TEXT)]


@pytest.mark.usefixtures("inbox")
def test_end_user_messaging_gets_a_transactional_message_that_does_not_outlive_the_code(
    settings: Settings,
) -> None:
    asked: list[dict[str, Any]] = []

    def script(request: Any, body: bytes) -> None:
        asked.append(json.loads(body))
        fakes.answers(200, b'{"MessageId": "m1"}')(request, body)

    with fakes.server(script) as url:
        settings.set(
            SMS_PROVIDERS="end_user_messaging", END_USER_MESSAGING_CONFIGURATION_SET="events"
        )
        point(settings, "end_user_messaging", url)
        assert sms.send_sms(TO, TEXT) == ("end_user_messaging", "m1")
    expected = {
        "DestinationPhoneNumber": TO,
        "OriginationIdentity": end_user_messaging.ORIGINATION,
        "MessageBody": TEXT,
        "MessageType": "TRANSACTIONAL",
        "ConfigurationSetName": "events",
        "TimeToLive": 600,
    }
    assert asked == [expected]


def test_twilio_sends_from_the_messaging_service_when_there_is_one(
    settings: Settings, inbox: list[dict[str, Any]]
) -> None:
    put_account(account(messaging_service_sid="MG1"))
    settings.set(SMS_PROVIDERS="twilio")
    sms.send_sms(TO, TEXT)
    assert inbox[0]["from"] == "MG1"


# --- refused: the next provider is not tried ------------------------------------------------------


@pytest.mark.parametrize(
    "to", ["+15005550001", "+15005550002", "+15005550003", "+15005550004", "+15005550009"]
)
def test_a_number_that_twilio_refuses_is_refused_and_no_other_provider_is_tried(
    to: str, settings: Settings, inbox: list[dict[str, Any]], capfd: pytest.CaptureFixture[str]
) -> None:
    settings.set(SMS_PROVIDERS="twilio,sns")
    with pytest.raises(ProviderRefused) as caught:
        sms.send_sms(to, TEXT)
    assert (caught.value.detail, caught.value.nothing_sent) == (
        "The provider refused to send this message.",
        True,
    )
    assert counted(capfd) == [("twilio", "refused")]
    assert (inbox, sent_sms()) == ([], [])


def outcome(settings: Settings, provider: str, script: fakes.Script) -> str:
    """Result of a send when a provider answers like this and SNS is next."""
    with fakes.server(script) as url:
        settings.set(SMS_PROVIDERS=f"{provider},sns")
        point(settings, provider, url)
        try:
            return sms.send_sms(TO, TEXT).provider
        except ProviderRefused:
            return "refused"


@pytest.mark.usefixtures("inbox")
def test_each_of_twilios_codes_about_the_destination_is_a_refusal(settings: Settings) -> None:
    codes = [
        21211,
        21214,
        21215,
        21216,
        21217,
        21265,
        21408,
        21610,
        21612,
        21614,
        21617,
        21635,
        30450,
        63003,
        63014,
        63024,
    ]
    assert {
        code: outcome(settings, "twilio", twilio_error(400, code)) for code in codes
    } == dict.fromkeys(codes, "refused")


@pytest.mark.usefixtures("inbox")
def test_each_of_twilios_codes_about_the_account_lets_the_next_provider_send(
    settings: Settings,
) -> None:
    codes = [20003, 20404, 21212, 21606, 21608, 21611, 21659, 21660, 30001, 30002, 99999]
    assert {
        code: outcome(settings, "twilio", twilio_error(400, code)) for code in codes
    } == dict.fromkeys(codes, "sns")


@pytest.mark.usefixtures("inbox")
@pytest.mark.parametrize("to", ["+15005550004", "4155550123"])
def test_a_number_that_end_user_messaging_refuses_is_refused(to: str, settings: Settings) -> None:
    settings.set(SMS_PROVIDERS="end_user_messaging,sns")
    with pytest.raises(ProviderRefused):
        sms.send_sms(to, TEXT)
    assert sent_sms() == []


@pytest.mark.usefixtures("inbox")
def test_each_reason_of_end_user_messaging_about_the_destination_is_a_refusal(
    settings: Settings,
) -> None:
    conflict, invalid = "ConflictException", "ValidationException"
    reasons = {
        "DESTINATION_COUNTRY_BLOCKED_BY_PROTECT_CONFIGURATION": conflict,
        "DESTINATION_PHONE_NUMBER_BLOCKED_BY_PROTECT_NUMBER_OVERRIDE": conflict,
        "DESTINATION_PHONE_NUMBER_OPTED_OUT": conflict,
        "COUNTRY_NOT_ENABLED": invalid,
        "DESTINATION_COUNTRY_BLOCKED": invalid,
    }
    scripts = {reason: aws_error(kind, Reason=reason) for reason, kind in reasons.items()}
    found = {
        reason: outcome(settings, "end_user_messaging", script)
        for reason, script in scripts.items()
    }
    assert found == dict.fromkeys(reasons, "refused")


@pytest.mark.usefixtures("inbox")
@pytest.mark.parametrize("earlier", ["out of reach", "no answer"])
def test_a_refusal_does_not_prove_that_nothing_was_sent_when_an_earlier_provider_may_have(
    earlier: str, settings: Settings
) -> None:
    settings.set(SMS_PROVIDERS="end_user_messaging,twilio", READ_TIMEOUT_SECONDS=0.1)
    with fakes.server(fakes.hangs) as url:
        point(settings, "end_user_messaging", url if earlier == "no answer" else fakes.nobody())
        with pytest.raises(ProviderRefused) as caught:
            sms.send_sms("+15005550004", TEXT)
    assert caught.value.nothing_sent is (earlier == "out of reach")


# --- what they tell of it later -------------------------------------------------------------------


@pytest.fixture
def forms(settings: Settings) -> Iterator[list[dict[str, str]]]:
    """Twilio's requests; each has the URL for later status callbacks."""
    taken: list[dict[str, str]] = []

    def script(request: Any, body: bytes) -> None:
        taken.append(dict(parse_qsl(body.decode())))
        fakes.reply(
            request,
            201,
            b'{"sid": "SM1", "status": "queued"}',
            {"content-type": "application/json"},
        )

    with fakes.server(script) as url:
        secret = admin("secretsmanager").create_secret(Name="twilio", SecretString=account())["ARN"]
        status = {
            "TWILIO_STATUS_URL": "https://api.example.com/webhooks/twilio",
            "TWILIO_CHANNELS": "whatsapp,voice",
        }
        settings.set(SMS_PROVIDERS="twilio", TWILIO_SECRET=secret, TWILIO_URL=url, **status)
        yield taken


@pytest.mark.parametrize("channel", ["sms", "whatsapp", "voice"])
def test_twilio_is_told_where_to_say_what_became_of_a_verifications_message(
    channel: str, forms: list[dict[str, str]]
) -> None:
    reply = send(TO, channel=channel)
    assert reply.status == 200, reply.body
    verification_id = reply.body["verification_id"]
    url = f"https://api.example.com/webhooks/twilio?verification_id={verification_id}"
    assert [form["StatusCallback"] for form in forms] == [url]


def test_by_default_twilio_is_told_of_no_url(
    settings: Settings, forms: list[dict[str, str]]
) -> None:
    settings.unset("TWILIO_STATUS_URL")
    send(TO)
    assert "StatusCallback" not in forms[0]


def test_end_user_messaging_is_told_of_which_verification_a_message_is(settings: Settings) -> None:
    asked: list[dict[str, Any]] = []

    def script(request: Any, body: bytes) -> None:
        asked.append(json.loads(body))
        fakes.reply(
            request, 200, b'{"MessageId": "m1"}', {"content-type": "application/x-amz-json-1.0"}
        )

    with fakes.server(script) as url:
        point(settings, "end_user_messaging", url)
        settings.set(
            SMS_PROVIDERS="end_user_messaging",
            END_USER_MESSAGING_ORIGINATION=end_user_messaging.ORIGINATION,
        )
        reply = send(TO)
    assert asked[0]["Context"] == {"verification_id": reply.body["verification_id"]}


# --- unavailable: the next provider is tried ------------------------------------------------------

TWILIO_FAILURES = {
    "500": fakes.answers(500, b"<html>"),
    "503": twilio_error(503, 20503),
    "429": twilio_error(429, 20429),
    "wrong credentials": twilio_error(401, 20003),
    "moved": fakes.answers(301, b"", location="https://example.com/"),
    "no JSON": fakes.answers(201, b"<html>"),
    "nothing": fakes.answers(201, b""),
    "hangs": fakes.hangs,
    "failed at once, handset off": fakes.answers(
        201, b'{"sid": "SM1", "status": "failed", "error_code": 30003}'
    ),
    "failed at once, unknown": fakes.answers(
        201, b'{"sid": "SM1", "status": "undelivered", "error_code": 30008}'
    ),
}


@pytest.mark.usefixtures("inbox")
@pytest.mark.parametrize("failure", TWILIO_FAILURES)
def test_while_twilio_is_unavailable_the_next_provider_sends(
    failure: str,
    settings: Settings,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(aws, "READ_TIMEOUT_SECONDS", 0.3)
    config.reset()
    assert outcome(settings, "twilio", TWILIO_FAILURES[failure]) == "sns"
    assert counted(capfd) == [("twilio", "unavailable")]


@pytest.mark.usefixtures("inbox")
def test_a_message_that_twilio_fails_at_once_for_the_destination_is_refused(
    settings: Settings,
) -> None:
    codes = [30004, 30005, 30006, 30007]
    bodies = {
        code: json.dumps({"sid": "SM1", "status": "failed", "error_code": code}).encode()
        for code in codes
    }
    found = {
        code: outcome(settings, "twilio", fakes.answers(201, body)) for code, body in bodies.items()
    }
    assert found == dict.fromkeys(codes, "refused")


AWS_FAILURES = {
    "spend limit": aws_error(
        "ServiceQuotaExceededException", Reason="MONTHLY_SPEND_LIMIT_REACHED_FOR_TEXT"
    ),
    "sandbox": aws_error("ConflictException", Reason="DESTINATION_PHONE_NUMBER_NOT_VERIFIED"),
    "no identity": aws_error(
        "ResourceNotFoundException", ResourceType="phone-number", ResourceId="x"
    ),
    "wrong setting": aws_error(
        "ValidationException", Fields=[{"Name": "OriginationIdentity", "Message": "x"}]
    ),
    "not allowed": aws_error("AccessDeniedException"),
    "account disabled": aws_error("AccessDeniedException", Reason="ACCOUNT_DISABLED"),
    "throttled": aws_error("ThrottlingException"),
    "500": aws_error("InternalServerException", 500),
    "hangs": fakes.hangs,
}


@pytest.mark.usefixtures("inbox")
@pytest.mark.parametrize("failure", AWS_FAILURES)
def test_while_end_user_messaging_is_unavailable_the_next_provider_sends(
    failure: str,
    settings: Settings,
    capfd: pytest.CaptureFixture[str],
) -> None:
    settings.set(READ_TIMEOUT_SECONDS=0.3)
    assert outcome(settings, "end_user_messaging", AWS_FAILURES[failure]) == "sns"
    assert counted(capfd) == [("end_user_messaging", "unavailable")]


def test_providers_are_tried_in_the_configured_order(
    settings: Settings, inbox: list[dict[str, Any]], capfd: pytest.CaptureFixture[str]
) -> None:
    settings.set(SMS_PROVIDERS="sns,end_user_messaging,twilio")
    point(settings, "sns", fakes.nobody())
    point(settings, "end_user_messaging", fakes.nobody())
    assert sms.send_sms(TO, TEXT).provider == "twilio"
    assert counted(capfd) == [("sns", "unavailable"), ("end_user_messaging", "unavailable")]
    assert len(inbox) == 1


@pytest.mark.usefixtures("inbox")
@pytest.mark.parametrize("provider", ORDERS)
def test_a_provider_that_is_alone_is_tried_twice_and_no_request_is_repeated_by_its_sdk(
    provider: str, settings: Settings
) -> None:
    asked: list[bytes] = []

    def script(request: Any, body: bytes) -> None:
        asked.append(body)
        fakes.answers(500, b"{}")(request, body)

    with fakes.server(script) as url:
        settings.set(SMS_PROVIDERS=provider)
        point(settings, provider, url)
        with pytest.raises(ProviderUnavailable):
            sms.send_sms(TO, TEXT)
    assert len(asked) == 2


# --- all fail -------------------------------------------------------------------------------------


@pytest.mark.usefixtures("inbox")
def test_when_no_provider_can_be_reached_it_is_certain_that_nothing_was_sent(
    settings: Settings,
) -> None:
    settings.set(SMS_PROVIDERS="end_user_messaging,sns,twilio")
    for provider in ORDERS:
        point(settings, provider, fakes.nobody())
    with pytest.raises(ProviderUnavailable) as caught:
        sms.send_sms(TO, TEXT)
    assert (caught.value.connected, caught.value.nothing_sent) == (False, True)


@pytest.mark.usefixtures("inbox")
@pytest.mark.parametrize("reached", ORDERS)
def test_when_one_of_the_providers_was_reached_it_is_not_certain(
    reached: str, settings: Settings
) -> None:
    settings.set(SMS_PROVIDERS="end_user_messaging,sns,twilio")
    with fakes.server(fakes.answers(500, b"")) as url:
        for provider in ORDERS:
            point(settings, provider, url if provider == reached else fakes.nobody())
        with pytest.raises(ProviderUnavailable) as caught:
            sms.send_sms(TO, TEXT)
    assert (caught.value.connected, caught.value.detail) == (
        True,
        "The message could not be sent right now.",
    )


@pytest.mark.usefixtures("inbox")
def test_a_send_after_no_provider_was_reached_need_not_wait_and_one_after_a_failure_must(
    settings: Settings,
) -> None:
    settings.set(SMS_PROVIDERS="twilio")
    for url, status in [(fakes.nobody(), 503), ("", 503)]:
        with fakes.server(fakes.answers(500, b"")) as failing:
            settings.set(TWILIO_URL=url or failing)
            assert send(TO).status == status
    assert send(TO).status == 429


# --- the Twilio account ---------------------------------------------------------------------------


@pytest.mark.usefixtures("inbox")
@pytest.mark.parametrize(
    ("secret", "sentence"),
    [
        ("918273", "is not the JSON of an account"),
        ('{"account_sid": 1}', "is not the JSON of an account"),
        (account(account_sid="x"), "account_sid must be AC and 32 hex digits"),
        (account(auth_token=""), "api_key_sid and api_key_secret, or auth_token, are missing"),
        (account(from_number=""), "from_number or messaging_service_sid is missing"),
        (account(colour="red"), "unknown field `colour`"),
    ],
)
def test_a_secret_that_is_wrong_is_said_in_a_sentence_and_the_next_provider_sends(
    secret: str, sentence: str, settings: Settings, log: io.StringIO
) -> None:
    put_account(secret)
    settings.set(SMS_PROVIDERS="twilio,sns")
    sms.prepare()
    assert sms.send_sms(TO, TEXT).provider == "sns"
    assert sentence in log.getvalue()
    assert "918273" not in log.getvalue()


@pytest.mark.usefixtures("inbox")
def test_a_secret_that_cannot_be_read_is_twilio_unavailable_and_nothing_was_sent(
    settings: Settings,
) -> None:
    settings.set(
        SMS_PROVIDERS="twilio",
        TWILIO_SECRET="arn:aws:secretsmanager:us-east-1:123456789012:secret:none",
    )
    sms.prepare()
    with pytest.raises(ProviderUnavailable) as caught:
        sms.send_sms(TO, TEXT)
    assert caught.value.connected is False


def test_new_credentials_are_used_once_the_secret_is_read_again(
    settings: Settings, inbox: list[dict[str, Any]]
) -> None:
    put_account(account(auth_token="old"))
    settings.set(SMS_PROVIDERS="twilio")
    with pytest.raises(ProviderUnavailable):
        sms.send_sms(TO, TEXT)
    put_account(account())
    settings.set(SMS_PROVIDERS="twilio")
    sms.send_sms(TO, TEXT)
    assert len(inbox) == 1


def test_an_api_key_goes_before_the_auth_token() -> None:
    assert read_account(account(api_key_sid="SK1", api_key_secret="s")).credentials == ("SK1", "s")
    assert read_account(account(api_key_sid="SK1")).credentials == (twilio.ACCOUNT_SID, "local")


# --- settings -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("variables", "sentence"),
    [
        ({"SMS_PROVIDERS": "pigeon"}, "SMS_PROVIDERS: invalid enum value 'pigeon'"),
        ({"SMS_PROVIDERS": "sns,sns"}, "SMS_PROVIDERS: name each provider once."),
        (
            {"SMS_PROVIDERS": ","},
            "SMS_PROVIDERS: name at least one of end_user_messaging, sns, twilio.",
        ),
        ({"SMS_PROVIDERS": "sns,twilio"}, "TWILIO_SECRET is not set"),
        ({"TWILIO_CHANNELS": "voice"}, "TWILIO_SECRET is not set"),
        ({"TWILIO_CHANNELS": "fax"}, "TWILIO_CHANNELS: invalid enum value 'fax'"),
        ({"SMS_PROVIDERS": "end_user_messaging"}, "END_USER_MESSAGING_ORIGINATION is not set"),
        ({"TWILIO_URL": "http://twilio.example.com"}, "TWILIO_URL: must be https://<host>"),
        ({"TWILIO_URL": "http://127.0.0.1@example.com"}, "TWILIO_URL: must be https://<host>"),
    ],
)
def test_settings_that_cannot_be_are_said_in_a_sentence_at_init(
    variables: dict[str, str], sentence: str, settings: Settings
) -> None:
    settings.set(**variables)
    with pytest.raises(SettingsError, match=sentence):
        sms.prepare()


def test_all_tries_fit_into_the_deadline() -> None:
    """The rest, 5 s, is for the database and the scheduler."""
    assert sms.WORST_CASE_SECONDS <= HTTP_SECONDS - 5
    most = max(sms.LEAST_TRIES, len(ORDERS))
    assert most * sms.TRY_SECONDS + sms.TRY_SECONDS <= sms.WORST_CASE_SECONDS


def test_every_client_has_the_timeouts_that_this_counts_on() -> None:
    for service in ("sns", "pinpoint-sms-voice-v2", "secretsmanager"):
        config = aws.client(service, attempts=1).meta.config
        assert (
            config.connect_timeout + config.read_timeout,
            config.retries["total_max_attempts"],
        ) == (5, 1)
    assert sum(twilio_client._Http().timeout) == sms.TRY_SECONDS


@pytest.mark.parametrize(
    ("order", "imported"), [("sns", "[]"), ("sns,twilio", "['twilio', 'requests']")]
)
def test_twilios_sdk_is_imported_only_where_it_is_configured(
    order: str, imported: str, settings: Settings
) -> None:
    settings.set(SMS_PROVIDERS=order, TWILIO_SECRET="arn:x", AWS_ENDPOINT_URL=fakes.nobody())
    code = (
        "import sys; from functions.workflows.verify_send import handler; handler.sms.prepare(); "
    )
    code += "print([name for name in ('twilio', 'requests', 'aiohttp') if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == imported


# --- what leaks -----------------------------------------------------------------------------------


@pytest.mark.usefixtures("inbox")
@pytest.mark.parametrize(
    ("provider", "script"),
    [
        ("twilio", twilio_error(400, 21211)),
        ("twilio", twilio_error(500, 1)),
        ("twilio", fakes.answers(500, TEXT.encode())),
        (
            "end_user_messaging",
            aws_error("ConflictException", Reason="DESTINATION_PHONE_NUMBER_OPTED_OUT"),
        ),
        ("end_user_messaging", aws_error("InternalServerException", 500)),
        ("end_user_messaging", fakes.answers(500, TEXT.encode())),
        ("sns", fakes.answers(400, SNS_REFUSES)),
        ("sns", fakes.answers(500, TEXT.encode())),
    ],
)
def test_neither_message_nor_destination_nor_credentials_of_a_failed_send_are_logged_or_answered(
    provider: str, script: fakes.Script, settings: Settings, log: io.StringIO
) -> None:
    put_account(account(auth_token="the-auth-token"))
    settings.set(SMS_PROVIDERS=provider)
    with fakes.server(script) as url:
        point(settings, provider, url)
        reply = send(TO)
    assert reply.status in {502, 503}
    for text in (log.getvalue(), json.dumps(reply.body)):
        assert TO not in text
        assert TEXT not in text
        assert "the-auth-token" not in text
    assert "provider failed" in log.getvalue()


# --- WhatsApp and voice ---------------------------------------------------------------------------


def test_a_whatsapp_message_carries_the_text_or_the_approved_template(
    settings: Settings, inbox: list[dict[str, Any]]
) -> None:
    settings.set(TWILIO_CHANNELS="whatsapp")
    channels.prepare()
    channels.send_whatsapp(TO, TEXT, "918273")
    put_account(account(whatsapp_content_sid="HX1"))
    settings.set(TWILIO_CHANNELS="whatsapp")
    channels.send_whatsapp(TO, TEXT, "918273")
    assert [(each["channel"], each["to"], each["text"]) for each in inbox] == [
        ("whatsapp", TO, TEXT),
        ("whatsapp", TO, 'HX1 {"1": "918273"}'),
    ]
    assert inbox[0]["from"] == f"whatsapp:{twilio.FROM_NUMBER}"


def test_a_call_speaks_the_code_twice_digit_by_digit(
    settings: Settings, inbox: list[dict[str, Any]]
) -> None:
    settings.set(TWILIO_CHANNELS="voice")
    sent = channels.call_with_code(TO, "Your code for <Tom & Ann's> is", "918273", "en")
    assert sent.message_id.startswith("CA")
    said = "Your code for <Tom & Ann's> is 9, 1, 8, 2, 7, 3."
    assert [(each["channel"], each["to"], each["text"]) for each in inbox] == [
        ("voice", TO, f"{said}\n{said}")
    ]


def test_a_call_speaks_the_language_asked_for_or_english() -> None:
    assert '<Say language="de-DE">' in spoken("Ihr Code ist", "123456", "de-AT")
    assert '<Say language="en-US">' in spoken("Il-kodiċi tiegħek", "123456", "mt")


@pytest.mark.usefixtures("inbox")
@pytest.mark.parametrize("to", ["+15005550001", "+15005550002", "+15005550003", "+15005550004"])
def test_a_call_that_twilio_refuses_is_refused(to: str, settings: Settings) -> None:
    settings.set(TWILIO_CHANNELS="voice")
    with pytest.raises(ProviderRefused):
        channels.call_with_code(to, "Your code is", "918273", "en")


def test_channels_are_off_until_switched_on(inbox: list[dict[str, Any]]) -> None:
    with pytest.raises(InvalidParameters, match="whatsapp is not enabled"):
        channels.send_whatsapp(TO, TEXT, "918273")
    with pytest.raises(InvalidParameters, match="voice is not enabled"):
        channels.call_with_code(TO, "Your code is", "918273", "en")
    assert inbox == []
