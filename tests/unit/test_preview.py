"""`make preview`: the pages, and the command."""

import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from infra.preview import rendering, server
from infra.preview.server import PreviewServer

from functions.core.messages.rendering.render import TEMPLATES
from infra import sam
from tests.builders.emails import LOCALES, NAMES

pytestmark = pytest.mark.slow

SETTINGS = {
    "APP_NAME": "Our app",
    "EMAIL_FROM": "no-reply@example.com",
    "LINK_HOSTS": "*.example.com",
}


@pytest.fixture(scope="module")
def pages() -> Iterator[httpx.Client]:
    with PreviewServer(0, os.environ | SETTINGS) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        with httpx.Client(base_url=f"http://127.0.0.1:{running.server_port}") as client:
            yield client
        running.shutdown()


@pytest.fixture
def start() -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Starts the command, and stops it after the test if it is still up."""
    started: list[subprocess.Popen[str]] = []

    def start(*words: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "infra.preview", *words]
        pipe = subprocess.PIPE
        started.append(subprocess.Popen(command, cwd=sam.ROOT, stdout=pipe, stderr=pipe, text=True))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.communicate()


def test_the_index_leads_to_every_email_in_every_locale(pages: httpx.Client) -> None:
    links = set(re.findall(r'href="(/.+?)"', pages.get("/").text))
    assert links == {f"/{name}/{locale}" for name in [*NAMES, "verification"] for locale in LOCALES}


@pytest.mark.parametrize("name", [*NAMES, "verification"])
def test_an_email_is_shown_with_its_sample(name: str, pages: httpx.Client) -> None:
    page = pages.get(f"/{name}/ja")
    assert page.status_code == 200
    assert 'role="alert"' not in page.text
    assert "&lt;html lang=&#34;ja&#34;" in page.text


def test_each_part_of_a_message_is_shown(pages: httpx.Client) -> None:
    texts = {
        part: pages.get(f"/verification/en?part={part}").text for part in ("html", "text", "sms")
    }
    assert "<iframe" in texts["html"]
    assert "<pre>Your verification code for Our app is:" in texts["text"]
    assert "<pre>123456 is your Our app code." in texts["sms"]
    assert "sms" not in pages.get("/welcome/en").text


def test_a_code_is_as_long_and_as_valid_as_the_settings_say() -> None:
    lengths = {"CODE_LENGTH": "9", "CODE_VALID_SECONDS": "180"}
    shown = server.render("verification", "en", os.environ | SETTINGS | lengths)
    assert shown.sms.startswith("123456789 is your Our app code. Valid for 3 minutes.")


def test_dark_mode_and_the_width_of_a_phone_can_be_chosen(pages: httpx.Client) -> None:
    light, dark = (
        pages.get("/welcome/en").text,
        pages.get("/welcome/en?scheme=dark&width=phone").text,
    )
    assert "@media not all {" in light
    assert "@media all {" in dark
    assert '<iframe class="phone"' in dark


def test_an_email_neither_runs_scripts_nor_calls_home(pages: httpx.Client) -> None:
    page = pages.get("/welcome/en")
    assert 'sandbox="allow-popups"' in page.text
    assert page.headers["content-security-policy"].startswith("default-src 'none'")


@pytest.mark.parametrize(
    "path", ["/welcome/tlh", "/nothing/en", "/../en", "/layout.html/en", "/welcome"]
)
def test_a_missing_page_is_a_404_with_a_sentence(path: str, pages: httpx.Client) -> None:
    page = pages.get(path)
    assert page.status_code == 404
    assert "There is no " in page.text


@pytest.mark.parametrize("host", ["evil.example", "[", "127.0.0.1.evil.example", ""])
def test_only_a_loopback_host_is_answered(host: str, pages: httpx.Client) -> None:
    assert pages.get("/", headers={"host": host}).status_code == 403
    assert pages.get("/", headers={"host": "localhost:1"}).status_code == 200


@pytest.fixture
def copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the functions that make emails, used instead of the project's."""
    (tmp_path / "infra").symlink_to(sam.ROOT / "infra")
    subprocess.run(["cp", "-r", sam.ROOT / "functions", tmp_path / "functions"], check=True)
    monkeypatch.setattr(server, "ROOT", tmp_path)
    messages = tmp_path / "functions/core/messages"
    monkeypatch.setattr(server, "MESSAGES", messages)
    monkeypatch.setattr(server, "TEMPLATES", messages / "templates")
    return messages / "templates"


def render(name: str = "welcome") -> rendering.Rendered:
    return server.render(name, "en", os.environ | SETTINGS)


