"""The console's record of requests: what is kept, and which secrets are not."""

import json

import httpx
import pytest

from infra.console.redaction import MOST_CHARACTERS, REDACTED, kept_body, kept_query
from infra.console.request_log import MOST_CALLS, Call
from infra.local import development
from tests.builders.local_servers import ALLOWED, Stack

TOKEN = f"wf_{'x' * 43}"
PROBLEM = {"code": "invalid_parameters", "detail": "The parameters are not valid."}


def requests(stack: Stack, query: str = "") -> list[dict[str, object]]:
    found: list[dict[str, object]] = stack.client.get(f"/_local/requests{query}").json()
    return found


def record(stack: Stack) -> dict[str, object]:
    """The last call's record, without its lines: this emulator has no log."""
    call = stack.server.requests.find(str(requests(stack)[0]["request_id"]))
    assert call
    return call.about | call.details


def test_a_call_is_kept_with_its_answer(stack: Stack) -> None:
    stack.reply = (422, json.dumps(PROBLEM).encode(), {"x-request-id": "r-1"})
    answer = stack.client.post("/workflows/x?a=b", json={"to": "ana@example.com"})
    assert answer.status_code == 422
    found = record(stack)
    assert isinstance(found.pop("duration_ms"), int)
    assert str(found.pop("at")).endswith("Z")
    assert found.pop("headers") == {
        "accept": "*/*",
        "accept-encoding": "gzip, deflate",
        "content-type": "application/json",
        "user-agent": f"python-httpx/{httpx.__version__}",
    }
    assert found == {
        "request_id": "r-1",
        "method": "POST",
        "path": "/workflows/x",
        "status": 422,
        "code": "invalid_parameters",
        "detail": "The parameters are not valid.",
        "caller": None,
        "from": "program",
        "run_id": None,
        "woken": None,
        "source": None,
        "verified": None,
        "query": "a=b",
        "body": {"to": "ana@example.com"},
        "answer": PROBLEM,
    }


@pytest.mark.parametrize(
    ("token", "caller"),
    [
        (development.SECRET, "development secret"),
        (development.PUBLISHABLE, "development publishable"),
        (TOKEN, "token 147f7ded1dacf24e"),
    ],
)
def test_a_caller_is_named_and_its_token_is_not_kept(token: str, caller: str, stack: Stack) -> None:
    headers = {"authorization": f"Bearer {token}"}
    stack.client.post(f"/workflows/{token}?t={token}", json={"a": [token]}, headers=headers)
    found = record(stack)
    assert found["caller"] == caller
    assert "wf_" not in json.dumps(found)


@pytest.mark.parametrize(
    ("headers", "sender"),
    [
        ({}, "program"),
        ({"origin": ALLOWED[1]}, ALLOWED[1]),
        ({"origin": "http://127.0.0.1:{port}"}, "http://127.0.0.1:{port}"),
        ({"origin": "http://127.0.0.1:{port}", "x-console": "page"}, "console"),
        ({"x-console": "page"}, "console"),
        ({"origin": ALLOWED[1], "x-console": "page"}, ALLOWED[1]),
    ],
)
def test_the_sender_of_a_call_is_told(headers: dict[str, str], sender: str, stack: Stack) -> None:
    port = stack.server.server_port
    given = {name: value.format(port=port) for name, value in headers.items()}
    stack.client.post("/workflows/x", headers=given)
    assert record(stack)["from"] == sender.format(port=port)
    assert "x-console" not in stack.reached[0][1]


def test_polls_of_the_console_are_neither_printed_nor_kept(stack: Stack) -> None:
    stack.client.get("/runs", headers={"x-console": "poll"})
    assert (requests(stack), stack.lines) == ([], [])
    stack.client.get("/runs", headers={"x-console": "poll", "origin": ALLOWED[0]})
    assert len(requests(stack)) == len(stack.lines) == 1


def test_preflights_are_not_calls(stack: Stack) -> None:
    stack.client.options("/workflows/x", headers={"origin": ALLOWED[0]})
    assert requests(stack) == []


