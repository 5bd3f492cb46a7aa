"""The fixtures see what a page does wrong."""

import pytest
from playwright.sync_api import Page

from tests.browser.accessibility import assert_fits, axe
from tests.browser.chromium import PHONE
from tests.browser.faults import Faults
from tests.browser.site import Site


@pytest.mark.parametrize(
    ("body", "headers", "fault"),
    [
        ("<script>console.error('so')</script>", {}, "^console error: so"),
        ("<script>console.warn('so')</script>", {}, "^console warning: so"),
        ("<script>undefined.it</script>", {}, "^exception: TypeError"),
        ("<script>Promise.reject(new Error('so'))</script>", {}, "^exception: Error: so"),
        (
            "<script>document.title = 'ran'</script>",
            {"content_security_policy": "script-src 'none'"},
            "^console error: .*Content Security Policy",
        ),
        (
            "<script>new Image().src = 'https://example.com/pixel.png'</script>",
            {},
            (
                r"leaves the machine \(net::ERR_NAME_NOT_RESOLVED\): https://example.com/pixel.png|"
                r"^console error: Failed to load resource: net::ERR_NAME_NOT_RESOLVED"
            ),
        ),
        (
            "<script>new Image().src = 'https://example.com/pixel.png'</script>",
            {"content_security_policy": "img-src 'none'"},
            (
                "^refused request: https://example.com/pixel.png"
                "|^console error: Loading the image .* Content Security Policy"
            ),
        ),
    ],
)
def test_a_fault_is_seen(
    body: str, headers: dict[str, str], fault: str, *, page: Page, faults: Faults, site: Site
) -> None:
    with faults.expected(fault):
        page.goto(site.page(body, **headers), wait_until="networkidle")


def test_a_request_without_an_end_is_seen(page: Page, faults: Faults, site: Site) -> None:
    page.route("https://example.com/**", lambda _: None)
    with faults.expected(r"leaves the machine \(answered or under way\): https://example.com/it"):
        page.goto(site.page("<script>fetch('https://example.com/it')</script>"))


def test_an_unexpected_fault_fails_the_test(page: Page, faults: Faults, site: Site) -> None:
    with pytest.raises(AssertionError, match="another"), faults.expected("one"):
        page.goto(site.page("<script>console.error('one'); console.error('another')</script>"))
    with pytest.raises(AssertionError, match="no fault like"), faults.expected("one"):
        page.goto(site.page("<p>Nothing</p>"))


@pytest.mark.parametrize(
    ("body", "rule"),
    [
        ("<input>", "light: label"),
        ("<p style='color:#999;background:#fff'>Pale</p>", "light: color-contrast"),
        (
            "<style>@media (prefers-color-scheme: dark) {h1 {color:#333;background:#000}}</style>",
            "dark: color-contrast",
        ),
    ],
)
def test_axe_sees_a_fault_in_light_or_in_dark(body: str, rule: str, page: Page, site: Site) -> None:
    page.goto(site.page(body))
    with pytest.raises(AssertionError, match=rule):
        axe(page)


def test_a_page_that_is_too_wide_is_seen(page: Page, site: Site) -> None:
    page.set_viewport_size(PHONE)
    page.goto(site.page("<p style='width:500px'>Wide</p>"))
    with pytest.raises(AssertionError, match="px wide in a window of 390"):
        assert_fits(page)
