"""A local stack in Debian's Chromium, as `make test-browser` installs it.

A failed test leaves a screenshot and a trace in .failures/ (`playwright show-trace <file>`).
"""

import shutil
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from infra import sam
from tests.browser.chromium import new_context, running_chromium
from tests.browser.faults import Faults
from tests.browser.filled import fill
from tests.browser.site import Site
from tests.e2e.conftest import LocalStack, email, lock, phone, stack

__all__ = ["email", "phone", "stack"]

_FAILURES = sam.ROOT / "tests/browser/.failures"
_FAILED = pytest.StashKey[bool]()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with running_chromium() as browser:
        yield browser


@pytest.fixture
def context(browser: Browser, request: pytest.FixtureRequest) -> Iterator[BrowserContext]:
    folder = _FAILURES / request.node.name.replace("/", "-")
    shutil.rmtree(folder, ignore_errors=True)
    with new_context(browser) as context:
        context.tracing.start(screenshots=True, snapshots=True)
        yield context
        if request.node.stash.get(_FAILED, False):
            _keep(context, folder)
        else:
            context.tracing.stop()


@pytest.fixture
def page(context: BrowserContext) -> Page:
    return context.new_page()


@pytest.fixture(autouse=True)
def faults(page: Page, request: pytest.FixtureRequest) -> Iterator[Faults]:
    """Faults of the test's pages, of which there are none at its end."""
    faults = Faults(page)
    yield faults
    try:
        faults.assert_none()
    except AssertionError:
        request.node.stash[_FAILED] = True
        raise


@pytest.fixture(scope="session")
def filled(stack: LocalStack) -> LocalStack:
    """The stack, after something happened in it; the first worker fills it."""
    folder = stack.state.parent
    with lock(folder):
        if not (folder / "filled").exists():
            fill(stack)
            (folder / "filled").touch()
    return stack


@pytest.fixture
def site() -> Iterator[Site]:
    with Site() as site:
        yield site


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    item.stash[_FAILED] = item.stash.get(_FAILED, False) or report.failed
    return report


def _keep(context: BrowserContext, folder: Path) -> None:
    folder.mkdir(parents=True)
    for number, page in enumerate(context.pages):
        page.screenshot(path=folder / f"{number}.png")
    context.tracing.stop(path=folder / "trace.zip")
