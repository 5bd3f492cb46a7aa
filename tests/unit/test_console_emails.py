"""The console's page Emails, and `make preview`, which serves it alone."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from email.message import Message
from pathlib import Path
from typing import Any

import httpx
import pytest

from functions.core.messages.rendering.render import TEMPLATES
from infra import sam
from infra.console.answer import Answer
from infra.console.emails import Emails
from infra.console.rendering import Rendered
from infra.console.routes import Request, Routes
from tests.builders.emails import LOCALES, NAMES

pytestmark = pytest.mark.slow

SETTINGS = {
    "APP_NAME": "Our app",
    "EMAIL_FROM": "no-reply@example.com",
    "LINK_HOSTS": "*.example.com",
}


def emails(project: Path = sam.ROOT, **settings: str) -> Emails:
    return Emails(lambda: os.environ | SETTINGS | settings, project)


def read(emails: Emails, path: str, query: Mapping[str, str] | None = None) -> Answer:
    request = Request("GET", f"/_local/emails{path}", query or {}, Message())
    return Routes(*emails.routes()).answer(request)


def read_json(emails: Emails, path: str = "") -> dict[str, Any]:
    answer = read(emails, path)
    assert answer.status == 200, answer.body
    value: dict[str, Any] = json.loads(answer.body)
    return value


@pytest.fixture(scope="module")
def rendered() -> Emails:
    """The project's emails, rendered once."""
    return emails()


@pytest.fixture
def start() -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Starts the command, and stops it after the test if it is still up."""
    started: list[subprocess.Popen[str]] = []

    def start(*words: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "infra.console", *words]
        pipe = subprocess.PIPE
        started.append(subprocess.Popen(command, cwd=sam.ROOT, stdout=pipe, stderr=pipe, text=True))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.communicate()


def test_every_email_is_there_in_every_locale_with_all_its_parts(rendered: Emails) -> None:
    listing = read_json(rendered)
    assert listing["templates"] == sorted([*NAMES, "verification"])
    assert listing["locales"] == sorted(LOCALES)
    for name in listing["templates"]:
        for locale in LOCALES:
            email = read_json(rendered, f"/{name}/{locale}")
            assert email["mistake"] is None, (name, locale)
            assert email["from"] == "Our app <no-reply@example.com>"
            assert email["subject"]
            assert email["text"]
            assert bool(email["sms"]) == (name == "verification")
            assert "html" not in email
            html = read(rendered, f"/{name}/{locale}/html").body.decode()
            assert f'<html lang="{locale}"' in html


def test_the_preheader_is_what_lists_of_emails_show(rendered: Emails) -> None:
    validity = "It is valid for 10 minutes and works once."
    assert read_json(rendered, "/verification/en")["preheader"] == validity
    assert read_json(rendered, "/welcome/de")["preheader"] == "Ihr Konto bei Our app ist bereit."


def test_all_are_rendered_at_once_and_again_only_after_a_change(
    copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[object] = []
    run = subprocess.run

    def counted(*words: Any, **options: Any) -> Any:
        started.append(words)
        return run(*words, **options)

    monkeypatch.setattr(subprocess, "run", counted)
    shown = emails(copy)
    for locale in LOCALES:
        shown.email("welcome", locale)
        shown.email("verification", locale)
    assert len(started) == 1
    (copy / "functions/core/messages/templates/welcome/subject.txt").write_text("Changed")
    assert [shown.email("welcome", locale).subject for locale in LOCALES] == ["Changed"] * 7
    assert len(started) == 2


def test_a_code_is_as_long_and_as_valid_as_the_settings_say() -> None:
    shown = emails(CODE_LENGTH="9", CODE_VALID_SECONDS="180").email("verification", "en")
    assert shown.sms.startswith("123456789 is your Our app code. Valid for 3 minutes.")


def test_light_and_dark_can_be_chosen(rendered: Emails) -> None:
    light, dark = (
        read(rendered, "/welcome/en/html", {"scheme": scheme}).body.decode()
        for scheme in ("light", "dark")
    )
    assert "@media not all {" in light
    assert "@media all {" in dark


def test_an_email_neither_runs_scripts_nor_calls_home(rendered: Emails) -> None:
    headers = read(rendered, "/welcome/en/html").headers
    assert headers["content-security-policy"].startswith("sandbox; default-src 'none';")


@pytest.mark.parametrize("path", ["/welcome/tlh", "/nothing/en", "/..%2f/en", "/layout.html/en"])
def test_a_missing_email_is_a_404_with_a_sentence(path: str, rendered: Emails) -> None:
    for part in ("", "/html"):
        answer = read(rendered, path + part)
        assert answer.status == 404
        assert b"There is no email " in answer.body


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the functions that make emails."""
    (tmp_path / "infra").symlink_to(sam.ROOT / "infra")
    shutil.copytree(sam.ROOT / "functions", tmp_path / "functions")
    return tmp_path


