"""The page Verify: a whole verification by clicks, its message, and its requests as code."""

import re

from playwright.sync_api import Page, expect

from tests.e2e.conftest import LocalStack


def test_an_address_is_verified_by_clicks(page: Page, stack: LocalStack, email: str) -> None:
    page.goto(stack.url)
    page.get_by_label("Email address").fill(email)
    page.get_by_role("button", name="Send code").click()
    arrived = page.get_by_role("region", name="Message")
    expect(arrived).to_contain_text("Your verification code for")

    page.get_by_label("Code", exact=True).fill(stack.code(email))
    verified = page.get_by_role("status").filter(has_text="is verified")
    expect(verified).to_contain_text(email)
    for call in ("verify_send", "verify_check"):
        expect(page.get_by_role("main")).to_contain_text(call)


def test_a_number_is_verified_by_sms(page: Page, stack: LocalStack, phone: str) -> None:
    page.goto(stack.url)
    page.get_by_role("button", name="SMS").click()
    page.get_by_label("Phone number").fill(phone)
    page.get_by_role("button", name="Send code").click()
    expect(page.get_by_role("region", name="Message")).to_contain_text("is your Our app code")
    page.get_by_label("Code", exact=True).fill(stack.code(phone))
    expect(page.get_by_role("status").filter(has_text="is verified")).to_be_visible()


def test_the_message_is_in_the_inbox_with_its_code(
    page: Page, stack: LocalStack, email: str
) -> None:
    with stack.api() as api:
        api.post("/workflows/verify_send", json={"channel": "email", "to": email})
    page.goto(f"{stack.url}/console/inbox")
    page.get_by_role("searchbox").fill(email)
    message = page.get_by_role("list", name="Messages").get_by_role("listitem")
    expect(message).to_have_count(1)
    code = stack.code(email)
    message.get_by_role("button", name=f"Copy the code {code}").click()
    assert page.evaluate("navigator.clipboard.readText()") == code
    message.get_by_role("link").click()
    detail = page.get_by_role("region", name="Message")
    for tab in ("Text", "Headers", "Source"):
        detail.get_by_role("tab", name=tab).click()
        expect(detail.get_by_role("tabpanel")).to_contain_text(re.compile(r"\S{4}"))
    detail.get_by_role("tab", name="HTML").click()
    expect(page.frame_locator("iframe").locator("body")).to_contain_text(code)
