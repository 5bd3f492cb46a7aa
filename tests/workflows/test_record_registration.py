"""The registration token is exchanged exactly once, despite parallel calls and failures."""

import io
import json
import re
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest

from functions.core import aws
from functions.core.auth.lookup import find_token
from functions.core.auth.tokens import list_tokens
from functions.workflows.record_registration import registration_token
from functions.workflows.record_registration.handler import lambda_handler as record_registration
from infra import sam
from infra.workflows import workflows
from tests import fakes
from tests.builders import Context, Reply, call
from tests.workflows.conftest import Settings, admin

pytestmark = pytest.mark.usefixtures("no_tokens")

FIRST = "c" * 48
"""Token that the fixture `cloud` stores."""
SECRET = "registration-token"


def register(token: str = FIRST, **options: Any) -> Reply:
    """Calls as any client does: no authorizer has checked the request."""
    name = {"name": options.pop("name")} if "name" in options else {}
    return call(
        record_registration, {"registration_token": token} | name, authorized=False, **options
    )


def current() -> str:
    return str(admin("secretsmanager").get_secret_value(SecretId=SECRET)["SecretString"])


def refused(reply: Reply) -> bool:
    return (reply.status, reply.body["code"]) == (403, "not_permitted")


@contextmanager
def before_each_renewal(do: Callable[[], object]) -> Iterator[None]:
    """Does something between a call's read of the secret and its write."""
    events = aws.client("secretsmanager").meta.events

    def note(**_: object) -> None:
        do()

    events.register("before-call.secretsmanager.PutSecretValue", note)
    yield
    events.unregister("before-call.secretsmanager.PutSecretValue", note)


def secrets_manager(
    renewal: Callable[[BaseHTTPRequestHandler, dict[str, Any]], None],
) -> fakes.Script:
    """Secrets Manager over HTTP; `renewal` answers PutSecretValue."""

    def script(request: BaseHTTPRequestHandler, body: bytes) -> None:
        if request.headers["x-amz-target"] == "secretsmanager.PutSecretValue":
            renewal(request, json.loads(body))
        else:
            fakes.answers(200, json.dumps({"SecretString": current()}).encode())(request, body)

    return script


def test_the_registration_token_is_exchanged_for_a_secret_token_with_all_scopes() -> None:
    reply = register(name="server")
    token = find_token(reply.body["token"])
    assert reply.status == 200
    assert token is not None
    assert (token.kind, token.name, token.is_active(0)) == ("secret", "server", True)
    assert token.scopes == {"events:write", "runs:read", "runs:write"} | {
        f"workflow:{name}" for name in workflows() if name != "record_registration"
    }
    about = {"token_id": token.token_id, "name": "server", "scopes": sorted(token.scopes)}
    assert reply.body == {"token": reply.body["token"]} | about


def test_a_token_that_is_given_no_name_has_one() -> None:
    assert register(name=None).body["name"] == "registration"


def test_an_answer_with_a_token_is_kept_nowhere_on_the_way() -> None:
    assert register().headers["cache-control"] == "no-store"


def test_the_registration_token_is_renewed_in_the_same_step() -> None:
    register()
    assert re.fullmatch(r"[A-Za-z0-9]{48}", current())
    assert current() != FIRST


def test_a_used_registration_token_is_refused_and_the_renewed_one_works_once() -> None:
    register()
    renewed = current()
    assert refused(register())
    assert register(renewed).status == 200
    assert refused(register(renewed))
    assert len(list_tokens()) == 2


@pytest.mark.parametrize(
    "token", ["d" * 48, FIRST[:-1], FIRST + "c", FIRST.upper(), "ü", " " + FIRST]
)
def test_anything_else_is_refused_and_changes_nothing(token: str) -> None:
    assert refused(register(token))
    assert (current(), list_tokens()) == (FIRST, [])


def test_a_used_token_and_a_wrong_one_are_refused_with_the_same_text() -> None:
    register()
    assert register().body == register("d" * 48).body


