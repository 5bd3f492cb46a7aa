"""Steps of a long run: drawn while it goes on, woken by an event, and after a wait that ran out."""

from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser import onboarding
from tests.browser.accessibility import assert_fits, axe
from tests.browser.chromium import PHONE
from tests.browser.faults import Faults
from tests.e2e.conftest import WAIT_SECONDS, LocalStack

LONG_MS = WAIT_SECONDS * 1000
STARTED, UNTIL = "2026-11-27T10:00:00Z", "2099-01-01T00:00:00Z"


@pytest.fixture(autouse=True)
def _added(page: Page, stack: LocalStack) -> None:
    onboarding.add(page, stack)


@pytest.fixture
def waiting_run(page: Page, stack: LocalStack, email: str) -> Page:
    """A run whose item waits for an approval."""
    run_id = onboarding.begin(stack, order=email)
    page.goto(f"{stack.url}/console/runs/{run_id}")
    expect(steps(page)).to_have_count(3, timeout=LONG_MS)
    return page


def steps(page: Page) -> Locator:
    return page.get_by_role("list", name="Steps").locator(":scope > li")


def progress(page: Page) -> Locator:
    return page.get_by_role("region", name="Progress")


def test_steps_are_drawn_in_their_order_with_what_they_wait_for(waiting_run: Page) -> None:
    page = waiting_run
    ask, settle, wait = steps(page).all()
    expect(ask).to_contain_text("ask the manager")
    expect(ask).to_contain_text("attempts")
    expect(ask).to_contain_text('{"sent_to":"dana@example.com"}')
    expect(settle).to_contain_text("sleep")
    expect(wait).to_contain_text("wait for an event")
    expect(wait).to_contain_text("gives up in 2 d 23 h")
    expect(progress(page)).to_contain_text("Waits fororder.approved")
    expect(progress(page).locator(".pill")).to_have_text("waiting")
    expect(progress(page).get_by_role("progressbar")).to_have_attribute(
        "aria-valuetext", "0 of 1 succeeded · 1 waiting"
    )
    ask.locator("summary").click()
    expect(ask.get_by_role("region", name="Result of ask the manager")).to_be_visible()
    axe(page)
    page.set_viewport_size(PHONE)
    assert_fits(page)


def test_an_event_wakes_the_item_from_its_page(waiting_run: Page, faults: Faults) -> None:
    page = waiting_run
    page.goto(f"{page.url}/0")
    expect(page.get_by_label("Type")).to_have_value(onboarding.EVENT)
    send = page.get_by_role("button", name="Send the event")
    page.get_by_label("Data").fill("{by: dana}")
    send.click()
    expect(page.get_by_role("alert")).to_contain_text("The data cannot be read")
    page.get_by_label("Data").fill('["dana"]')
    with faults.expected("status of 422"):
        send.click()
        expect(page.get_by_role("alert")).to_contain_text("must be an object")
    axe(page)
    page.get_by_label("Data").fill('{"by": "dana"}')
    send.click()
    expect(page.get_by_role("status")).to_have_text("The item goes on.")
    expect(steps(page).nth(2)).to_contain_text('{"by":"dana"}', timeout=LONG_MS)
    expect(page.get_by_role("region", name="Result", exact=True)).to_contain_text(
        '"approved": true'
    )
    expect(send).to_be_hidden()
    expect(page.get_by_role("button", name="Cancel the run")).to_be_hidden()


def test_what_is_typed_stays_while_the_page_refreshes(waiting_run: Page) -> None:
    page = waiting_run
    page.get_by_label("Data").fill('{"by": "da')
    with page.expect_response("**/steps"), page.expect_response("**/steps"):
        pass
    expect(page.get_by_label("Data")).to_have_value('{"by": "da')


def test_a_run_that_waits_is_found_in_the_list_and_cancelled(
    waiting_run: Page, stack: LocalStack
) -> None:
    page, run = waiting_run, waiting_run.url.rpartition("/")[2]
    page.goto(f"{stack.url}/console/runs?workflow={onboarding.NAME}")
    listed = page.get_by_role("list", name="Runs").locator(f"a[href$='{run}']")
    page.get_by_role("button", name="Waiting").click()
    expect(listed).to_contain_text("0 of 1 succeeded · 1 waiting")
    expect(listed.locator(".pill")).to_have_text("waiting")
    page.goto(f"{stack.url}/console/runs/{run}/0")
    page.get_by_role("button", name="Cancel the run").click()
    page.get_by_role("dialog").get_by_role("button", name="Cancel the run").click()
    page.goto(f"{stack.url}/console/runs/{run}")
    expect(progress(page).locator(".pill")).to_have_text("cancelled", timeout=LONG_MS)
    page.goto(f"{stack.url}/console/runs?workflow={onboarding.NAME}&status=waiting")
    expect(listed).to_have_count(0)


def test_a_wait_that_ran_out_says_so(page: Page, stack: LocalStack, email: str) -> None:
    run_id = onboarding.begin(stack, order=email, seconds=0.001)
    page.goto(f"{stack.url}/console/runs/{run_id}/0")
    expect(steps(page).nth(2)).to_contain_text("no event came in time", timeout=LONG_MS)
    result = page.get_by_role("region", name="Result", exact=True)
    expect(result).to_contain_text('"approved": false')


def step(name: str, kind: str, status: str, **more: Any) -> dict[str, Any]:
    """A step as the API answers it."""
    others = {"attempts": 1, "started_at": STARTED, "finished_at": None, "until": None}
    told = {"result": None, "problem": None}
    return {"name": name, "kind": kind, "status": status} | others | told | more


PROBLEM = {"title": "T", "code": "provider_unavailable", "detail": "It does not answer."}


def test_a_run_below_a_pause_and_a_failed_step_say_what_comes_next(waiting_run: Page) -> None:
    page = waiting_run
    ended = {"finished_at": "2026-11-28T10:00:00Z"}
    branch = {"run_id": "grant.1", "status": "succeeded", "total": 2, "succeeded": 2, "failed": 0}
    shown = [
        step("grant", "run", "succeeded", **ended, result=branch),
        step("remind", "step", "waiting", attempts=3, until=UNTIL, problem=PROBLEM),
        step("charge", "step", "failed", **ended, problem=PROBLEM),
    ]
    page.route("**/steps", lambda route: route.fulfill(json={"steps": shown}))
    expect(steps(page)).to_have_count(3)
    branch_run, paused, failed = steps(page).all()
    expect(branch_run).to_contain_text("1 d 0 h")
    branch_run.locator("summary").click()
    expect(branch_run.get_by_role("link", name="The run")).to_have_attribute(
        "href", "/console/runs/grant.1"
    )
    expect(paused).to_contain_text("3 attempts")
    expect(paused).to_contain_text("provider_unavailable It does not answer.")
    expect(paused).to_contain_text("next attempt in")
    expect(failed.locator(".pill")).to_have_text("failed")
    expect(page.get_by_role("button", name="Send the event")).to_be_hidden()
    axe(page)
