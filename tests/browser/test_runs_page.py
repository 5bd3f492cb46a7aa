"""The page Runs: a list is watched to its end, a failure is opened to its traceback and retried."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.accessibility import assert_fits, axe
from tests.browser.chromium import PHONE
from tests.browser.faults import Faults
from tests.browser.filled import REFUSED, message, start_list
from tests.e2e import runs
from tests.e2e.conftest import WAIT_SECONDS, LocalStack

LONG_MS = WAIT_SECONDS * 1000


@pytest.fixture
def ended_run(page: Page, stack: LocalStack, email: str) -> Page:
    """A run that has ended, of two items of which the second failed."""
    name = email.partition("@")[0]
    with stack.api() as api:
        started = start_list(api, [email, f"{name}@{REFUSED}"])
        ended = runs.ended(api, started["run_id"])
    assert ended["failed"] == 1
    page.goto(f"{stack.url}/console/runs/{started['run_id']}")
    return page


def progress(page: Page) -> Locator:
    return page.get_by_role("region", name="Progress")


def items(page: Page) -> Locator:
    return page.get_by_role("list", name="Items").locator(":scope > li")


def test_a_list_of_200_with_5_failures_is_watched_to_its_end(page: Page, stack: LocalStack) -> None:
    page.goto(f"{stack.url}/console/workflows/send_email_template?how=list")
    page.get_by_role("button", name="Make a sample of 200 items, 5 of them wrong").click()
    page.get_by_role("button", name="Start 200 items").click()
    page.get_by_role("link", name="Open the run").click()
    expect(progress(page).get_by_role("progressbar")).to_be_visible()
    expect(progress(page)).to_contain_text("5 failed", timeout=LONG_MS)
    expect(progress(page).get_by_role("definition").filter(has_text="195")).to_have_count(1)
    page.get_by_role("group", name="Items").get_by_role("button", name="Failed").click()
    expect(items(page).filter(has_text="failed")).to_have_count(5)
    expect(items(page)).to_have_count(5)
    axe(page)


def test_a_failing_item_is_opened_to_its_traceback(ended_run: Page) -> None:
    page = ended_run
    page.get_by_role("group", name="Items").get_by_role("button", name="Failed").click()
    expect(items(page)).to_have_count(1)
    items(page).locator("summary").first.click()
    traceback = items(page).get_by_role("region", name="Traceback")
    expect(traceback.first).to_contain_text("Traceback (most recent call last):")
    expect(traceback.first).to_contain_text("MessageRejected")
    axe(page)
    page.set_viewport_size(PHONE)
    assert_fits(page)


def test_an_item_has_a_page_with_its_row_and_its_parameters(
    ended_run: Page, faults: Faults
) -> None:
    page, run = ended_run, ended_run.url
    items(page).nth(1).locator("summary").first.click()
    page.get_by_role("link", name="The item's own page").click()
    expect(page.get_by_role("heading", name="Item 1", level=1)).to_be_visible()
    expect(page.get_by_role("definition").first).to_have_text("3")
    expect(page.get_by_role("region", name="Parameters")).to_contain_text(f"@{REFUSED}")
    expect(page.get_by_role("region", name="Traceback").first).to_contain_text("MessageRejected")
    axe(page)
    page.set_viewport_size(PHONE)
    assert_fits(page)
    with faults.expected("status of 404"):
        page.goto(f"{run}/2")
        expect(page.get_by_role("alert")).to_contain_text("not_found")


def test_an_item_that_is_tried_again_and_one_that_was_skipped_say_why(ended_run: Page) -> None:
    page = ended_run
    soon = (datetime.now(UTC) + timedelta(minutes=2)).isoformat()
    problem = {"title": "T", "code": "provider_unavailable", "detail": "It does not answer."}
    item = {"attempts": 2, "started_at": soon, "finished_at": None, "result": None}
    found = [
        item | {"index": 0, "status": "running", "problem": problem, "next_attempt_by": soon},
        item | {"index": 1, "status": "skipped", "problem": None, "next_attempt_by": None},
    ]
    page.route("**/items?*", lambda route: route.fulfill(json={"items": found, "cursor": None}))
    page.reload()
    expect(items(page).nth(0)).to_contain_text("provider_unavailable It does not answer.")
    expect(items(page).nth(0)).to_contain_text("next in 2 minutes")
    expect(items(page).nth(1)).to_contain_text("skipped")
    axe(page)


def test_an_ended_run_is_exported(ended_run: Page) -> None:
    with ended_run.expect_download() as download:
        ended_run.get_by_role("button", name="Export as CSV").click()
    header, first, second = download.value.path().read_text("utf-8-sig").splitlines()
    assert header.startswith("row,status,result,problem,detail")
    assert first.startswith("2,succeeded")
    assert second.startswith("3,failed")
    expect(progress(ended_run)).to_be_visible()


def test_failed_items_are_retried_in_a_run_of_their_own(ended_run: Page) -> None:
    page, first = ended_run, ended_run.url
    page.get_by_role("button", name="Retry 1 failed item").click()
    before = page.get_by_role("link", name="the run before it")
    expect(before).to_have_attribute("href", first[first.index("/console") :])
    expect(progress(page)).to_contain_text("failed", timeout=LONG_MS)
    expect(items(page)).to_have_count(1)
    expect(progress(page)).to_contain_text("development secret")


def test_runs_are_filtered_by_status_and_workflow(
    ended_run: Page, stack: LocalStack, faults: Faults
) -> None:
    page, run = ended_run, ended_run.url.rpartition("/")[2]
    expect(progress(page)).to_contain_text("partly failed")
    page.goto(f"{stack.url}/console/runs")
    listed = page.get_by_role("list", name="Runs").locator(f"a[href$='{run}']")
    expect(listed).to_contain_text("partly failed")
    expect(listed).to_contain_text("1 of 2 succeeded · 1 failed")
    page.get_by_role("button", name="Partly failed").click()
    page.get_by_label("Workflow", exact=True).select_option("send_email_template")
    expect(page).to_have_url(re.compile(r"\?workflow=send_email_template&status=partly_failed$"))
    expect(listed).to_be_visible()
    axe(page)
    page.set_viewport_size(PHONE)
    assert_fits(page)
    page.get_by_role("button", name="Succeeded").click()
    expect(listed).to_have_count(0)
    page.goto(f"{stack.url}/console/runs?workflow=record_registration&status=cancelled")
    expect(page.get_by_role("heading", name="No run is like this")).to_be_visible()
    with faults.expected("status of 422"):
        page.goto(f"{stack.url}/console/runs?status=lost")
        expect(page.get_by_role("alert").filter(has_text="invalid_parameters")).to_be_visible()


def test_a_run_is_cancelled_with_what_it_started_and_continued(
    page: Page, stack: LocalStack, email: str
) -> None:
    with stack.api() as api:
        started = runs.start(
            api,
            "send_email_template",
            items=[{"to": email}, {"to": email}],
            parameters={**message(""), "to": email},
            interval_seconds=600,
        )
    page.goto(f"{stack.url}/console/runs/{started['run_id']}")
    page.get_by_role("button", name="Cancel the run").click()
    question = page.get_by_role("dialog")
    question.get_by_label("the runs that its items started").check()
    axe(page)
    with page.expect_request(re.compile(r"descendants=true$")):
        question.get_by_role("button", name="Cancel the run").click()
    expect(progress(page)).to_contain_text("cancelled")
    page.get_by_role("button", name="Continue with").click()
    before = page.get_by_role("link", name="the run before it")
    expect(before).to_have_attribute("href", f"/console/runs/{started['run_id']}")
    page.get_by_role("button", name="Cancel the run").click()
    page.get_by_role("dialog").get_by_role("button", name="Keep it").click()
    expect(page.get_by_role("dialog")).to_have_count(0)
