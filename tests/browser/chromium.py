"""Debian's Chromium under Playwright, without a way out of this machine.

Playwright's own browsers come from a host that many networks do not reach, so none is downloaded.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, BrowserContext, ViewportSize, expect, sync_playwright

PHONE = ViewportSize(width=390, height=844)
DESKTOP = ViewportSize(width=1280, height=800)
_OPTIONS = [
    # Every other name does not resolve, so that a request cannot leave unseen.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
    "--disable-background-networking",
    "--disable-component-update",
]
_SLOWEST_MS = 15_000
"""Longest wait of a step: Lambda's cold starts, on a busy machine."""


@contextmanager
def running_chromium() -> Iterator[Browser]:
    """Runs a browser: the program that the variable CHROMIUM names, or `chromium`."""
    program = os.environ.get("CHROMIUM") or shutil.which("chromium")
    assert program, "Chromium is not installed: make test-browser does it on Debian and Ubuntu."
    as_root = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=_OPTIONS + as_root)
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def new_context(browser: Browser, scale: float = 1) -> Iterator[BrowserContext]:
    """A session of a user: own cookies and storage, in a zone that is not UTC, without motion."""
    context = browser.new_context(
        viewport=DESKTOP,
        device_scale_factor=scale,
        locale="en-US",
        timezone_id="Europe/Berlin",
        reduced_motion="reduce",
        color_scheme="light",
        permissions=["clipboard-read", "clipboard-write"],
    )
    context.set_default_timeout(_SLOWEST_MS)
    expect.set_options(timeout=_SLOWEST_MS)
    try:
        yield context
    finally:
        context.close()