def render(project: Path) -> Rendered:
    return emails(project).email("welcome", "en")


def test_a_change_is_noticed_and_shown(copy: Path) -> None:
    shown, templates = emails(copy), copy / "functions/core/messages/templates"
    before = shown.stamp()
    assert shown.stamp() == before
    (templates / "welcome/subject.txt").write_text("Changed")
    assert shown.stamp() != before
    assert shown.email("welcome", "en").subject == "Changed"
    data = templates / "welcome/data.py"
    data.write_text(data.read_text().replace("start_url", "begin_url"))
    mistake = shown.email("welcome", "en").mistake
    assert mistake
    assert "/start_url is not a parameter" in mistake.message
    assert shown.email("invitation", "en").mistake is None


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
    path = copy / "functions/core/messages/templates" / file
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new, 1))
    mistake = render(copy).mistake
    assert mistake
    assert (mistake.file, mistake.line) == (f"templates/{file}", line)
    assert message in mistake.message


def test_a_wrong_variable_that_is_handed_to_a_part_is_shown_where_it_was_handed(copy: Path) -> None:
    path = copy / "functions/core/messages/templates/welcome/body.html"
    path.write_text(path.read_text().replace("start_url", "begin_url"))
    mistake = render(copy).mistake
    assert mistake
    assert mistake.called_from == "templates/welcome/body.html, line 8"
    assert "'begin_url' is undefined" in mistake.message


def test_whatever_prevents_all_emails_is_the_mistake_of_each(copy: Path) -> None:
    (copy / "functions/core/messages/verification.py").write_text("klass Wrong")
    shown = emails(copy)
    mistake = shown.email("verification", "en").mistake
    assert mistake
    assert (mistake.file, mistake.line) == ("verification.py", 1)
    assert shown.email("welcome", "en").mistake is None
    (copy / "functions/core/config.py").write_text("klass Wrong")
    for name in ("welcome", "verification"):
        mistake = emails(copy).email(name, "en").mistake
        assert mistake
        assert "klass Wrong" in mistake.message or "invalid syntax" in mistake.message


def test_it_says_where_it_is_and_ends_in_order(start: Callable[..., subprocess.Popen[str]]) -> None:
    process = start("PORT=0", "APP_NAME=Another name", "BRAND_COLOR=#0055ff")
    assert process.stdout
    url = re.findall(r"http://127\.0\.0\.1:\d+", process.stdout.readline())[0]
    assert httpx.get(f"{url}/console/emails").headers["content-type"].startswith("text/html")
    about = httpx.get(f"{url}/_local/about").json()
    assert (about["url"], about["app_name"]) == (None, "Another name")
    page = httpx.get(f"{url}/_local/emails/welcome/en/html").text
    assert "Another name" in page
    assert "#0055ff" in page
    assert httpx.get(f"{url}/_local/inbox").status_code == 404
    assert httpx.get(f"{url}/runs").status_code == 404
    assert httpx.get(url, headers={"host": "evil.example"}).status_code == 403
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


def test_a_port_in_use_is_said(start: Callable[..., subprocess.Popen[str]]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        _, said = start(f"PORT={port}").communicate(timeout=60)
    assert f"Port {port} is in use" in said
    assert "make preview PORT=" in said


def test_samples_are_data_of_their_templates() -> None:
    assert all(json.loads((TEMPLATES / name / "sample.json").read_text()) for name in NAMES)
