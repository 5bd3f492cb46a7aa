"""The page Webhooks and events: a signed sample is sent, and an event of one's own."""

import re
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.accessibility import assert_fits, axe
from tests.browser.chromium import PHONE
from tests.browser.faults import Faults
from tests.browser.filled import set_secret
from tests.e2e.conftest import LocalStack


@pytest.fixture
def secret(stack: LocalStack) -> None:
    """The secret of the source usersnap."""
    set_secret(stack)


def deliveries(page: Page) -> Locator:
    return page.get_by_role("list", name="Deliveries").locator(":scope > li")


@pytest.mark.usefixtures("secret")
def test_a_sample_is_verified_kept_and_replayed(page: Page, stack: LocalStack) -> None:
    page.goto(f"{stack.url}/console/webhooks")
    sources = page.get_by_role("list", name="Sources").get_by_role("link")
    sources.filter(has_text="starts deliver_event").first.click()
    payload = page.get_by_label("Payload")
    payload.fill('{"feedback_number": "<new>", "title": "<img src=x onerror=alert(1)>"}')
    page.get_by_role("button", name="Sign and send").click()
    expect(page.get_by_role("link", name="Open the run that it started")).to_be_visible()
    newest = deliveries(page).first
    expect(newest).to_contain_text("started")
    newest.locator("summary").click()
    expect(newest.get_by_role("region", name="Payload")).to_contain_text("onerror=alert(1)")
    first_run = newest.get_by_role("link", name="The run").get_attribute("href")
    axe(page)
    page.set_viewport_size(PHONE)
    assert_fits(page)
    newest.get_by_role("button", name="Replay").click()
    expect(page.get_by_text("Replayed: it started a run.")).to_be_visible()
    expect(newest.get_by_role("link", name="The run")).not_to_have_attribute("href", str(first_run))
    page.get_by_role("button", name="Failed").click()
    expect(page.get_by_role("heading", name="No delivery is like this")).to_be_visible()
    page.goto(f"{stack.url}/console/webhooks")
    call = page.get_by_role("list", name="Calls").get_by_role("link").first
    expect(call).to_contain_text("verified")
    axe(page)
    call.click()
    expect(page.get_by_role("region", name="Body of the request")).to_contain_text("onerror")


EVENT_SOURCE = {
    "source": "payments", "scheme": "stripe", "workflow": None, "parameters": None, "keep": True,
    "event": "invoice.paid", "key": "payload.data.object.id", "data": None, "secret_set": True,
    "sample_payload": "{}",
}  # fmt: skip


def delivery(status: str, **more: object) -> dict[str, Any]:
    about = {"id": status, "received_at": "2026-11-27T10:00:00Z", "status": status}
    return about | {"run_id": None, "woken": None, "problem": None} | more


def answer(page: Page, url: str, body: dict[str, Any]) -> None:
    page.route(url, lambda route: route.fulfill(json=body))


def test_a_source_of_events_says_what_it_sends_and_whom_that_woke(
    page: Page, stack: LocalStack
) -> None:
    sources = {"sources": [EVENT_SOURCE], "mistakes": []}
    made = {"signed": True, "path": "/webhooks/payments", "headers": {}, "body": "{}"}
    listed = {"deliveries": [delivery("sent", woken=1), delivery("ignored")], "cursor": None}
    answer(page, f"{stack.url}/_local/webhooks", sources)
    answer(page, f"{stack.url}/_local/webhooks/payments/sample", made)
    path = f"{stack.url}/webhooks/payments"
    answer(page, path, {"run_id": None, "woken": 2})
    answer(page, f"{path}/deliveries*", listed)
    answer(page, f"{path}/deliveries/sent", {"payload": {"id": "evt_1"}, "query": {}})
    answer(page, f"{path}/deliveries/sent/replay", {"run_id": None, "woken": 0})
    page.goto(f"{stack.url}/console/webhooks")
    source = page.get_by_role("list", name="Sources").get_by_role("link")
    expect(source).to_contain_text("sends invoice.paid")
    source.click()
    facts = page.locator(".facts")
    expect(facts).to_contain_text("Sendsinvoice.paid")
    expect(facts).not_to_contain_text("Starts")
    page.get_by_text("Its expressions").click()
    expect(page.get_by_role("region", name="key")).to_have_text("payload.data.object.id")
    page.get_by_role("button", name="Sign and send").click()
    expect(page.get_by_text("Its event woke 2 items.")).to_be_visible()
    sent, ignored = deliveries(page).all()
    expect(sent).to_contain_text("Its event woke 1 item.")
    expect(ignored).to_contain_text("its expression asks for nothing")
    sent.locator("summary").click()
    sent.get_by_role("button", name="Replay").click()
    expect(page.get_by_text("Replayed. Its event woke 0 items.")).to_be_visible()
    axe(page)


def test_a_refused_delivery_says_why(page: Page, stack: LocalStack, faults: Faults) -> None:
    page.goto(f"{stack.url}/console/webhooks")
    with faults.expected("401"):
        page.evaluate("fetch('/webhooks/twilio', {method: 'POST', body: 'MessageSid=1'})")
        call = page.get_by_role("list", name="Calls").get_by_role("link")
        call = call.filter(has_text="wrong_signature").first
        expect(call).to_contain_text("refused")


def test_an_event_of_ones_own_is_listed_with_its_outcome(page: Page, stack: LocalStack) -> None:
    page.goto(f"{stack.url}/console/webhooks?out")
    page.set_viewport_size(PHONE)
    page.get_by_role("link", name="Send an event of your own").click()
    page.get_by_label(re.compile("^type")).fill("order.packed")
    page.get_by_role("button", name="Start it in the background").click()
    expect(page.get_by_role("link", name="Open the run")).to_be_visible()
    page.goto(f"{stack.url}/console/webhooks?out")
    event = (
        page.get_by_role("list", name="Events")
        .get_by_role("listitem")
        .filter(has_text="order.packed")
    )
    expect(event.first).to_contain_text("No server gets events of this type")
    assert_fits(page)
    axe(page)
