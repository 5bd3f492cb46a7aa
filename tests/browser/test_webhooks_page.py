"""The page Webhooks: a signed sample is sent, and starts a run."""

from playwright.sync_api import Page, expect

from tests.browser.accessibility import axe
from tests.e2e.conftest import LocalStack


def test_a_signed_sample_is_verified_and_starts_a_run(page: Page, stack: LocalStack) -> None:
    page.goto(f"{stack.url}/console/webhooks")
    source = page.get_by_role("article", name="Source twilio")
    source.get_by_role("button", name="Send a signed sample").click()
    axe(page)
    source.get_by_role("button", name="Sign and send").click()
    expect(source.get_by_role("region", name="Answer").first).to_contain_text("202")
    delivery = page.get_by_role("list", name="Deliveries").get_by_role("listitem").first
    expect(delivery).to_contain_text("verified")
    axe(page)
    source.get_by_role("link", name="Open the run that it started").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("track_delivery")