def test_a_change_is_noticed_and_shown(copy: Path, pages: httpx.Client) -> None:
    before = pages.get("/stamp").text
    assert before in pages.get("/welcome/en").text
    assert pages.get("/stamp").text == before
    (copy / "welcome/subject.txt").write_text("Changed")
    assert pages.get("/stamp").text != before
    assert "Changed" in pages.get("/welcome/en").text
    data = copy / "welcome/data.py"
    data.write_text(data.read_text().replace("start_url", "begin_url"))
    assert "/start_url is not a parameter" in pages.get("/welcome/en").text


@pytest.mark.parametrize(
    ("file", "old", "new", "line", "message"),
    [
        ("welcome/body.html", '"ready"', '"redy"', 3, "redy"),
        ("welcome/body.txt", "{% endblock %}", "", 11, "Unexpected end of template"),
        ("welcome/body.txt", "{{ start_url }}", "{{ start_url }", 9, "unexpected '}'"),
        ("welcome/data.py", "class Data", "klass Data", 7, "invalid syntax"),
        ("welcome/data.py", "import Link, Name", "import Link, Nam", 3, "cannot import name 'Nam'"),
        ("welcome/sample.json", "https://app", "http://app", 3, "/start_url must be an https URL"),
        ("welcome/sample.json", '"start_url"', '"begin_url"', 3, "/begin_url is not a parameter"),
        ("welcome/sample.json", '"Ana",', '"Ana"', 3, "Expecting ',' delimiter"),
        ("welcome/sentences.json", '"ready": ', '"ready" ', 6, "Expecting ':' delimiter"),
        (
            "parts.html",
            "{{ label }}</span></a></td>",
            "{{ labl }}</span></a></td>",
            31,
            "'labl' is undefined",
        ),
        ("layout.html", "locale.tag", "locale.tga", 3, "no attribute 'tga'"),
    ],
    ids=lambda value: str(value)[:20],
)
def test_a_mistake_is_shown_with_file_and_line(  # noqa: PLR0917 - a row of the table above
    file: str, old: str, new: str, line: int, message: str, copy: Path
) -> None:
    path = copy / file
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new, 1))
    mistake = render().mistake
    assert mistake
    assert (mistake.file, mistake.line) == (f"templates/{file}", line)
    assert message in mistake.message


def test_a_wrong_variable_that_is_handed_to_a_part_is_shown_where_it_was_handed(copy: Path) -> None:
    path = copy / "welcome/body.html"
    path.write_text(path.read_text().replace("start_url", "begin_url"))
    mistake = render().mistake
    assert mistake
    assert mistake.called_from == "templates/welcome/body.html, line 8"
    assert "'begin_url' is undefined" in mistake.message


def test_a_page_shows_a_mistake(copy: Path, pages: httpx.Client) -> None:
    (copy / "welcome/subject.txt").write_text("{{ <script> }}")
    page = pages.get("/welcome/en")
    assert page.status_code == 200
    assert "templates/welcome/subject.txt, line 1" in page.text
    assert "<script> }}" not in page.text


def test_it_says_where_it_is_and_ends_in_order(start: Callable[..., subprocess.Popen[str]]) -> None:
    process = start("PORT=0", "APP_NAME=Another name", "BRAND_COLOR=#0055ff")
    assert process.stdout
    url = re.findall(r"http://127\.0\.0\.1:\d+", process.stdout.readline())[0]
    page = httpx.get(f"{url}/welcome/en").text
    assert "Another name" in page
    assert "#0055ff" in page
    process.send_signal(signal.SIGINT)
    assert process.communicate(timeout=60) == ("stopped\n", "")
    assert process.returncode == 0


@pytest.mark.parametrize(
    ("word", "sentence"),
    [
        ("COLOUR=red", "error: No such setting: COLOUR"),
        ("PORT=many", "PORT must be"),
        ("BRAND_COLOR=red", "BRAND_COLOR"),
    ],
)
def test_a_setting_that_cannot_be_is_said(
    word: str, sentence: str, start: Callable[..., subprocess.Popen[str]]
) -> None:
    process = start(word)
    _, said = process.communicate(timeout=60)
    assert sentence in said
    assert process.returncode == 1


def test_a_port_in_use_is_said(
    pages: httpx.Client, start: Callable[..., subprocess.Popen[str]]
) -> None:
    port = pages.base_url.port
    _, said = start(f"PORT={port}").communicate(timeout=60)
    assert f"Port {port} is in use" in said
    assert "make preview PORT=" in said


def test_samples_are_data_of_their_templates() -> None:
    assert all(json.loads((TEMPLATES / name / "sample.json").read_text()) for name in NAMES)
