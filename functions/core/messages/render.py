"""The one renderer: templates are files in templates/, one folder a message."""

from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import FileSystemLoader, StrictUndefined
from jinja2.sandbox import SandboxedEnvironment

from functions.core.messages.settings import settings

TEMPLATES = Path(__file__).parent / "templates"


@cache
def _environment() -> SandboxedEnvironment:
    return SandboxedEnvironment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=lambda name: bool(name and name.endswith(".html")),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def render(template: str, **values: Any) -> str:  # noqa: ANN401 - whatever the template asks for
    """A template's text, for instance `verification/body.html`.

    HTML is escaped; a variable that the template uses and nobody gave is an error (`jinja2.UndefinedError`).
    """
    return _environment().get_template(template).render(app_name=settings().app_name, **values).strip()


def prepare(*templates: str) -> None:
    """Compiles templates, for init."""
    for template in templates:
        _environment().get_template(template)
