from pathlib import Path

import jinja2
import pytest

from functions.core import config
from functions.core.messages.rendering import render as rendering
from functions.core.messages.rendering.branding import branding
from functions.core.messages.rendering.locales import Locale, find_locale
from functions.core.messages.rendering.render import render, render_email
from functions.core.messages.settings import MessageSettings

CODE = {
    "code": "123456",
    "duration": "10 minutes",
    "purpose": None,
    "code_in_subject": False,
    "link": None,
}


@pytest.fixture(autouse=True)
def _app(monkeypatch: pytest.MonkeyPatch) -> None:
    # Settings refuse this name, but the renderer must not depend on that.
    name = MessageSettings(app_name="Tom & <Jerry>", email_from="no-reply@example.com")
    monkeypatch.setattr(config, "_read", {MessageSettings: name})


def test_html_is_escaped_and_text_is_not() -> None:
    mail = render_email("verification", find_locale("en"), CODE)
    assert "Tom &amp; &lt;Jerry&gt;" in mail.html
    assert "<Jerry>" not in mail.html
    assert "code for Tom & <Jerry> is:" in mail.text
    assert mail.subject == "Your verification code for Tom & <Jerry>"


def test_a_sentence_is_escaped_in_html_as_its_values_are() -> None:
    locale = Locale(sentences={"s": "<b>{app_name}</b>"})
    template = rendering._environment().from_string("{{ say('s') }}")
    template.name = "x.html"
    html = template.render(locale=locale, app_name="<i>", isolates=rendering._MARKUP)
    assert html == '&lt;b&gt;<span dir="auto">&lt;i&gt;</span>&lt;/b&gt;'


@pytest.mark.parametrize("template", ["verification/body.txt", "verification/body.html"])
def test_a_variable_that_nobody_gave_is_an_error(template: str) -> None:
    with pytest.raises(jinja2.UndefinedError):
        render(template, find_locale("en"), {"purpose": None, "code": "123456", "subject": ""})


def test_templates_cannot_reach_into_python() -> None:
    environment = rendering._environment()
    with pytest.raises(jinja2.exceptions.SecurityError):
        environment.from_string("{{ ''.__class__.__mro__ }}").render()


def test_the_built_templates_render_as_their_sources_do(tmp_path: Path) -> None:
    rendering.compile_templates(tmp_path)
    built = rendering._environment().overlay(loader=jinja2.ModuleLoader(tmp_path))
    values = CODE | {
        "locale": find_locale("en"),
        "brand": branding(),
        "app_name": "x",
        "subject": "y",
    }
    values["isolates"] = rendering._MARKUP
    made, source = (
        each.get_template("verification/body.html") for each in (built, rendering._environment())
    )
    assert made.render(values) == source.render(values)
    assert "&lt;Jerry&gt;" in made.render(values)
