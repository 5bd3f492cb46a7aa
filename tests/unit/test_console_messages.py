"""Messages as the console's page Inbox reads them: without HTML, with segments and links."""

from typing import Any

import pytest

from functions.core.messages.providers.twilio import spoken
from functions.core.messages.verification import (
    spoken_introduction,
    verification_email,
    verification_sms,
)
from infra.console.answer import inert_document
from infra.console.brief import brief
from infra.console.code import code_in
from infra.console.links import links
from infra.local import twilio
from infra.local.captured import message
from tests.builders.emails import LOCALES
from tests.builders.local_servers import Stack


def sms(text: str) -> dict[str, Any]:
    segments: dict[str, Any] = brief(message("sms", "+15005550010", None, text))["segments"]
    return segments


def test_the_list_leaves_out_html(stack: Stack) -> None:
    email = message("email", "ana@example.com", None, "Hello") | {"html": "<p>Hello</p>"}
    stack.server.inbox.add(email)
    [whole] = stack.client.get("/_local/inbox").json()
    [short] = stack.client.get("/_local/inbox?brief=true").json()
    assert whole == email
    assert short | {"html": email["html"]} == email | {"code": None}
    assert "html" not in short


@pytest.mark.parametrize(
    ("text", "alphabet", "units", "count"),
    [
        ("", "GSM-7", 0, 1),
        ("a" * 160, "GSM-7", 160, 1),
        ("a" * 161, "GSM-7", 161, 2),
        ("a" * 307, "GSM-7", 307, 3),
        ("€" * 81, "GSM-7", 162, 2),
        ("я" * 70, "UCS-2", 70, 1),
        ("я" * 71, "UCS-2", 71, 2),
        ("я" * 135, "UCS-2", 135, 3),
    ],
)
def test_an_sms_tells_its_segments(text: str, alphabet: str, units: int, count: int) -> None:
    assert sms(text) == {"alphabet": alphabet, "units": units, "count": count}


def test_only_an_sms_has_segments() -> None:
    assert "segments" not in brief(message("voice", "+15005550010", None, "Hello"))


def test_links_to_web_pages_are_listed_in_their_order() -> None:
    html = """<a href="https://a.example/?q=1&amp;r=2">  First
        <b>link</b> </a><a href=" http://b.example "></a><a>none</a> text
        <a href="https://c.example"><span dir="auto">Third</span></a> after it"""
    assert links(html) == [
        {"text": "First link", "url": "https://a.example/?q=1&r=2"},
        {"text": "", "url": "http://b.example"},
        {"text": "Third", "url": "https://c.example"},
    ]


def test_links_before_what_cannot_be_read_are_listed() -> None:
    found = links('<a href="https://a.example">A</a><![x[y]]>')
    assert found == [{"text": "A", "url": "https://a.example"}]


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "JaVaScRiPt:alert(1)",
        "java\nscript:alert(1)",
        "data:text/html,<script>alert(1)</script>",
        "mailto:help@example.com",
        "/console/runs",
        "//evil.example",
        "https:",
        "http://[",
        "",
    ],
)
def test_a_link_to_something_else_is_not_listed(url: str) -> None:
    assert links(f'<a href="{url}">it</a>') == []


def test_links_are_read_of_a_message(stack: Stack) -> None:
    email = message("email", "ana@example.com", None, "Hello")
    stack.server.inbox.add(email | {"html": '<a href="https://a.example">A</a>'})
    found = stack.client.get(f"/_local/inbox/{email['id']}/links")
    assert found.json() == [{"text": "A", "url": "https://a.example"}]
    assert stack.client.get("/_local/inbox/none/links").status_code == 404


def test_a_link_in_a_document_asks_for_a_tab_which_its_sandbox_refuses() -> None:
    answer = inert_document("<!doctype html><a href='https://a.example'>A</a>")
    assert answer.body.startswith(b"<!doctype html>")
    assert answer.body.endswith(b'<base target="_blank">')
    assert "allow-popups" not in answer.headers["content-security-policy"]


@pytest.mark.usefixtures("set_messages")
@pytest.mark.parametrize("code", ["048213", "9472018365", "TEST42X", "ABCDEFGH"])
def test_the_code_is_found_in_every_language(code: str) -> None:
    about: dict[str, Any] = {"minutes": 10, "purpose": None}
    messages: list[dict[str, Any]] = []
    for locale in LOCALES:
        said = spoken(*_introduced(code, locale))
        call = twilio._call({"To": "+15005550010", "From": twilio.FROM_NUMBER, "Twiml": said})
        assert call.message
        email = verification_email(code, locale=locale, **about)
        text = verification_sms(code, locale=locale, **about)
        messages += [call.message, {"channel": "email", "text": email.text}]
        if any(letter.isdecimal() for letter in code):
            messages += [{"channel": channel, "text": text} for channel in ("sms", "whatsapp")]
        messages.append({"channel": "whatsapp", "text": f'HX0 {{"1": "{code}"}}'})
    found = [code_in(message) for message in messages]
    assert found == [code] * len(messages)


def _introduced(code: str, locale: str) -> tuple[str, str, str]:
    introduction, language = spoken_introduction(purpose=None, locale=locale)
    return introduction, code, language


@pytest.mark.parametrize(
    ("channel", "text"),
    [
        ("email", "Your order 1042 is on its way.\n\nIt arrives on 2026-11-27 at 12:00."),
        ("sms", "Call +15005550006 or see https://a.example/1234 on 2026-11-27, 12:00."),
        ("voice", "Hello, and welcome."),
        ("sms", None),
    ],
)
def test_what_is_no_code_is_not_taken_for_one(channel: str, text: str | None) -> None:
    assert code_in({"channel": channel, "text": text}) is None
