"""Every page of the console: no fault, light and dark, a phone's width, and keys alone."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.accessibility import assert_fits, axe
from tests.browser.chromium import PHONE
from tests.e2e.conftest import LocalStack

PAGES = {
    "/": "Verify",
    "/console/inbox": "Inbox",
    "/console/emails": "Emails",
    "/console/workflows": "Workflows",
    "/console/workflows/send_email_template": "send_email_template",
    "/console/runs": "Runs",
    "/console/schedules": "Schedules",
    "/console/workflows?how=schedule": "New schedule",
    "/console/webhooks": "Webhooks and events",
    "/console/requests": "Requests",
    "/console/api": "API",
}


@pytest.mark.parametrize("path", PAGES)
def test_a_page_has_no_fault_in_light_dark_and_on_a_phone(
    path: str, page: Page, filled: LocalStack
) -> None:
    page.goto(filled.url + path)
    expect(page.get_by_role("heading", level=1)).to_have_text(PAGES[path])
    expect(page.get_by_role("main")).not_to_have_text("")
    axe(page)
    page.set_viewport_size(PHONE)
    assert_fits(page)
    axe(page)


def test_every_page_is_one_click_from_every_other(page: Page, filled: LocalStack) -> None:
    page.goto(filled.url)
    links = page.get_by_role("navigation", name="Pages").get_by_role("link")
    titles = links.all_inner_texts()
    for title in titles:
        links.get_by_text(title, exact=True).click()
        heading = page.get_by_role("heading", level=1)
        expect(heading).to_contain_text(title)
        expect(links.get_by_text(title, exact=True)).to_have_attribute("aria-current", "page")
        assert title in page.title()
    assert set(PAGES) >= {link.get_attribute("href") for link in links.all()}
    page.go_back()
    expect(page.get_by_role("heading", level=1)).to_contain_text(titles[-2])


def test_the_keyboard_skips_to_the_page_and_reaches_its_first_control(
    page: Page, filled: LocalStack
) -> None:
    page.goto(f"{filled.url}/console/requests")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the page")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.querySelector('main').contains(document.activeElement)")


def test_another_site_can_neither_frame_nor_read_the_console(
    page: Page, filled: LocalStack
) -> None:
    answers = {
        path: page.request.get(filled.url + path, headers={"sec-fetch-site": "cross-site"})
        for path in ("/_local/about", "/_local/inbox")
    }
    assert {path: answer.status for path, answer in answers.items()} == dict.fromkeys(answers, 403)
    headers = page.request.get(filled.url).headers
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert "access-control-allow-origin" not in headers
