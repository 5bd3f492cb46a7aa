"""The page Workflows: a form made of the parameters' types calls a workflow."""

from playwright.sync_api import Page, expect

from tests.browser.accessibility import assert_fits, axe
from tests.browser.chromium import PHONE
from tests.browser.faults import Faults
from tests.e2e.conftest import LocalStack


def test_a_workflow_is_called_now_and_its_request_is_shown(
    page: Page, stack: LocalStack, email: str
) -> None:
    page.goto(f"{stack.url}/console/workflows/send_email_template")
    page.get_by_role("textbox", name="to required").fill(email)
    page.get_by_role("button", name="Call send_email_template").click()
    answer = page.get_by_role("region", name="Answer").first
    expect(answer).to_contain_text("200")
    expect(answer).to_contain_text("message_id")
    answer.get_by_role("link", name="Log of this request").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(
        "POST /workflows/send_email_template"
    )
    expect(page.get_by_role("main")).to_contain_text("answered")
    axe(page)
    page.go_back()
    expect(page.get_by_role("textbox", name="to required")).to_have_value(email)


def test_a_wrong_parameter_is_told_beside_its_field(
    page: Page, stack: LocalStack, faults: Faults
) -> None:
    page.goto(f"{stack.url}/console/workflows/send_email_template")
    to = page.get_by_role("textbox", name="to required")
    to.fill("nobody")
    with faults.expected("status of 422"):
        page.get_by_role("button", name="Call send_email_template").click()
        expect(to).to_have_attribute("aria-invalid", "true")
    axe(page)


def paste(page: Page, stack: LocalStack, *rows: str) -> None:
    """Gives a list to the tab of send_email_template, which checks it at once."""
    page.goto(f"{stack.url}/console/workflows/send_email_template?how=list")
    page.get_by_text("Paste a list").click()
    page.get_by_role("textbox", name="List", exact=True).fill("\n".join(rows))
    page.get_by_role("button", name="Use this list").click()


def test_a_list_is_checked_before_it_starts(page: Page, stack: LocalStack, email: str) -> None:
    paste(page, stack, "to;template", f"{email};message", "nobody;message", f"{email};lost")
    expect(page.get_by_text("2 of 3 items would fail.")).to_be_visible()
    wrong = page.get_by_role("region", name="Items that are wrong").get_by_role("row")
    expect(wrong.nth(1)).to_contain_text("3tois not a valid email address")
    expect(wrong.nth(2)).to_contain_text("4template")
    expect(page.get_by_role("button", name="Start 3 items")).to_be_visible()
    axe(page)
    page.set_viewport_size(PHONE)
    assert_fits(page)
    page.get_by_role("textbox", name="List", exact=True).fill(f"to\n{email}")
    page.get_by_role("button", name="Use this list").click()
    expect(page.get_by_text("1 item: the workflow accepts every one.")).to_be_visible()
    page.get_by_role("button", name="Start 1 item").click()
    expect(page.get_by_role("link", name="Open the run")).to_be_visible()


def test_a_list_in_which_every_item_is_wrong_is_refused_with_its_rows(
    page: Page, stack: LocalStack, faults: Faults
) -> None:
    paste(page, stack, "to", "nobody", "no one")
    with faults.expected("status of 422"):
        page.get_by_role("button", name="Start 2 items").click()
        told = page.get_by_role("alert").filter(has_text="invalid_parameters")
        expect(told).to_contain_text("row 3: is not a valid email address")
    axe(page)


def test_a_list_that_cannot_be_read_says_where(
    page: Page, stack: LocalStack, faults: Faults
) -> None:
    with faults.expected("status of 422"):
        paste(page, stack, "to,locale", "ana@example.com,en,de")
        expect(page.get_by_role("alert").filter(has_text="row 2")).to_be_visible()
