"""The page Schedules: a schedule is made, paused, resumed and cancelled by clicks."""

import re
from http import HTTPStatus

import pytest
from playwright.sync_api import Page, expect

from tests.browser.accessibility import assert_fits, axe
from tests.browser.chromium import PHONE
from tests.browser.faults import Faults
from tests.e2e.conftest import LocalStack


@pytest.fixture
def new_schedule(page: Page, stack: LocalStack, email: str) -> Page:
    """The form of a new schedule of verify_send."""
    page.goto(f"{stack.url}/console/workflows/verify_send?how=schedule")
    page.get_by_label(re.compile("^to")).fill(email)
    return page


def create(page: Page) -> None:
    """Presses the button and waits for the answer, which may come from a cold function."""
    with page.expect_response(lambda answer: answer.url.endswith("/schedules"), timeout=60_000):
        page.get_by_role("button", name="Create the schedule").click()


def open_created(page: Page) -> None:
    """Opens the page of the schedule that was created."""
    create(page)
    page.get_by_role("link", name="Open the schedule").click()


def test_a_schedule_is_created_paused_resumed_and_cancelled(
    new_schedule: Page, stack: LocalStack
) -> None:
    page = new_schedule
    page.get_by_role("button", name="By cron").click()
    page.get_by_label("Time zone").fill("Asia/Tokyo")
    expect(page.get_by_text("Runs at 09:00 on Monday to Friday, in Asia/Tokyo.")).to_be_visible()
    open_created(page)
    expect(page.get_by_role("heading", name="verify_send", level=1)).to_be_visible()
    times = page.get_by_role("region", name="Next times").get_by_role("row")
    expect(times).to_have_count(1 + 10)
    expect(times.nth(1)).to_contain_text("09:00")
    axe(page)
    page.set_viewport_size(PHONE)
    assert_fits(page)
    schedule = f"/schedules/{page.url.rpartition('/')[2]}"
    with stack.api() as api:
        page.get_by_role("button", name="Pause verify_send").click()
        expect(page.get_by_text("Nothing starts until it is resumed.")).to_be_visible()
        assert api.get(schedule).json()["paused"]
        page.get_by_role("button", name="Resume verify_send").click()
        expect(page.get_by_text("Nothing starts until it is resumed.")).to_be_hidden()
        assert not api.get(schedule).json()["paused"]
        page.get_by_role("button", name="Cancel verify_send").click()
        page.get_by_role("dialog").get_by_role("button", name="Cancel it").click()
        expect(page.get_by_role("heading", name="Schedules", level=1)).to_be_visible()
        assert api.get(schedule).status_code == HTTPStatus.NOT_FOUND


def test_a_group_is_cancelled_together(new_schedule: Page, stack: LocalStack, email: str) -> None:
    group, page = email.partition("@")[0], new_schedule
    page.get_by_role("button", name="Every").click()
    page.get_by_label("Group").fill(group)
    open_created(page)
    expect(page.get_by_role("heading", name="Next ten times")).to_be_visible()
    page.goto(f"{stack.url}/console/schedules?group={group}")
    expect(page.get_by_role("list", name="Schedules").get_by_role("listitem")).to_have_count(1)
    page.set_viewport_size(PHONE)
    assert_fits(page)
    axe(page)
    page.get_by_role("button", name="Cancel the group").click()
    page.get_by_role("dialog").get_by_role("button", name="Cancel them").click()
    expect(page.get_by_text("Cancelled 1 schedule.")).to_be_visible()


def test_a_schedule_that_is_due_at_once_leads_to_its_run(new_schedule: Page) -> None:
    page = new_schedule
    page.get_by_role("button", name="After").click()
    page.get_by_label("From now, unit").select_option("seconds")
    create(page)
    run = page.get_by_role("link", name="Open the run")
    expect(run).to_have_attribute("href", re.compile(r"^/console/runs/verify_send\."))


def test_an_error_stands_beside_its_field(new_schedule: Page, faults: Faults) -> None:
    page = new_schedule
    page.get_by_role("button", name="By cron").click()
    cron = page.get_by_label("Cron expression")
    cron.fill("0 9 ? * MON-FRX *")
    with faults.expected("422"):
        create(page)
        expect(cron).to_have_accessible_description(re.compile("FRX must be 1 to 7"))
    expect(cron).to_be_focused()
    axe(page)
