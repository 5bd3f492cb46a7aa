"""The page Workflows: a form made of the parameters' types calls a workflow."""

from playwright.sync_api import Page, expect

from tests.browser.accessibility import axe
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
