"""The page Requests: a call is found by its filter, and opened to its log."""

from http import HTTPStatus

from playwright.sync_api import Page, expect

from tests.browser.accessibility import assert_fits, axe
from tests.browser.chromium import PHONE
from tests.browser.faults import Faults
from tests.e2e.conftest import LocalStack

TRACEBACK = 'Traceback (most recent call last):\n  File "functions/x.py"\nRuntimeError: so'
FAILED = {
    "request": {
        "request_id": "r-1",
        "at": "2026-01-31T12:00:00Z",
        "method": "POST",
        "path": "/workflows/explode",
        "status": 500,
        "code": "internal_error",
        "detail": "Something failed.",
        "duration_ms": 12,
        "caller": "development secret",
        "from": "program",
        "run_id": None,
    },
    "query": "",
    "headers": {"content-type": "application/json"},
    "body": {"fuse": "short"},
    "again": {
        "method": "POST",
        "path": "/workflows/explode",
        "headers": {"content-type": "application/json"},
        "body": {"fuse": "short"},
    },
    "answer": {"title": "Something failed", "code": "internal_error", "detail": "Try again."},
    "lines": [
        {
            "at": "2026-01-31T12:00:00.000Z",
            "level": "ERROR",
            "about": "explode",
            "message": "problem",
            "keys": {"status": 500},
            "traceback": TRACEBACK,
        }
    ],
}


def test_a_refused_call_is_found_and_shows_its_problem(page: Page, stack: LocalStack) -> None:
    with stack.api() as api:
        assert api.get("/runs").status_code == HTTPStatus.OK
        answer = api.post("/workflows/verify_send", json={"channel": "email", "to": "nobody"})
    assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    page.goto(f"{stack.url}/console/requests")
    page.get_by_label("Path contains").fill("verify_send")
    page.get_by_label("Status").select_option("Only problems")
    expect(page.get_by_role("link", name="GET /runs")).to_have_count(0)
    page.set_viewport_size(PHONE)
    assert_fits(page)
    axe(page)
    page.get_by_role("link", name="POST /workflows/verify_send").first.click()
    expect(
        page.get_by_role("alert").filter(has_text="is not a valid email address")
    ).to_be_visible()
    expect(page.get_by_role("listitem").filter(has_text="verify_send: problem")).to_be_visible()
    assert_fits(page)
    axe(page)


def test_an_unknown_request_says_how_to_read_the_log(
    page: Page, stack: LocalStack, faults: Faults
) -> None:
    with faults.expected("404"):
        page.goto(f"{stack.url}/console/requests/nobody-made-it")
        expect(page.get_by_role("heading", name="No such request")).to_be_visible()
    expect(page.get_by_text("make logs REQUEST=nobody-made-it")).to_be_visible()
    axe(page)


def test_a_failure_shows_its_log_with_the_traceback_first(page: Page, stack: LocalStack) -> None:
    page.route("**/_local/requests/r-1", lambda route: route.fulfill(json=FAILED))
    page.goto(f"{stack.url}/console/requests/r-1")
    expect(page.get_by_role("heading", level=2).first).to_have_text("Log")
    expect(page.get_by_role("region", name="Traceback")).to_contain_text("RuntimeError: so")
    page.get_by_text("As curl").click()
    expect(page.get_by_role("region", name="curl command")).to_contain_text('{"fuse":"short"}')
    axe(page)
