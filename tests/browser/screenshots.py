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

from playwright.sync_api import Page, expect

from infra import sam
from tests.browser.chromium import new_context, running_chromium
from tests.browser.filled import fill
from tests.e2e.conftest import LocalStack

FOLDER = sam.ROOT / "docs/images"
LARGEST_BYTES = 150_000
_QUALITY = 85
_SCALE = 2
"""Pixels of the picture for one of the page, for sharp screens."""
_ADDRESSES = iter(["ana@example.org", "ben@example.org"])
"""One for each picture: an address gets no second code so soon."""


def _verify(page: Page) -> None:
    page.get_by_label("Email address").fill(next(_ADDRESSES))
    page.get_by_role("button", name="Send code").click()
    expect(page.get_by_role("region", name="Message")).to_contain_text("verification code")


def _inbox(page: Page) -> None:
    page.get_by_role("list", name="Messages").get_by_role("link").first.click()


def _list(page: Page) -> None:
    page.get_by_role("tab", name="On a list").click()
    page.get_by_role("button", name="Make a sample").click()
    expect(page.get_by_role("region", name="First items of the list")).to_be_visible()


def _run(page: Page) -> None:
    page.get_by_role("main").get_by_role("link", name="send_email_template").first.click()
    page.get_by_role("group", name="Items").get_by_role("button", name="Failed").click()
    items = page.get_by_role("list", name="Items")
    expect(items.locator(":scope > li")).to_have_count(1)
    items.locator("summary").click()
    expect(items).to_contain_text("Log")


def _schedule(page: Page) -> None:
    page.get_by_role("list", name="Schedules").get_by_role("link").first.click()
    expect(page.get_by_role("region", name="Next times")).to_be_visible()


def _webhook(page: Page) -> None:
    source = page.get_by_role("article", name="Source twilio")
    source.get_by_role("button", name="Send a signed sample").click()
    source.get_by_role("button", name="Sign and send").click()
    expect(page.get_by_role("list", name="Deliveries")).to_contain_text("verified")
    page.evaluate("document.activeElement.blur(); window.scrollTo(0, 0)")


def _read(page: Page) -> None:
    """Waits for what the page reads when it opens."""
    page.wait_for_load_state("networkidle")


class Picture(NamedTuple):
    """A page and the steps before it is taken."""

    path: str
    steps: Callable[[Page], None] = _read
    scheme: str = "light"


PICTURES = {
    "verify": Picture("/", _verify),
    "verify-dark": Picture("/", _verify, "dark"),
    "inbox": Picture("/console/inbox", _inbox),
    "emails": Picture("/console/emails"),
    "workflow": Picture("/console/workflows/send_email_template", _list),
    "run": Picture("/console/runs", _run),
    "run-dark": Picture("/console/runs", _run, "dark"),
    "schedule": Picture("/console/schedules", _schedule),
    "webhooks": Picture("/console/webhooks", _webhook),
    "requests": Picture("/console/requests"),
    "api": Picture("/console/api"),
}


def main() -> None:
    """Takes all pictures, or those that are named."""
    names = sys.argv[1:] or [*PICTURES]
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        stack = LocalStack.start(Path(folder) / "stack")
        try:
            fill(stack)
            with running_chromium() as browser, new_context(browser, _SCALE) as context:
                page = context.new_page()
                for name in names:
                    _take(page, stack.url, name, PICTURES[name])
        finally:
            stack.end()


def _take(page: Page, url: str, name: str, picture: Picture) -> None:
    scheme: Any = picture.scheme
    page.emulate_media(color_scheme=scheme)
    page.goto(url + picture.path)
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    picture.steps(page)
    path = FOLDER / f"console-{name}.webp"
    path.write_bytes(_webp(page))
    size = path.stat().st_size
    print(f"{path.relative_to(sam.ROOT)} {size // 1000} kB")  # noqa: T201 - the command's output
    assert size <= LARGEST_BYTES, f"{path} has {size} bytes; at most {LARGEST_BYTES} are allowed"


def _webp(page: Page) -> bytes:
    """The window as WebP, a third of a PNG's size. Playwright itself has only PNG and JPEG."""
    session = page.context.new_cdp_session(page)
    taken = session.send("Page.captureScreenshot", {"format": "webp", "quality": _QUALITY})
    session.detach()
    return base64.b64decode(taken["data"])


if __name__ == "__main__":
    main()
