"""`make screenshots`: pictures of the console's pages for the documents, in docs/images.

They are taken from a new stack in which something happened. Times, ids and codes differ at each
start, and so do some pixels.
"""

import base64
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from playwright.sync_api import Page, ViewportSize, expect

from infra import sam
from tests.browser import onboarding
from tests.browser.chromium import DESKTOP, new_context, running_chromium
from tests.browser.filled import REFUSED, fill, schedule, start_list
from tests.e2e import runs
from tests.e2e.conftest import LocalStack

FOLDER = sam.ROOT / "docs/images"
LARGEST_BYTES = 150_000
_QUALITY = 55
_SCALE = 2
"""Pixels of the picture for one of the page, for sharp screens."""
_TALLEST = 1000
"""Pixels of the page, of which more are cut off."""
_PEOPLE = ("ana", "ben", "chidi", "dana", "emre", "fatima", "hana", "ivan", "jana", "karim")
_WRONG = {
    23: f"dana.23@{REFUSED}",
    61: "ben.61",
    104: f"emre.104@{REFUSED}",
    148: "ivan at example.com",
    187: "jana",
}
"""Items of the list of 200 that fail, by their index."""


def _stage(stack: LocalStack) -> None:
    """Fills the stack, also with emails of several templates and languages, and a list of 200."""
    fill(stack)
    list_of_200 = [_WRONG.get(at, f"{_PEOPLE[at % 10]}.{at}@example.com") for at in range(200)]
    with stack.api() as api:
        schedule(api, "30 8 ? * MON *", "America/New_York")
        schedule(api, "0 6 1 * ? *", "Europe/Berlin")
        started = start_list(api, list_of_200)
        runs.ended(api, started["run_id"])
        api.get("/runs/send_email_template.gone")
        api.post("/workflows/check_app_location", json={"stage": "local", "region": "us-east-1"})
        for to, locale in (("luis", "es"), ("marie", "fr"), ("jonas", "de")):
            _write(api, to, "welcome", locale, {"first_name": to.title(), "start_url": _link("")})
        invitation = {"inviter": "Ana Silva", "team": "Blue Team", "accept_url": _link("join/7f3a")}
        _write(api, "ben", "invitation", "en", invitation | {"expires_on": "2027-01-31"})


def _link(path: str) -> str:
    return f"http://localhost:3000/{path}"


def _write(api: Any, to: str, template: str, locale: str, data: dict[str, str]) -> None:
    message = {"to": f"{to}@example.com", "template": template, "locale": locale, "data": data}
    sent = api.post("/workflows/send_email_template", json=message)
    assert sent.is_success, sent.text


def _verify(page: Page) -> None:
    page.get_by_label("Email address").fill("ana@example.org")
    page.get_by_role("button", name="Send code").click()
    expect(page.frame_locator("iframe").get_by_text("works once").last).to_be_visible()


def _inbox(page: Page) -> None:
    messages = page.get_by_role("list", name="Messages")
    messages.get_by_role("link").filter(has_text="Ana Silva").first.click()
    expect(page.frame_locator("iframe").get_by_text("Blue Team").last).to_be_visible()


def _emails(page: Page) -> None:
    for frame in page.locator("iframe").all():
        expect(frame.content_frame.get_by_text("Blue Team").last).to_be_visible()


def _list(page: Page) -> None:
    page.get_by_role("tab", name="On a list").click()
    page.get_by_role("button", name="Make a sample").click()
    expect(page.get_by_role("button", name="Start 200 items")).to_be_visible()


def _run(page: Page) -> None:
    page.get_by_role("main").get_by_role("link", name="send_email_template").first.click()
    page.get_by_role("group", name="Items").get_by_role("button", name="Failed").click()
    items = page.get_by_role("list", name="Items")
    expect(items.locator(":scope > li")).to_have_count(5)
    items.locator("summary").filter(has_text="provider").first.click()
    expect(items.get_by_role("region", name="Traceback").first).to_be_visible()


