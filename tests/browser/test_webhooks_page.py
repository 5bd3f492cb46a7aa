"""The page Webhooks and events: a signed sample is sent, and an event of one's own."""

import subprocess
import sys

import pytest
from playwright.sync_api import Page, expect

from infra import sam
from tests.browser.accessibility import assert_fits, axe
from tests.browser.chromium import PHONE
from tests.browser.faults import Faults
from tests.e2e.conftest import LocalStack


@pytest.fixture
def secret(stack: LocalStack) -> None:
    """The secret of the source usersnap."""
    command = [sys.executable, "-m", "infra.webhooks", "--state", str(stack.state), "usersnap"]
    subprocess.run(command, cwd=sam.ROOT, input="a token of Usersnap", check=True, text=True)


@pytest.mark.usefixtures("secret")
def test_a_sample_is_verified_and_starts_a_run(page: Page, stack: LocalStack) -> None:
    page.goto(f"{stack.url}/console/webhooks")
    source = (
        page.get_by_role("list", name="Sources")
        .get_by_role("listitem")
        .filter(has_text="starts deliver_event")
    )
    source.locator("summary").first.click()
    payload = source.get_by_label("Payload")
    payload.fill('{"feedback_number": "<new>", "title": "<img src=x onerror=alert(1)>"}')
    source.get_by_role("button", name="Sign and send").click()
    expect(source.get_by_role("link", name="Open the run that it started")).to_be_visible()
    delivery = page.get_by_role("list", name="Deliveries").get_by_role("listitem").first
    expect(delivery).to_contain_text("verified")
    delivery.locator("summary").click()
    expect(delivery.get_by_role("region", name="Body")).to_contain_text("onerror=alert(1)")
    expect(delivery.get_by_role("region", name="Headers")).to_contain_text("x-usersnap-signature")
    axe(page)


def test_a_refused_delivery_says_why(page: Page, stack: LocalStack, faults: Faults) -> None:
    page.goto(f"{stack.url}/console/webhooks")
    with faults.expected("401"):
        page.evaluate("fetch('/webhooks/twilio', {method: 'POST', body: 'MessageSid=1'})")
        delivery = (
            page.get_by_role("list", name="Deliveries")
            .get_by_role("listitem")
            .filter(has_text="wrong_signature")
        )
        expect(delivery.first).to_contain_text("refused")


def test_an_event_of_ones_own_is_listed_with_its_outcome(page: Page, stack: LocalStack) -> None:
    page.goto(f"{stack.url}/console/webhooks?out")
    page.set_viewport_size(PHONE)
    page.get_by_text("Send an event of your own").click()
    page.get_by_label("Type").fill("order.packed")
    page.get_by_role("button", name="Send the event").click()
    event = (
        page.get_by_role("list", name="Events")
        .get_by_role("listitem")
        .filter(has_text="order.packed")
    )
    expect(event.first).to_contain_text("No server gets events of this type")
    assert_fits(page)
    axe(page)
