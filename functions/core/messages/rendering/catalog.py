"""The templates of emails that workflows send: a folder each in templates/, where `data.py` says what it is filled with.

    templates/welcome/data.py         class Data(Parameters): its variables, typed
                      subject.txt     one line
                      body.txt        extends layout.txt
                      body.html       extends layout.html; parts.html has headings, paragraphs, buttons
                      sentences.json  its sentences by locale; without it, its words are all data
                      sample.json     data for `make preview` and the tests

Another email is another folder. A folder without `data.py`, such as that of the codes, cannot be asked for by name.
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
    """A template that workflows can send."""

    name: str
    data: type[Parameters]

    @property
    def folder(self) -> Path:
        """Where its files are."""
        return TEMPLATES / self.name

    def read(self, values: Mapping[str, Any], at: str = "/data") -> Parameters:
        """The template's variables from JSON values.

        Args:
            values: as the client sent them.
            at: a JSON pointer to where they stood.

        Raises:
            InvalidParameters: for a variable that is missing, unknown or wrong, which it names.
        """
        return read_parameters(self.data, values, at)

    def email(self, values: Mapping[str, Any], locale: LocaleHint | None = None) -> Email:
        """The rendered email.

        Args:
            values: the template's variables, as JSON values.
            locale: the reader's languages; where the template speaks none, the default locale, else its first one.

        Raises:
            InvalidParameters: as `read`.
        """
        data = self.read(values)
        variables = {field: getattr(data, field) for field in data.__struct_fields__}
        return render_email(self.name, self._locale(locale), variables)

    def locales(self) -> list[str]:
        """BCP 47 tags of the languages that it speaks; empty where its words are all data."""
        return list(_sentences(self.name))

    def _locale(self, wanted: LocaleHint | None) -> Locale:
        own = _sentences(self.name)
        found = find_locale(wanted, among=own)
        return msgspec.structs.replace(found, sentences=found.sentences | own.get(found.tag, {}))


def find_template(name: str, at: str = "/template") -> Template:
    """The template of that name. Raises `InvalidParameters`, with the names that there are."""
    if name not in names():
        raise InvalidParameters(FieldError(at, f"is none of {', '.join(names())}"))
    module = importlib.import_module(f"functions.core.messages.templates.{name}.data")
    return Template(name, module.Data)


def prepare() -> None:
    """Reads all data classes, for init."""
    for name in names():
        find_template(name)


@config.cached(lasting=True)
def names() -> list[str]:
    """Of all templates."""
    return sorted(path.parent.name for path in TEMPLATES.glob("*/data.py"))


@config.cached(lasting=True)
def _sentences(name: str) -> dict[str, dict[str, str]]:
    path = TEMPLATES / name / "sentences.json"
    return (
        msgspec.json.decode(path.read_bytes(), type=dict[str, dict[str, str]])
        if path.exists()
        else {}
    )