@pytest.mark.parametrize("count", [2, 5])
def test_exactly_one_of_parallel_exchanges_of_a_token_gets_a_private_token(count: int) -> None:
    """Each call has accepted the token before any call has renewed it."""
    replies: list[Reply] = []
    waiting = iter(range(count - 1))

    def another() -> None:
        if next(waiting, None) is not None:
            replies.append(register())

    with before_each_renewal(another):
        replies.append(register())
    assert sorted(reply.status for reply in replies) == [200] + [403] * (count - 1)
    assert len(list_tokens()) == 1


def test_guesses_do_not_cause_a_read_of_the_secret_each_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The guesses do not block the real token's holder either."""
    asked: list[str] = []
    events = aws.client("secretsmanager").meta.events
    events.register("before-call.secrets-manager", lambda model, **_: asked.append(model.name))
    assert all(refused(register("a guess")) for _ in range(20))
    assert asked == ["GetSecretValue"]
    assert register().status == 200
    assert asked == ["GetSecretValue", "GetSecretValue", "PutSecretValue"]
    monkeypatch.setattr(registration_token, "_FRESH_SECONDS", 0.0)
    assert refused(register("a guess"))
    assert asked[3:] == ["GetSecretValue"]


def test_a_late_caller_with_a_used_and_renewed_token_is_refused() -> None:
    first = iter([True])

    def two_others() -> None:
        if next(first, False):
            assert [register().status, register(current()).status] == [200, 200]

    with before_each_renewal(two_others):
        assert refused(register())
    assert len(list_tokens()) == 2


def test_a_renewal_whose_answer_is_lost_and_that_the_sdk_repeats_is_one_renewal(
    settings: Settings,
) -> None:
    asked: list[dict[str, Any]] = []

    def loses_the_first_answer(request: BaseHTTPRequestHandler, about: dict[str, Any]) -> None:
        asked.append(about)
        admin("secretsmanager").put_secret_value(**about)
        if len(asked) == 1:
            request.close_connection = True
            request.connection.shutdown(socket.SHUT_RDWR)
        else:
            fakes.reply(request, 200, b"{}", {})

    with fakes.server(secrets_manager(loses_the_first_answer)) as url:
        settings.set(AWS_ENDPOINT_URL_SECRETS_MANAGER=url)
        assert register().status == 200
    assert asked[0] == asked[1]
    assert current() == asked[0]["SecretString"]


def test_a_renewal_that_nobody_answers_for_says_that_the_token_may_be_another_one(
    settings: Settings,
) -> None:
    def fails(request: BaseHTTPRequestHandler, _: dict[str, Any]) -> None:
        fakes.reply(request, 500, b'{"__type": "InternalServiceError"}', {})

    with fakes.server(secrets_manager(fails)) as url:
        settings.set(AWS_ENDPOINT_URL_SECRETS_MANAGER=url)
        reply = register()
    assert (reply.status, reply.body["code"]) == (503, "unavailable")
    assert "may have been renewed. Read it again" in reply.body["detail"]
    assert list_tokens() == []


def test_without_secrets_manager_nothing_is_issued(settings: Settings) -> None:
    settings.set(AWS_ENDPOINT_URL_SECRETS_MANAGER=fakes.nobody())
    assert register().status == 503
    assert list_tokens() == []


def test_when_issuing_fails_nothing_is_lost_because_the_renewed_token_can_be_read(
    settings: Settings,
) -> None:
    settings.set(AWS_ENDPOINT_URL_DYNAMODB=fakes.nobody())
    reply = register()
    settings.unset("AWS_ENDPOINT_URL_DYNAMODB")
    assert (reply.status, reply.body["code"]) == (503, "unavailable")
    assert "was renewed. Read the new registration token" in reply.body["detail"]
    assert refused(register())
    assert register(current()).status == 200


