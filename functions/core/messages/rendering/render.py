"""The one renderer: templates are files in templates/, sentences are files in locales/.

An email is a folder of templates: subject.txt, body.txt, body.html. The bodies extend layout.txt and layout.html. Templates
write `{{ say("key") }}` for a sentence of the reader's language; its placeholders are the template's variables.
"""

from collections.abc import Mapping
from datetime import date
from functools import cache
from pathlib import Path

from jinja2 import ChoiceLoader, FileSystemLoader, ModuleLoader, StrictUndefined, pass_context
from jinja2.runtime import Context
from jinja2.sandbox import SandboxedEnvironment
from markupsafe import Markup, escape

from functions.core.messages.email import Email
from functions.core.messages.rendering.branding import branding
from functions.core.messages.rendering.locales import Locale, fill

TEMPLATES = Path(__file__).parents[1] / "templates"
COMPILED = Path(__file__).parents[1] / "compiled"
"""Templates as Python modules, made by `make build`: compiling them takes most of the time that this module costs an init."""

Isolates = tuple[str, str]
"""What stands around a value in a sentence, so that its direction of writing and the sentence's do not mix (UAX #9)."""

_NONE: Isolates = ("", "")
_INVISIBLE: Isolates = ("\u2068", "\u2069")
"""First strong isolate, pop directional isolate."""
_MARKUP: Isolates = (Markup('<span dir="auto">'), Markup("</span>"))
"""Not `<bdi>`: Gmail, Outlook and Yahoo remove it (caniemail.com, html-bdi)."""


def render_email(folder: str, locale: Locale, values: Mapping[str, object]) -> Email:
    """The email of a folder of templates, for instance `verification`."""
    subject = " ".join(render(f"{folder}/subject.txt", locale, values).split())
    known = {"subject": subject, **values}
    text = render(f"{folder}/body.txt", locale, known, _INVISIBLE if locale.dir == "rtl" else _NONE)
    html = render(f"{folder}/body.html", locale, known, _MARKUP)
    unsubscribe_url = values.get("unsubscribe_url")
    return Email(subject, text, html, str(unsubscribe_url) if unsubscribe_url else None)


def render(
    template: str, locale: Locale, values: Mapping[str, object], isolates: Isolates = _NONE
) -> str:
    """A template's text, for instance `verification/sms.txt`.

    HTML is escaped; a variable that the template uses and nobody gave is an error (`jinja2.UndefinedError`).

    Args:
        template: its path in templates/.
        locale: whose sentences it says.
        values: the template's variables; those that stand in sentences are `str` or dates.
        isolates: none in what has one line or is counted, as subjects and SMS: there the sentences keep values apart.
    """
    brand = branding()
    known = {"brand": brand, "app_name": brand.app_name, "locale": locale, "isolates": isolates}
    return _environment().get_template(template).render(known | dict(values)).strip()


def compile_templates(target: Path = COMPILED) -> None:
    """Writes all templates as Python modules, for an artifact."""
    sources = _environment().overlay(loader=FileSystemLoader(TEMPLATES))
    sources.compile_templates(target, extensions=["html", "txt"], zip=None, ignore_errors=False)


@cache
def _environment() -> SandboxedEnvironment:
    environment = SandboxedEnvironment(
        loader=ChoiceLoader([ModuleLoader(COMPILED), FileSystemLoader(TEMPLATES)]),
        autoescape=lambda name: bool(name and name.endswith(".html")),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals["say"] = _say
    return environment


@pass_context
def _say(context: Context, key: str, variant: object = None) -> str:
    locale: Locale = context["locale"]
    sentence = locale.sentence(key, variant)
    before, after = context["isolates"]

    def value(name: str) -> str:
        given = context.resolve(name)
        isolated: str = (
            before + (locale.format_date(given) if isinstance(given, date) else given) + after
        )
        return isolated

    if context.eval_ctx.autoescape:
        return Markup(fill(escape(sentence), value))  # noqa: S704 - sentence and values are escaped
    return fill(sentence, value)
