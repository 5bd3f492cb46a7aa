import jinja2
import pytest

from functions.core.messages import render as rendering
from functions.core.messages import settings
from functions.core.messages.render import render

CODE = {"code": "123456", "minutes": 10}


@pytest.fixture(autouse=True)
def _app(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("APP_NAME", "Tom & <Jerry>")
    monkeypatch.setenv("EMAIL_FROM", "no-reply@example.com")
    settings.settings.cache_clear()


def test_html_is_escaped_and_text_is_not() -> None:
    assert "Tom &amp; &lt;Jerry&gt;" in render("verification/body.html", **CODE)
    assert render("verification/subject.txt") == "Your verification code for Tom & <Jerry>"


def test_a_variable_that_nobody_gave_is_an_error() -> None:
    with pytest.raises(jinja2.UndefinedError):
        render("verification/body.txt", minutes=10)


def test_an_sms_of_the_longest_name_and_code_is_one_gsm_7_segment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("APP_NAME", "x" * 40)
    settings.settings.cache_clear()
    text = render("verification/sms.txt", code="1234567890", minutes=10)
    assert len(text) <= 160
    assert text.isascii()


def test_templates_cannot_reach_into_python() -> None:
    environment = rendering._environment()
    with pytest.raises(jinja2.exceptions.SecurityError):
        environment.from_string("{{ ''.__class__.__mro__ }}").render()