@pytest.mark.parametrize(
    ("status", "body", "verified"),
    [
        (202, {"run_id": "x.1"}, True),
        (401, {"code": "wrong_signature"}, False),
        (400, {"code": "stale_delivery"}, False),
        (404, {"code": "not_found"}, False),
        (422, {"code": "invalid_parameters"}, True),
        (500, {"message": "Internal Server Error"}, False),
    ],
)
def test_a_webhook_is_verified_or_refused(
    status: int, body: dict[str, str], *, verified: bool, stack: Stack
) -> None:
    stack.reply = (status, json.dumps(body).encode(), {})
    stack.client.post("/webhooks/usersnap", json={})
    found = record(stack)
    assert (found["source"], found["verified"]) == ("usersnap", verified)
    assert found["run_id"] == body.get("run_id")


def test_the_last_calls_are_kept_newest_first(stack: Stack) -> None:
    for number in range(MOST_CALLS + 3):
        about = {"request_id": str(number), "path": f"/runs/{number % 2}"}
        stack.server.requests.add(Call(about, {}))
    found = requests(stack)
    assert [each["request_id"] for each in found] == [
        str(number) for number in reversed(range(3, MOST_CALLS + 3))
    ]
    limited = requests(stack, "?path=/runs/1&limit=2")
    assert [each["path"] for each in limited] == ["/runs/1"] * 2
    assert stack.client.get("/_local/requests?limit=all").status_code == 400
    assert stack.server.requests.find("2") is None


def test_secrets_of_requests_are_not_kept() -> None:
    sent = {
        "workflow": "verify_check",
        "items": [{"code": "123456", "verification_id": "k1.x"}],
        "registration_token": "0" * 48,
        "portal_secret": "whsec_x",
        "token": TOKEN,
        "accessToken": "x",
        "a\nsecret": "x",
        "nested": {"clientSecret": {"a": 1}, "note": f"my {TOKEN}"},
        "publishable_token": None,
    }
    assert kept_body(json.dumps(sent).encode(), "application/json") == {
        "workflow": "verify_check",
        "items": [{"code": REDACTED, "verification_id": "k1.x"}],
        "registration_token": REDACTED,
        "portal_secret": REDACTED,
        "token": REDACTED,
        "accessToken": REDACTED,
        "a\nsecret": REDACTED,
        "nested": {"clientSecret": REDACTED, "note": f"my {REDACTED}"},
        "publishable_token": None,
    }


def test_the_code_of_a_problem_is_kept_and_a_code_of_digits_is_not() -> None:
    body = json.dumps([{"code": "not_found"}, {"code": "123456"}, {"code": 123456}]).encode()
    assert kept_body(body, "", is_answer=True) == [
        {"code": "not_found"},
        {"code": REDACTED},
        {"code": REDACTED},
    ]


@pytest.mark.parametrize(
    "text",
    [
        '{"code": "918273", "token": "918273",',
        '{"registration_token":"918273',
        '{"code":918273',
        "[" * 100_000 + '{"code": "918273"}',
        f"{'x' * 10}wf_{'918273' * 7}",
    ],
)
def test_secrets_of_texts_that_are_no_json_are_not_kept(text: str) -> None:
    kept = kept_body(text.encode(), "application/json")
    assert "918273" not in str(kept)


@pytest.mark.parametrize("body", ['"' + "secret" * 100_000, '"' + "token" * 100_000 + '":'])
def test_a_name_without_an_end_is_read_in_proportion_to_its_length(body: str) -> None:
    assert kept_body(body.encode(), "text/plain") is not None  # in hours otherwise


def test_secrets_of_forms_and_queries_are_not_kept() -> None:
    form = kept_body(b"MessageSid=SM1&code=123456", "application/x-www-form-urlencoded")
    assert form == "MessageSid=SM1&code=%5Bredacted%5D"
    assert kept_query(f"token={TOKEN}&a=b%20c&cursor=") == "token=%5Bredacted%5D&a=b+c&cursor="


def test_a_long_body_is_cut_after_its_secrets_are_removed() -> None:
    kept = kept_body(json.dumps({"note": "x" * MOST_CHARACTERS, "code": "918273"}).encode(), "")
    assert isinstance(kept, str)
    assert len(kept) == MOST_CHARACTERS + 1
    secret = f"{'x' * (MOST_CHARACTERS - 20)} {TOKEN}"
    assert "wf_" not in str(kept_body(secret.encode(), "text/plain"))
