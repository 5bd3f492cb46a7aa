"""The console's page Emails, as `make preview` serves it, over a copy of the templates."""

import os
import re
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from playwright.sync_api import Page, expect

from infra import sam
from infra.console.emails import Emails
from infra.console.handler import ConsoleHandler, ConsoleServer
from infra.console.routes import Route, Routes
from infra.local.loopback import HOST
from tests.browser.accessibility import assert_fits, axe
from tests.browser.chromium import PHONE
from tests.builders.emails import LOCALES
from tests.builders.project_copies import NOT_IN_A_COPY

ABOUT = {"url": None, "app_name": "Our app", "stage": "local"}
SETTINGS = {"APP_NAME": "Our app", "EMAIL_FROM": "no-reply@example.com", "STAGE": "local"}
SAMPLES = {"LINK_HOSTS": "*.example.com"}


class Preview(NamedTuple):
    url: str
    welcome: Path
    """Folder of the template."""


@pytest.fixture
def preview(tmp_path: Path, page: Page) -> Iterator[Preview]:
    (tmp_path / "infra").symlink_to(sam.ROOT / "infra")
    shutil.copytree(sam.ROOT / "functions", tmp_path / "functions", ignore=NOT_IN_A_COPY)
    emails = Emails(lambda: os.environ | SETTINGS | SAMPLES, tmp_path)
    with ConsoleServer((HOST, 0), ConsoleHandler) as server:
        server.reads = Routes(Route("GET", "/_local/about", lambda _: ABOUT), *emails.routes())
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        welcome = tmp_path / "functions/core/messages/templates/welcome"
        yield Preview(f"http://{HOST}:{server.server_port}/console/emails", welcome)
        page.goto("about:blank")  # a page of a server that has ended would complain
        server.shutdown()
    thread.join()


def change(file: Path, before: str, after: str) -> None:
    text = file.read_text()
    assert before in text
    file.write_text(text.replace(before, after))


def test_every_email_is_a_thumbnail_that_leads_to_it(page: Page, preview: Preview) -> None:
    page.goto(preview.url)
    for template in ("invitation", "message", "verification", "welcome"):
        section = page.get_by_role("region", name=template)
        expect(section.get_by_role("link")).to_have_count(len(LOCALES))
    german = page.get_by_role("region", name="invitation").get_by_role("link", name="German")
    expect(german).to_contain_text("Ana Silva lädt Sie")
    axe(page)
    german.click()
    expect(page).to_have_url(re.compile("/console/emails/invitation/de$"))
    expect(page.get_by_role("heading", name="invitation")).to_be_visible()


def test_an_email_is_shown_in_all_its_looks(page: Page, preview: Preview) -> None:
    page.goto(f"{preview.url}/verification/en")
    expect(page.locator(".inbox-line")).to_contain_text("Our app")
    expect(page.locator(".inbox-line")).to_contain_text("It is valid for 10 minutes")
    widths = {}
    for look in ("phone, light", "desktop, light", "phone, dark", "desktop, dark"):
        frame = page.frame_locator(f"iframe[title='verification in English, {look}']")
        color = "rgb(255, 255, 255)" if "dark" in look else "rgb(28, 33, 39)"
        expect(frame.get_by_text("123456")).to_have_css("color", color)
        widths[look] = frame.locator("html").evaluate("html => html.clientWidth")
    assert widths["phone, light"] == widths["phone, dark"] <= 375 < widths["desktop, light"]
    expect(page.get_by_role("region", name="Text of the email")).to_contain_text("123456")
    expect(page.locator(".handset")).to_contain_text("123456 is your Our app code.")
    axe(page)


def test_arrow_keys_change_the_language(page: Page, preview: Preview) -> None:
    page.goto(f"{preview.url}/welcome/ar")
    expect(page.locator(".inbox-line")).to_have_attribute("dir", "rtl")
    page.keyboard.press("ArrowRight")
    expect(page.locator(".inbox-line")).to_contain_text("Willkommen")
    expect(page.locator(".inbox-line")).to_have_attribute("dir", "ltr")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    expect(page).to_have_url(re.compile("/welcome/pt-BR$"))
    page.get_by_role("link", name="verification").click()
    expect(page).to_have_url(re.compile("/verification/pt-BR$"))


def test_a_change_of_a_file_shows_at_once(page: Page, preview: Preview) -> None:
    page.goto(f"{preview.url}/welcome/en")
    frame = page.frame_locator("iframe[title='welcome in English, phone, light']")
    expect(frame.get_by_role("heading", name="Welcome, Ana!")).to_be_visible()
    change(preview.welcome / "sample.json", '"Ana"', '"Bo"')
    expect(frame.get_by_role("heading", name="Welcome, Bo!")).to_be_visible()


def test_a_mistake_is_told_with_its_file_and_line(page: Page, preview: Preview) -> None:
    page.goto(f"{preview.url}/welcome/en")
    expect(page.locator(".looks")).to_be_visible()
    body = preview.welcome / "body.html"
    change(body, 'say("begin")', 'say("no_such_sentence")')
    mistake = page.get_by_role("alert").filter(has_text="no_such_sentence")
    expect(mistake).to_contain_text("templates/welcome/body.html, line 7")
    expect(page.locator(".looks")).to_have_count(0)
    axe(page)
    page.get_by_role("link", name="All emails").click()
    broken = page.get_by_role("region", name="welcome").get_by_role("link")
    broken.first.scroll_into_view_if_needed()
    expect(broken.first).to_contain_text("Mistake")
    change(body, 'say("no_such_sentence")', 'say("begin")')
    expect(broken.first).not_to_contain_text("Mistake")


def test_on_a_phone_nothing_is_too_wide(page: Page, preview: Preview) -> None:
    page.set_viewport_size(PHONE)
    page.goto(preview.url)
    expect(page.get_by_role("link", name="German").first).to_contain_text("Ana Silva")
    assert_fits(page)
    page.goto(f"{preview.url}/verification/en")
    expect(page.locator(".looks")).to_be_visible()
    assert_fits(page)
