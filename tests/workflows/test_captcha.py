"""CAPTCHA before a stranger's send, with the stand-ins of the providers and with failing ones."""

import io
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl

import pytest

from functions.core import config
from functions.core.config import SettingsError
from functions.core.integrations.captcha import siteverify
from functions.core.integrations.captcha.settings import CaptchaSettings
from functions.core.integrations.captcha.siteverify import Outcome, refusal
from infra.local import captcha
from infra.local.stand_ins import running_stand_ins
from tests import fakes
from tests.builders.http import Reply
from tests.builders.verifications import send
from tests.workflows.conftest import Settings, admin, sent_emails

pytestmark = pytest.mark.usefixtures("cloud")

PROVIDERS = {
    "turnstile": (captcha.TURNSTILE_TOKEN, captcha.TURNSTILE_SECRET, "example.com"),
    "hcaptcha": (captcha.HCAPTCHA_TOKEN, captcha.HCAPTCHA_SECRET, "dummy-key-pass"),
    "recaptcha": (captcha.RECAPTCHA_TOKEN, captcha.RECAPTCHA_SECRET, "testkey.google.com"),
}
TOKEN, SECRET, HOSTNAME = PROVIDERS["turnstile"]
YES = {"success": True, "hostname": HOSTNAME, "action": "verify_send"}


@pytest.fixture
def stand_ins(cloud: None) -> Iterator[str]:  # noqa: ARG001 - is there first
    with running_stand_ins(lambda _: pytest.fail("a CAPTCHA is no message")) as url:
        yield url


def set_up(settings: Settings, url: str, provider: str = "turnstile", **others: object) -> None:
    _, key, hostname = PROVIDERS[provider]
    secret = admin("secretsmanager").create_secret(Name="captcha", SecretString=key)["ARN"]
    known = {"CAPTCHA_SECRET": secret, "CAPTCHA_HOSTNAMES": hostname, "LOCAL_RECEIVERS": "true"}
    settings.set(**{"CAPTCHA": provider, "CAPTCHA_URL": url} | known | others)


def ask(token: str | None = TOKEN, to: str = "ana@example.com", **options: Any) -> Reply:
    """Sends as a stranger does."""
    return send(to, captcha_token=token, **{"kind": "publishable"} | options)


@pytest.mark.parametrize("provider", PROVIDERS)
def test_whoever_has_solved_the_captcha_gets_a_code(
    provider: str, settings: Settings, stand_ins: str
) -> None:
    set_up(settings, stand_ins, provider)
    assert ask(PROVIDERS[provider][0]).status == 200
    assert len(sent_emails()) == 1


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("token", [None, "", "made-up"])
def test_a_missing_or_refused_token_costs_no_limit_no_database_and_says_what_to_send(
    token: str | None,
    provider: str,
    settings: Settings,
    stand_ins: str,
    dynamodb_requests: list[str],
) -> None:
    set_up(settings, stand_ins, provider)
    refused = ask(token)
    (error,) = refused.body["errors"]
    assert (refused.status, refused.body["code"]) == (422, "captcha_failed")
    assert error["pointer"] == "/captcha_token"
    told = "show the CAPTCHA again" if token else f"is required: send the token that {provider}"
    assert told in error["detail"]
    assert (sent_emails(), dynamodb_requests) == ([], [])


def test_what_is_wrong_anyway_spends_no_token(settings: Settings) -> None:
    set_up(settings, fakes.nobody())
    assert ask(to="ana@").body["code"] == "invalid_parameters"
    assert ask(client_ip="192.0.2.9").body["errors"][0]["pointer"] == "/client_ip"


def test_a_test_destination_needs_a_captcha_like_any_other(
    settings: Settings, stand_ins: str
) -> None:
    set_up(settings, stand_ins)
    settings.set(
        TEST_DESTINATIONS="review@example.com=424242",
        TEST_DESTINATIONS_UNTIL=str(datetime.now(UTC).date()),
    )
    assert ask(None, to="review@example.com").status == 422
    assert ask(to="review@example.com").status == 200


def test_a_server_needs_none_and_has_verified_what_it_passes_on(
    settings: Settings, stand_ins: str
) -> None:
    set_up(settings, stand_ins)
    assert ask("made-up", kind="secret").body["code"] == "captcha_failed"
    assert ask(None, kind="secret").status == 200
    assert ask(TOKEN, to="eva@example.com", kind="secret").status == 200


@pytest.mark.parametrize("token", [None, "made-up"])
def test_without_a_captcha_a_token_is_ignored_so_that_pages_can_send_it_before(
    token: str | None, settings: Settings
) -> None:
    settings.set(CAPTCHA_URL=fakes.nobody(), LOCAL_RECEIVERS="true")
    assert ask(token).status == 200


