"""The console's page Inbox, in front of an emulator that the tests fill."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from functions.core import config
from functions.core.messages.verification import verification_email
from infra.local import captured
from tests.browser.accessibility import assert_fits, axe
from tests.browser.chromium import PHONE
from tests.builders.local_servers import Stack, running_stack


@pytest.fixture
def local(tmp_path: Path, page: Page, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stack]:
    monkeypatch.setenv("EMAIL_FROM", "no-reply@example.com")
    config.reset()
    with running_stack(tmp_path) as stack:
        yield stack
        page.goto("about:blank")  # a page of a server that has ended would complain
    config.reset()


def add(local: Stack, channel: str, to: str, words: str, **more: Any) -> dict[str, Any]:
    message = captured.message(channel, to, "Our app", words) | more
    local.server.inbox.add(message)
    return message


def add_email(local: Stack, to: str, code: str = "123456", **more: Any) -> dict[str, Any]:
    email = verification_email(code, minutes=10, purpose=None, locale="en")
    parts = {"subject": email.subject, "html": email.html} | more
    return add(local, "email", to, email.text, **parts)


def open_page(page: Page, local: Stack, path: str = "") -> None:
    page.goto(f"http://127.0.0.1:{local.server.server_port}/console/inbox{path}")


def rows(page: Page) -> Locator:
    return page.get_by_role("list", name="Messages").get_by_role("listitem")


def test_an_empty_inbox_says_what_to_do(page: Page, local: Stack) -> None:
    open_page(page, local)
    expect(page.get_by_role("link", name="Send a code")).to_have_attribute("href", "/")
    expect(page.get_by_role("link", name="Send an email")).to_be_visible()
    axe(page)


def test_a_message_arrives_without_moving_the_open_one(page: Page, local: Stack) -> None:
    add_email(local, "ana@example.com", "111111")
    open_page(page, local)
    heading = page.get_by_role("heading", name="Your verification code")
    expect(heading).to_be_visible()
    opened = page.url
    add(local, "sms", "+15005550010", "222222 is your code.")
    expect(rows(page)).to_have_count(2)
    expect(page.get_by_role("status").filter(has_text="New: SMS to +15005550010")).to_have_count(1)
    expect(heading).to_be_visible()
    assert page.url == opened
    expect(page).to_have_title("(1) Inbox · backend workflows")
    rows(page).first.get_by_role("button", name="Copy the code 222222").click()
    assert page.evaluate("navigator.clipboard.readText()") == "222222"
    assert page.url == opened


def test_a_message_is_unread_until_it_is_opened(page: Page, local: Stack) -> None:
    for number in range(3):
        add(local, "sms", f"+1500555001{number}", "Hello")
    open_page(page, local)
    unread = page.get_by_role("link", name="Unread")
    expect(unread).to_have_count(2)
    unread.first.click()
    expect(unread).to_have_count(1)
    page.reload()
    expect(unread).to_have_count(1)
    page.get_by_role("button", name="Mark all as read").click()
    expect(unread).to_have_count(0)


def test_search_and_channel_are_in_the_url(page: Page, local: Stack) -> None:
    add_email(local, "ana@example.com")
    add_email(local, "bo@example.com")
    add(local, "voice", "+15005550010", "Your code is 1, 2, 3, 4, 5, 6.")
    open_page(page, local)
    expect(rows(page)).to_have_count(3)
    page.get_by_role("searchbox").fill("BO@ verification")
    expect(rows(page)).to_have_count(1)
    rows(page).get_by_role("link").click()
    expect(page).to_have_url(re.compile(re.escape("?q=BO%40+verification")))
    page.reload()
    expect(rows(page)).to_have_count(1)
    page.get_by_role("button", name="Calls").click()
    page.get_by_role("button", name="Show all").click()
    expect(rows(page)).to_have_count(3)
    page.get_by_role("button", name="Calls").click()
    expect(rows(page)).to_have_count(1)
    assert page.url.endswith("?channel=voice")


def test_arrow_keys_go_from_row_to_row_and_back_goes_to_the_message_before(
    page: Page, local: Stack
) -> None:
    add_email(local, "ana@example.com")
    add(local, "sms", "+15005550010", "Hello")
    open_page(page, local)
    rows(page).first.get_by_role("link").focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Your verification code")).to_be_visible()
    expect(rows(page).last.get_by_role("link")).to_be_focused()
    page.go_back()
    expect(page.get_by_role("heading", name="SMS to +15005550010")).to_be_visible()


def test_an_email_is_shown_in_all_its_parts(page: Page, local: Stack) -> None:
    link = '<p>Read <a href="https://app.example.com/terms">our terms</a></p>'
    email = add_email(local, "ana@example.com")
    add_email(local, "bo@example.com", html=f"{email['html']}{link}")
    open_page(page, local)
    frame = page.frame_locator("iframe[title='HTML of the email']")
    page.get_by_role("button", name="Phone").click()
    page.get_by_role("button", name="Dark").click()
    expect(frame.get_by_text("123456")).to_have_css("color", "rgb(255, 255, 255)")
    assert frame.locator("html").evaluate("html => html.clientWidth") == 375
    terms = page.get_by_role("region", name="Links").get_by_role("link")
    expect(terms).to_have_attribute("href", "https://app.example.com/terms")
    expect(terms).to_have_attribute("rel", "noopener noreferrer")
    axe(page)
    page.get_by_role("tab", name="Text").click()
    expect(page.get_by_role("region", name="Text of the email")).to_contain_text("works once")
    page.get_by_role("tab", name="Headers").click()
    expect(page.get_by_role("cell", name="bo@example.com")).to_be_visible()
    page.get_by_role("tab", name="Source").click()
    expect(page.get_by_role("region", name="Source")).to_contain_text("multipart/alternative")
    axe(page)


def test_a_text_has_a_bubble_and_a_call_its_words(page: Page, local: Stack) -> None:
    add(local, "voice", "+15005550011", "Your code is: 6, 5, 4, 3, 2, 1.\nAgain.")
    add(local, "sms", "+15005550010", "я" * 71)
    open_page(page, local)
    expect(page.get_by_text("2 segments · UCS-2 · 71 units")).to_be_visible()
    axe(page)
    rows(page).last.get_by_role("link").click()
    expect(page.get_by_role("figure", name="The call says")).to_contain_text("Again.")
    expect(page.get_by_role("region", name="Message")).to_contain_text("654321")
    axe(page)


def test_on_a_phone_a_message_takes_the_place_of_the_list(page: Page, local: Stack) -> None:
    page.set_viewport_size(PHONE)
    add_email(local, f"{'ana' * 20}@example.com", subject="word" * 60)
    open_page(page, local)
    assert_fits(page)
    rows(page).get_by_role("link").click()
    expect(page.get_by_role("heading", name="wordword")).to_be_visible()
    expect(rows(page)).to_be_hidden()
    assert_fits(page)
    page.get_by_role("link", name="All messages").click()
    expect(rows(page)).to_be_visible()


def test_a_thousand_messages_are_a_list(page: Page, local: Stack) -> None:
    for number in range(1000):
        message = captured.message("sms", f"+1500{number:07}", None, "Hello")
        local.server.inbox._known[message["id"]] = message
    open_page(page, local)
    expect(rows(page)).to_have_count(1000)
    page.get_by_role("searchbox").fill("+15000000999")
    expect(rows(page)).to_have_count(1)
