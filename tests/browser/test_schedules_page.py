"""The page Schedules: a schedule is made, paused, resumed and cancelled by clicks."""

import re
from http import HTTPStatus
from typing import Any

import httpx
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
    expect(page.get_by_text("Runs at 09:00 from Monday to Friday (Asia/Tokyo).")).to_be_visible()
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
    with faults.expected("422"):
        cron.fill("0 9 ? * MON-FRX *")
        expect(page.get_by_text(re.compile("^cron .*FRX"))).to_be_visible()
        create(page)
        expect(cron).to_have_accessible_description(re.compile("FRX must be 1 to 7"))
    expect(cron).to_be_focused()
    axe(page)


def test_times_that_the_clocks_skip_are_marked_before_a_schedule_is_made(
    new_schedule: Page,
) -> None:
    page = new_schedule
    page.get_by_role("button", name="By cron").click()
    page.get_by_label("Time zone").fill("Europe/Berlin")
    page.get_by_label("Cron expression").fill("30 2 28 3 *")
    times = page.get_by_role("region", name="Next times")
    expect(times.get_by_role("row").filter(has_text="skipped").first).to_contain_text("02:30")
    page.get_by_label("Cron expression").fill("@daily")
    expect(page.get_by_text("Runs at 00:00 every day (Europe/Berlin).")).to_be_visible()
    axe(page)


def weekly(api: httpx.Client, email: str) -> dict[str, Any]:
    """A schedule of verify_send with an end."""
    made = api.post(
        "/schedules",
        json={
            "workflow": "verify_send",
            "cron": "0 9 * * 1",
            "timezone": "Asia/Tokyo",
            "ends_at": "2099-01-01T00:00:00Z",
            "parameters": {"channel": "email", "to": email},
        },
    )
    assert made.status_code == HTTPStatus.CREATED, made.text
    created: dict[str, Any] = made.json()
    return created


@pytest.fixture
def schedule(page: Page, stack: LocalStack, email: str) -> dict[str, Any]:
    """A schedule, whose page is open."""
    with stack.api() as api:
        made = weekly(api, email)
    page.goto(f"{stack.url}/console/schedules/{made['schedule_id']}")
    return made


def test_a_schedule_is_changed(page: Page, stack: LocalStack, schedule: dict[str, Any]) -> None:
    page.get_by_role("button", name="Change", exact=True).click()
    expect(page.get_by_label("Cron expression")).to_have_value("0 9 ? * MON *")
    expect(page.get_by_label("Ends at")).to_have_value("2099-01-01T09:00")
    page.get_by_label("Cron expression").fill("0 8 * * 2")
    page.get_by_label("Time zone").fill("Europe/Berlin")
    page.get_by_label("Ends at").fill("")
    page.get_by_label("While a run of it is under way").select_option("skip")
    page.get_by_label(re.compile("^to")).fill("ben@example.com")
    axe(page)
    page.set_viewport_size(PHONE)
    assert_fits(page)
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Runs at 08:00 on Tuesdays (Europe/Berlin).")).to_be_visible()
    expect(page.get_by_role("button", name="Save")).to_have_count(0)
    with stack.api() as api:
        now = api.get(f"/schedules/{schedule['schedule_id']}").json()
    assert (now["timezone"], now["ends_at"], now["overlap"]) == ("Europe/Berlin", None, "skip")
    assert now["parameters"] == schedule["parameters"] | {"to": "ben@example.com"}


def test_a_schedule_that_is_not_changed_says_so(
    page: Page, schedule: dict[str, Any], faults: Faults
) -> None:
    del schedule
    page.get_by_role("button", name="Change", exact=True).click()
    with faults.expected("422"):
        page.get_by_role("button", name="Save").click()
        expect(page.get_by_role("alert").get_by_text("needs at least one change")).to_be_visible()
    page.get_by_role("button", name="Keep it as it is").click()
    expect(page.get_by_role("button", name="Save")).to_have_count(0)


def test_a_schedule_runs_now_and_lists_its_runs(
    page: Page, stack: LocalStack, schedule: dict[str, Any]
) -> None:
    page.get_by_role("button", name="Run now").click()
    starter = page.get_by_role("link", name="a schedule")
    expect(starter).to_have_attribute("href", f"/console/schedules/{schedule['schedule_id']}")
    run = page.url.rpartition("/")[2]
    starter.click()
    last = page.get_by_role("region", name="Last runs")
    expect(last.get_by_role("link")).to_have_attribute("href", f"/console/runs/{run}")
    page.get_by_role("link", name="All of its runs").click()
    expect(page.get_by_role("list", name="Runs").get_by_role("link")).to_have_count(1)
    expect(page.get_by_role("link", name="one schedule")).to_be_visible()
    page.goto(f"{stack.url}/console/schedules")
    listed = page.get_by_role("listitem").filter(has_text="at 09:00 on Mondays (Asia/Tokyo)")
    expect(listed.locator(f"a[href$='{run}']")).to_be_visible()


def test_a_schedule_of_a_revoked_token_is_taken_over(
    page: Page, stack: LocalStack, email: str
) -> None:
    issued = stack.new_token("secret", "runs:write,runs:read,workflow:verify_send")
    with stack.api(issued["token"]) as api:
        schedule_id = weekly(api, email)["schedule_id"]
        assert api.patch(f"/schedules/{schedule_id}", json={"paused": True}).is_success
    stack.token("revoke", issued["token_id"])
    page.goto(f"{stack.url}/console/schedules/{schedule_id}")
    expect(page.get_by_text("its token was revoked")).to_be_visible()
    axe(page)
    page.get_by_role("button", name="Take over verify_send").click()
    expect(page.get_by_role("button", name="Pause verify_send")).to_be_visible()
    expect(page.get_by_role("definition").filter(has_text="development secret")).to_be_visible()