@pytest.mark.parametrize("provider", PROVIDERS)
def test_the_provider_gets_secret_and_token_in_a_form_and_nothing_of_the_client(
    provider: str, settings: Settings
) -> None:
    asked: list[tuple[str, str, dict[str, str]]] = []

    def script(request: Any, body: bytes) -> None:
        asked.append(
            (request.path, request.headers["content-type"], dict(parse_qsl(body.decode())))
        )
        fakes.answers(200, json.dumps(YES).encode())(request, body)

    with fakes.server(script) as url:
        set_up(settings, url, provider, CAPTCHA_HOSTNAMES=HOSTNAME)
        assert ask("t&=%+").status == 200
    form = {"secret": PROVIDERS[provider][1], "response": "t&=%+"}
    path = siteverify.PATHS[provider]
    assert asked == [(path, "application/x-www-form-urlencoded", form)]


@pytest.mark.parametrize(
    "script",
    [
        fakes.answers(500, json.dumps(YES).encode()),
        fakes.answers(503, b""),
        fakes.answers(302, b"", location="https://example.com"),
        fakes.answers(403, json.dumps(YES).encode()),
        fakes.answers(200, b"<html>"),
        fakes.answers(200, b'{"success": "true"}'),
        fakes.answers(200, b"[]"),
        fakes.answers(200, json.dumps(YES).encode() + b" " * 70_000),
        fakes.answers(200, b'{"success": false, "error-codes": ["invalid-input-secret"]}'),
        fakes.answers(200, b'{"success": false, "error-codes": ["internal-error"]}'),
        fakes.hangs,
        None,
    ],
    ids=[
        "500",
        "503",
        "redirect",
        "403",
        "HTML",
        "no boolean",
        "no object",
        "too long",
        "our secret",
        "internal error",
        "no answer",
        "nobody there",
    ],
)
def test_a_provider_that_says_nothing_of_the_token_is_a_503_that_costs_nothing(
    script: fakes.Script | None,
    settings: Settings,
    dynamodb_requests: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(siteverify, "_NETWORK", siteverify._NETWORK._replace(seconds=0.5))
    with fakes.server(script or fakes.hangs) as url:
        set_up(settings, url if script else fakes.nobody())
        answer = ask()
    assert (answer.status, answer.body["code"]) == (503, "unavailable")
    assert int(answer.headers["retry-after"]) > 0
    assert (sent_emails(), dynamodb_requests) == ([], [])


@pytest.mark.parametrize("secret", ["", "arn:aws:secretsmanager:us-east-1:123456789012:secret:no"])
def test_without_its_secret_strangers_are_refused_and_servers_are_not(
    secret: str, settings: Settings, stand_ins: str
) -> None:
    set_up(settings, stand_ins, CAPTCHA_SECRET=secret)
    assert ask().status == 503
    assert ask(None, kind="secret").status == 200


def test_no_log_line_has_token_or_secret(
    settings: Settings, stand_ins: str, log: io.StringIO
) -> None:
    set_up(settings, stand_ins)
    for token in ("made-up-token", TOKEN):
        ask(token)
    settings.set(CAPTCHA_URL=fakes.nobody())
    ask("another-token")
    written = log.getvalue()
    assert "CAPTCHA refused" in written
    assert "CAPTCHA not verified" in written
    for text in ("made-up-token", TOKEN, "another-token", SECRET):
        assert text not in written


SETTINGS = CaptchaSettings(captcha="turnstile", captcha_hostnames=("app.example.com",))
GOOD = Outcome(success=True, hostname="App.Example.com", action="verify_send", score=0.5)


@pytest.mark.parametrize(
    ("provider", "changes", "reason"),
    [
        ("turnstile", {}, ""),
        ("turnstile", {"success": False}, "token"),
        ("turnstile", {"hostname": "evil.example"}, "hostname"),
        ("turnstile", {"hostname": "evil.app.example.com"}, "hostname"),
        ("turnstile", {"hostname": None}, "hostname"),
        ("turnstile", {"action": "login"}, "action"),
        ("turnstile", {"action": None}, "action"),
        ("turnstile", {"score": 0.0}, ""),
        ("hcaptcha", {"action": None, "score": 0.0}, ""),
        ("hcaptcha", {"hostname": "evil.example"}, "hostname"),
        ("recaptcha", {}, ""),
        ("recaptcha", {"score": 0.4}, "score"),
        ("recaptcha", {"action": "login"}, "action"),
        ("recaptcha", {"hostname": "evil.example"}, "hostname"),
        ("recaptcha", {"action": None, "score": None}, ""),
    ],
)
def test_a_token_counts_for_our_host_and_our_action_only(
    provider: Any, changes: dict[str, Any], reason: str
) -> None:
    about = {name: getattr(GOOD, name) for name in GOOD.__struct_fields__} | changes
    settings = CaptchaSettings(captcha=provider, captcha_hostnames=SETTINGS.captcha_hostnames)
    assert refusal(Outcome(**about), settings) == reason


def test_a_captcha_without_hosts_is_no_setting(settings: Settings) -> None:
    settings.set(CAPTCHA="turnstile")
    with pytest.raises(SettingsError, match="CAPTCHA_HOSTNAMES"):
        config.read(CaptchaSettings)
