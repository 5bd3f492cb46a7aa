"""Renders messages from templates (templates/) and sentences (locales/).

An email is a folder of templates: subject.txt, body.txt, body.html. The bodies extend layout.txt
and layout.html. Templates write `{{ say("key") }}` for a sentence in the reader's language; its
placeholders are the template's variables.
"""

from collections.abc import Mapping
from datetime import date
from pathlib import Path

from jinja2 import ChoiceLoader, FileSystemLoader, ModuleLoader, StrictUndefined, pass_context
from jinja2.runtime import Context
from jinja2.sandbox import SandboxedEnvironment
from markupsafe import Markup, escape

from functions.core import config
from functions.core.messages.email import Email
from functions.core.messages.rendering.branding import branding
from functions.core.messages.rendering.locales import Locale, fill

TEMPLATES = Path(__file__).parents[1] / "templates"
COMPILED = Path(__file__).parents[1] / "compiled"
"""Templates as Python modules, made by `make build`, because compiling them at init is slow."""

Isolates = tuple[str, str]
"""Marks around a value in a sentence that keep their directions of writing apart (UAX #9)."""

_NONE: Isolates = ("", "")
_INVISIBLE: Isolates = ("\u2068", "\u2069")
"""First strong isolate, pop directional isolate."""
_MARKUP: Isolates = (Markup('<span dir="auto">'), Markup("</span>"))
"""Spans instead of `<bdi>`, which Gmail, Outlook and Yahoo remove (caniemail.com, html-bdi)."""


def render_email(folder: str, locale: Locale, values: Mapping[str, object]) -> Email:
    """Renders the email of a folder of templates, such as `verification`."""
    subject = " ".join(render(f"{folder}/subject.txt", locale, values).split())
    known = {"subject": subject, **values}
    text = render(f"{folder}/body.txt", locale, known, _INVISIBLE if locale.dir == "rtl" else _NONE)
    html = render(f"{folder}/body.html", locale, known, _MARKUP)
    unsubscribe_url = values.get("unsubscribe_url")
    return Email(subject, text, html, str(unsubscribe_url) if unsubscribe_url else None)


def render(
    template: str, locale: Locale, values: Mapping[str, object], isolates: Isolates = _NONE
) -> str:
    """Renders a template, such as `verification/sms.txt`.

    HTML is escaped. A variable without a value is an error (`jinja2.UndefinedError`).

    Args:
        template: path of the template in templates/.
        locale: locale of the sentences.
        values: the template's variables; values in sentences are `str` or dates.
        isolates: marks around values; none in subjects and SMS, whose sentences keep values apart.
    """
    brand = branding()
    known = {"brand": brand, "app_name": brand.app_name, "locale": locale, "isolates": isolates}
    return _environment().get_template(template).render(known | dict(values)).strip()


def compile_templates(target: Path = COMPILED) -> None:
    """Compiles all templates to Python modules, for an artifact."""
    sources = _environment().overlay(loader=FileSystemLoader(TEMPLATES))
    sources.compile_templates(target, extensions=["html", "txt"], zip=None, ignore_errors=False)


@config.cached(lasting=True)
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
