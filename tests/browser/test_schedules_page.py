"""The page Schedules: one is created, paused, resumed and cancelled."""

from playwright.sync_api import Page, expect

from tests.browser.accessibility import axe
from tests.e2e.conftest import LocalStack


def test_a_schedule_is_created_paused_resumed_and_cancelled(page: Page, stack: LocalStack) -> None:
    page.goto(f"{stack.url}/console/schedules")
    page.get_by_role("link", name="New schedule").first.click()
    page.get_by_role("link", name="send_email_template").click()
    page.get_by_role("button", name="By cron").click()
    axe(page)
    page.get_by_role("button", name="Create the schedule").click()
    page.get_by_role("link", name="Open the schedule").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("send_email_template")
    times = page.get_by_role("region", name="Next times").get_by_role("row")
    expect(times).to_have_count(1 + 10)
    axe(page)
    schedule_id = page.url.rpartition("/")[2]

    with stack.api() as api:
        page.get_by_role("button", name="Pause").click()
        expect(page.get_by_role("main")).to_contain_text("Nothing starts until it is resumed.")
        assert api.get(f"/schedules/{schedule_id}").json()["paused"]
        page.get_by_role("button", name="Resume").click()
        expect(page.get_by_role("button", name="Pause")).to_be_visible()
        assert not api.get(f"/schedules/{schedule_id}").json()["paused"]

        page.get_by_role("button", name="Cancel send_email_template").click()
        page.get_by_role("dialog").get_by_role("button", name="Cancel it").click()
        expect(page.get_by_role("status").filter(has_text="Cancelled.")).to_be_attached()
        listed = api.get("/schedules").json()["schedules"]
        assert schedule_id not in [each["schedule_id"] for each in listed]