@pytest.mark.parametrize("name", [" ", "a\nb", "\x1b[2J", "x" * 65, 5])
def test_a_name_that_is_no_line_of_text_uses_nothing_up(name: object) -> None:
    reply = register(name=name)
    assert (reply.status, reply.body["errors"][0]["pointer"]) == (422, "/name")
    assert current() == FIRST


def test_an_idempotency_key_is_refused_because_an_answer_with_a_token_is_not_kept() -> None:
    reply = register(headers={"idempotency-key": "8e03978e-40d5-43dd-bc93-6894a57f9324"})
    assert (reply.status, reply.body["code"]) == (400, "idempotency_key_refused")
    assert current() == FIRST


def test_it_does_not_run_in_the_background() -> None:
    reply = register(headers={"prefer": "respond-async"})
    assert (reply.status, reply.body["code"]) == (422, "not_in_background")
    answer = record_registration({"trigger": "validate", "items": [{}]}, Context())
    assert answer["problem"]["code"] == "not_in_background"
    assert current() == FIRST


def test_a_token_in_the_url_is_refused_here_as_everywhere() -> None:
    assert register(query=f"token={FIRST}").body["code"] == "token_in_url"


def test_a_refusal_is_logged_as_a_security_event_with_who_it_was(log: io.StringIO) -> None:
    register("d" * 48)
    event = next(
        line for line in map(json.loads, log.getvalue().splitlines()) if "security_event" in line
    )
    assert (event["level"], event["security_event"]) == ("WARNING", "registration_refused")
    assert (event["request_id"], event["client_ip"]) == ("request-1", "192.0.2.1")


def test_a_registration_is_logged_as_a_security_event_with_the_id_of_the_token(
    log: io.StringIO,
) -> None:
    token_id = register().body["token_id"]
    event = next(
        line for line in map(json.loads, log.getvalue().splitlines()) if "security_event" in line
    )
    assert (event["level"], event["security_event"]) == ("INFO", "registration_recorded")
    assert (event["request_id"], event["client_ip"], event["token_id"]) == (
        "request-1",
        "192.0.2.1",
        token_id,
    )


def test_no_log_line_holds_a_registration_token(settings: Settings, log: io.StringIO) -> None:
    """The fixture `cloud` checks the log for private tokens."""
    wrong = "d" * 48
    for token in (wrong, FIRST, FIRST):
        register(token)
    settings.set(AWS_ENDPOINT_URL_DYNAMODB=fakes.nobody())
    renewed = current()
    register(renewed)
    assert [token for token in (wrong, FIRST, renewed, current()) if token in log.getvalue()] == []


def test_refusals_are_counted_where_the_alarm_looks(capfd: pytest.CaptureFixture[str]) -> None:
    register("d" * 48)
    (metric,) = (
        json.loads(line)
        for line in capfd.readouterr().out.splitlines()
        if "RegistrationRefused" in line
    )
    alarm = sam.read_template()["Resources"]["RegistrationRefusedAlarm"]["Properties"]
    (dimension,) = alarm["Dimensions"]
    (counted,) = metric["_aws"]["CloudWatchMetrics"]
    assert counted["Metrics"][0]["Name"] == alarm["MetricName"]
    assert counted["Dimensions"] == [[dimension["Name"]]]


def test_its_sample_event_is_answered_with_a_refusal() -> None:
    """Nobody can know the token of a stack before it exists."""
    event = json.loads((sam.ROOT / "tests/events/record_registration.json").read_text())
    assert record_registration(event, Context())["statusCode"] == 403


def test_iam_lets_a_direct_caller_in_and_the_registration_token_still_decides() -> None:
    answers = [
        record_registration(
            {"trigger": "direct", "parameters": {"registration_token": token}}, Context()
        )
        for token in ("d" * 48, FIRST)
    ]
    assert answers[0]["problem"]["code"] == "not_permitted"
    assert answers[1]["result"]["token_id"] == list_tokens()[0].token_id
