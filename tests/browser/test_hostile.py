"""Nothing that a message or a payload contains runs, loads, navigates or is lost."""

import uuid

from playwright.sync_api import Page, expect

from tests.browser.faults import Faults
from tests.e2e.conftest import LocalStack, eventually

RUN = "document.title = 'hostile'; window.top.ran = true"
HOSTILE = f"""
<h1>Hello</h1>
<script>{RUN}</script>
<img src="x" onerror="{RUN}"><svg onload="{RUN}"></svg>
<img src="https://example.com/pixel.png">
<a href="javascript:{RUN}" id="script">Click</a>
<a href="https://example.com/" target="_top" id="away">Leave</a>
<iframe src="https://example.com/frame"></iframe>
<object data="https://example.com/object"></object>
<link rel="stylesheet" href="https://example.com/style.css">
<style>@import url("https://example.com/import.css");
body {{ background: url(https://example.com/b.png) }}</style>
<form action="https://example.com/form"><button id="form">Send</button></form>
<base href="https://example.com/">
<meta http-equiv="refresh" content="0;url=https://example.com/refresh">
"""
REFUSED = (
    "Content Security Policy|Blocked script|Blocked form|Unsafe attempt|sandbox"
    r"|leaves the machine \((csp|net::ERR_BLOCKED_BY_(CSP|CLIENT|RESPONSE))\)"
)
"""Every fault says that something was refused."""


def test_a_hostile_email_neither_runs_nor_loads(
    page: Page, stack: LocalStack, faults: Faults
) -> None:
    mark = uuid.uuid4().hex
    stack.emulator.client("sesv2").send_email(
        FromEmailAddress="no-reply@example.com",
        Destination={"ToAddresses": [f"{mark}@example.com"]},
        Content={
            "Simple": {
                "Subject": {"Data": f'<img src=x onerror="{RUN}"> {mark}'},
                "Body": {"Html": {"Data": HOSTILE}, "Text": {"Data": HOSTILE}},
            }
        },
    )
    eventually("it has arrived", lambda: stack.inbox(f"{mark}@example.com"))
    with faults.expected(REFUSED):
        page.goto(f"{stack.url}/console/inbox")
        page.get_by_role("searchbox").fill(mark)
        page.get_by_role("list", name="Messages").get_by_role("link").click()
        frame = page.frame_locator("iframe")
        expect(frame.get_by_role("heading", name="Hello")).to_be_visible()
        for clicked in ("#script", "#away", "#form"):
            frame.locator(clicked).click()
        page.get_by_role("group", name="Colours").get_by_role("button", name="Dark").click()
        expect(frame.get_by_role("heading", name="Hello")).to_be_visible()
    for tab in ("Text", "Source"):
        page.get_by_role("tab", name=tab).click()
        expect(page.get_by_role("tabpanel")).to_contain_text("<script>")
    _assert_nothing_ran(page, stack)


def test_a_hostile_webhook_and_a_hostile_path_are_shown_as_text(
    page: Page, stack: LocalStack
) -> None:
    payload = f'<script>{RUN}</script><img src=x onerror="{RUN}">'
    with stack.api() as api:
        sent = api.post("/webhooks/usersnap", json={"event": payload, payload: payload})
        lost = api.get("/runs/%3Cimg%20src=x%20onerror=document.title='hostile'%3E")
    for answer in (sent, lost):
        assert 400 <= answer.status_code < 500
        page.goto(f"{stack.url}/console/requests/{answer.json()['request_id']}")
        expect(page.get_by_role("main")).to_contain_text(str(answer.status_code))
        _assert_nothing_ran(page, stack)
    page.goto(f"{stack.url}/console/webhooks")
    expect(page.get_by_role("list", name="Deliveries")).to_contain_text("usersnap")
    for each in page.get_by_role("list", name="Deliveries").locator("summary").all():
        each.click()
    _assert_nothing_ran(page, stack)


def _assert_nothing_ran(page: Page, stack: LocalStack) -> None:
    assert page.url.startswith(stack.url)
    assert "hostile" not in page.title()
    assert page.evaluate("window.ran === undefined")
    assert len(page.context.pages) == 1
