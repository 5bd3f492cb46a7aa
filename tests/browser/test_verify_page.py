"""The page Verify: a whole verification by clicks, its message, and its requests as code."""

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
