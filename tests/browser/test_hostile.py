"""Nothing that a message or a payload contains runs, loads, navigates or is lost."""

import uuid

import pytest
from playwright.sync_api import Dialog, Page, expect

from tests.browser.faults import Faults
from tests.e2e.conftest import LocalStack, eventually

RUN = "top.document.title = 'hostile'; alert(1)"
ELSEWHERE = "https://evil.example"
HOSTILE = f"""
<head><base href="{ELSEWHERE}/" target="_self">
<meta http-equiv="refresh" content="0;url={ELSEWHERE}/refresh">
<link rel="stylesheet" href="{ELSEWHERE}/sheet.css">
<style>@import url({ELSEWHERE}/import.css); body {{ background: url({ELSEWHERE}/back.png) }}</style>
<script>{RUN}</script></head>
<body onload="{RUN}"><h1>Hello</h1>
<img src="{ELSEWHERE}/pixel.png" onerror="{RUN}"><svg onload="{RUN}"></svg>
<iframe src="{ELSEWHERE}/frame"></iframe><object data="{ELSEWHERE}/object"></object>
<form action="{ELSEWHERE}/form"><button>Send</button></form>
<a href="javascript:{RUN}">Run</a> <a target="_top" href="{ELSEWHERE}/">Leave</a></body>"""
REFUSED = "|".join(
    [
        f"^refused request: {ELSEWHERE}/",
        "^console error: .* violates the following Content Security Policy directive",
        "^console error: Blocked form submission to .* the form's frame is sandboxed",
        "^console error: Refused to execute the redirect .* The document is sandboxed",
        "^console error: Unsafe attempt to initiate navigation .* is sandboxed",
    ]
)
"""Chromium's words for all that it refused."""


@pytest.fixture(autouse=True)
def alerts(page: Page) -> list[str]:
    """Texts of the dialogs that a script has opened."""
    shown: list[str] = []

    def note(dialog: Dialog) -> None:
        shown.append(dialog.message)
        dialog.dismiss()

    page.on("dialog", note)
    return shown


def test_a_hostile_email_neither_runs_nor_loads_nor_leads_away(
    page: Page, stack: LocalStack, faults: Faults, alerts: list[str]
) -> None:
    mark = uuid.uuid4().hex
    send(stack, mark)
    with faults.expected(REFUSED):
        page.goto(f"{stack.url}/console/inbox?q={mark}")
        frame = page.frame_locator("iframe[title='HTML of the email']")
        expect(frame.get_by_role("heading", name="Hello")).to_be_visible()
        for name in ("Run", "Leave"):
            frame.get_by_role("link", name=name).click()
        frame.get_by_role("button", name="Send").click()
        for tab in ("Text", "Source"):
            page.get_by_role("tab", name=tab).click()
            expect(page.get_by_role("tabpanel")).to_contain_text("<script>")
        expect(page.get_by_role("heading", name=f"<script>{RUN}</script> {mark}")).to_be_visible()
        assert_nothing_ran(page, stack, alerts)
        page.goto("about:blank")  # ends the frame, so that no line of it comes later


def send(stack: LocalStack, mark: str) -> None:
    """Sends the hostile email, as a workflow with a mistake could."""
    to = f"{mark}@example.com"
    stack.emulator.client("sesv2").send_email(
        FromEmailAddress="no-reply@example.com",
        Destination={"ToAddresses": [to]},
        Content={
            "Simple": {
                "Subject": {"Data": f"<script>{RUN}</script> {mark}"},
                "Body": {"Html": {"Data": HOSTILE}, "Text": {"Data": HOSTILE}},
            }
        },
    )
    eventually("it has arrived", lambda: stack.inbox(to))


def test_a_hostile_webhook_and_a_hostile_path_are_shown_as_text(
    page: Page, stack: LocalStack, alerts: list[str]
) -> None:
    payload = f'<script>{RUN}</script><img src=x onerror="{RUN}">'
    with stack.api() as api:
        sent = api.post("/webhooks/usersnap", json={"event": payload, payload: payload})
        lost = api.get(f"/runs/%3Cimg%20src=x%20onerror={uuid.uuid4().hex}%3E")
    for answer in (sent, lost):
        assert 400 <= answer.status_code < 500
        page.goto(f"{stack.url}/console/requests/{answer.json()['request_id']}")
        expect(page.get_by_role("main")).to_contain_text(str(answer.status_code))
        assert_nothing_ran(page, stack, alerts)
    page.goto(f"{stack.url}/console/webhooks")
    page.get_by_role("list", name="Calls").get_by_role("link").filter(
        has_text="usersnap"
    ).first.click()
    expect(page.get_by_role("region", name="Body of the request")).to_contain_text("<script>")
    assert_nothing_ran(page, stack, alerts)


def assert_nothing_ran(page: Page, stack: LocalStack, alerts: list[str]) -> None:
    assert alerts == []
    assert page.url.startswith(f"{stack.url}/console/")
    assert "hostile" not in page.title()
    assert len(page.context.pages) == 1
