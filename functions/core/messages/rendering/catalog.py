"""Templates of emails that workflows send: a folder each, whose `data.py` has the variables.

    templates/welcome/data.py         class Data(Parameters): its variables, typed
                      subject.txt     one line
                      body.txt        extends layout.txt
                      body.html       extends layout.html; parts.html has headings, buttons, …
                      sentences.json  its sentences by locale; without it, all text is data
                      sample.json     data for `make preview` and the tests

Another email is another folder. A folder without `data.py`, such as `verification`, is not offered.
"""

import importlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from functions.core import config
from functions.core.errors import FieldError, InvalidParameters
from functions.core.messages.email import Email
from functions.core.messages.rendering.locales import Locale, LocaleHint, find_locale
from functions.core.messages.rendering.render import TEMPLATES, render_email
from functions.core.parameters import Parameters, read_parameters


class Template(NamedTuple):
    """Template that workflows can send."""

    name: str
    data: type[Parameters]

    @property
    def folder(self) -> Path:
        """Folder of the template's files."""
        return TEMPLATES / self.name

    def read(self, values: Mapping[str, Any], at: str = "/data") -> Parameters:
        """Reads the template's variables from JSON values.

        Texts become what is wanted ("5", "[…]"), because the cells of a CSV are all texts, and what
        runs over them knows `data` as any object.

        Args:
            values: values as the client sent them.
            at: JSON pointer to the values.

        Raises:
            InvalidParameters: names each variable that is missing, unknown or wrong.
        """
        return read_parameters(self.data, values, at, strict=False)

    def email(self, values: Mapping[str, Any], locale: LocaleHint | None = None) -> Email:
        """Renders the email.

        Args:
            values: the template's variables, as JSON values.
            locale: the reader's languages; if the template has none of them, the default locale,
                else its first one.

        Raises:
            InvalidParameters: as `read`.
        """
        data = self.read(values)
        variables = {field: getattr(data, field) for field in data.__struct_fields__}
        return render_email(self.name, self._locale(locale), variables)

    def locales(self) -> list[str]:
        """BCP 47 tags of the template's languages; empty where all text is data."""
        return list(_sentences(self.name))

    def _locale(self, hint: LocaleHint | None) -> Locale:
        own = _sentences(self.name)
        found = find_locale(hint, among=own)
        return msgspec.structs.replace(found, sentences=found.sentences | own.get(found.tag, {}))


def find_template(name: str, at: str = "/template") -> Template:
    """Finds a template by name. Raises `InvalidParameters`, which lists the names."""
    if name not in names():
        raise InvalidParameters(FieldError(at, f"must be one of {', '.join(names())}"))
    module = importlib.import_module(f"functions.core.messages.templates.{name}.data")
    return Template(name, module.Data)


def prepare() -> None:
    """Imports all data classes at init."""
    for name in names():
        find_template(name)


@config.cached(lasting=True)
def names() -> list[str]:
    """Names of all templates."""
    return sorted(path.parent.name for path in TEMPLATES.glob("*/data.py"))


@config.cached(lasting=True)
def _sentences(name: str) -> dict[str, dict[str, str]]:
    path = TEMPLATES / name / "sentences.json"
    return (
        msgspec.json.decode(path.read_bytes(), type=dict[str, dict[str, str]])
        if path.exists()
        else {}
    )