def _steps(page: Page) -> None:
    page.get_by_role("list", name="Runs").get_by_role("link").last.click()
    expect(page.get_by_role("button", name="Send the event")).to_be_visible()
    page.get_by_role("list", name="Steps").locator("summary").first.click()
    page.get_by_label("Data").fill('{"by": "dana"}')
    page.evaluate("document.activeElement.blur(); window.scrollTo(0, 0)")


def _schedule(page: Page) -> None:
    schedules = page.get_by_role("list", name="Schedules").get_by_role("listitem")
    schedules.filter(has_text="New_York").get_by_role("link").first.click()
    expect(page.get_by_role("region", name="Next times")).to_be_visible()


def _webhook(page: Page) -> None:
    page.get_by_role("button", name="Sign and send").click()
    deliveries = page.get_by_role("list", name="Deliveries")
    deliveries.locator("summary").first.click()
    expect(deliveries.get_by_role("region", name="Payload")).to_be_visible()
    page.evaluate("document.activeElement.blur(); window.scrollTo(0, 0)")


def _api(page: Page) -> None:
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_role("region", name="Answer").first).to_be_visible()


def _read(page: Page) -> None:
    """Waits for what the page reads when it opens."""
    page.wait_for_load_state("networkidle")


class Picture(NamedTuple):
    """A page and the steps before it is taken."""

    path: str
    steps: Callable[[Page], None] = _read
    scheme: str = "light"
    height: int = _TALLEST
    """Where a page that is longer is cut: between two of its parts."""


PICTURES = {
    "verify": Picture("/", _verify, height=845),
    "inbox": Picture("/console/inbox", _inbox),
    "emails": Picture("/console/emails/invitation/de", _emails),
    "workflow": Picture("/console/workflows/send_email_template", _list, height=1054),
    "run": Picture("/console/runs", _run, height=1022),
    "run-dark": Picture("/console/runs", _run, "dark", height=1022),
    "steps": Picture(f"/console/runs?workflow={onboarding.NAME}", _steps, height=1180),
    "schedule": Picture("/console/schedules", _schedule, height=1050),
    "webhooks": Picture("/console/webhooks/usersnap", _webhook, height=838),
    "requests": Picture("/console/requests", height=935),
    "api": Picture("/console/api/check_app_location"),
}


def main() -> None:
    """Takes all pictures, or those that are named."""
    names = sys.argv[1:] or [*PICTURES]
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        stack = LocalStack.start(Path(folder) / "stack")
        try:
            _stage(stack)
            with running_chromium() as browser, new_context(browser, _SCALE) as context:
                onboarding.add(context, stack)
                onboarding.begin(stack, "1042")
                page = context.new_page()
                for name in names:
                    _take(page, stack.url, name, PICTURES[name])
        finally:
            stack.end()


def _take(page: Page, url: str, name: str, picture: Picture) -> None:
    scheme: Any = picture.scheme
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size(DESKTOP)
    page.goto(url + picture.path)
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    picture.steps(page)
    path = FOLDER / f"console-{name}.webp"
    path.write_bytes(_webp(page, picture.height))
    size = path.stat().st_size
    print(f"{path.relative_to(sam.ROOT)} {size // 1000} kB")  # noqa: T201 - the command's output
    assert size <= LARGEST_BYTES, f"{path} has {size} bytes; at most {LARGEST_BYTES} are allowed"


def _webp(page: Page, tallest: int) -> bytes:
    """The page as WebP, a third of a PNG's size. Playwright itself has only PNG and JPEG."""
    whole: int = page.evaluate("document.documentElement.scrollHeight")
    size = ViewportSize(width=DESKTOP["width"], height=min(whole, tallest))
    page.set_viewport_size(size)
    clip = {"x": 0, "y": 0, **size, "scale": _SCALE}
    session = page.context.new_cdp_session(page)
    taken = session.send(
        "Page.captureScreenshot", {"format": "webp", "quality": _QUALITY, "clip": clip}
    )
    session.detach()
    return base64.b64decode(taken["data"])


if __name__ == "__main__":
    main()
