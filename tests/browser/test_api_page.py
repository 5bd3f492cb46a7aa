"""The page API: the reference, and each call to try."""

import re

from playwright.sync_api import Page, expect

from tests.browser.accessibility import axe
from tests.e2e.conftest import LocalStack


def test_a_call_is_found_and_tried_with_the_development_token(
    page: Page, stack: LocalStack
) -> None:
    page.goto(f"{stack.url}/console/api")
    calls = page.get_by_role("navigation", name="Calls")
    page.get_by_role("searchbox", name="Search the calls").fill("check_app_location")
    expect(calls.get_by_role("link")).to_have_count(1)
    calls.get_by_role("link").click()
    expect(page).to_have_url(re.compile("/console/api/check_app_location$"))
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_role("region", name="Answer").first).to_contain_text("200")
    expect(page.get_by_role("region", name="Body of the answer").first).to_contain_text("stage")
    axe(page)
