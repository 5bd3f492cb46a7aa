"""Webhook sources, from sources.toml."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, NamedTuple

import msgspec
from msgspec import Meta

from functions.api.webhooks.declared.sections import Section, line_of, read_sections
from functions.api.webhooks.declared.source import Source
from functions.core import config
from functions.core.config import SettingsError
from functions.core.definition.names import workflow_names
from functions.core.errors import NotFound, Unavailable
from functions.core.observability import logger

SOURCES = Path(__file__).parent / "sources.toml"

Allowed = Callable[[str], str]
"""Says why a workflow cannot be started by a webhook; empty if it can."""


class SourceMistake(NamedTuple):
    """A section that cannot be used."""

    section: str
    line: int
    sentence: str


class Checked(NamedTuple):
    """The sources of a file, and the sections that cannot be used."""

    usable: dict[str, Source]
    mistakes: list[SourceMistake]


def find_source(name: str) -> Source:
    """Source of this name.

    Raises:
        NotFound: there is none.
        Unavailable: its section has a mistake. Most sources then try again later.
    """
    source = sources().get(name)
    if source is not None:
        return source
    if mistakes_of(name):
        logger.error("this source's section of sources.toml has a mistake", source=name)
        raise Unavailable("This webhook source is not set up correctly.")
    raise no_such_source()


def no_such_source() -> NotFound:
    """Error for a source that does not exist or is not set up. Strangers cannot tell which."""
    return NotFound("This webhook source does not exist or is not set up.")


def sources() -> dict[str, Source]:
    """All usable sources by name."""
    return _checked().usable


def mistakes_of(name: str) -> list[SourceMistake]:
    """Reasons why a source's section cannot be used."""
    return [each for each in _checked().mistakes if each.section == name]


@config.cached(lasting=True)
def _checked() -> Checked:
    return check_sources(SOURCES.read_text(), _missing)


def log_mistakes() -> None:
    """Logs each section that cannot be used."""
    for section, line, sentence in _checked().mistakes:
        logger.error(
            "a section of sources.toml cannot be used; its source answers 503",
            source=section,
            line=line,
            mistake=sentence,
        )


def _missing(workflow: str) -> str:
    return "" if workflow in workflow_names() else no_workflow(workflow)


def no_workflow(name: str) -> str:
    """Mistake of a section that names a workflow which does not exist."""
    return f"there is no workflow {name}"


def read_sources(text: str) -> dict[str, Source]:
    """Sources of a text like sources.toml. Raises `SettingsError` for the first invalid one."""
    usable, mistakes = check_sources(text)
    if mistakes:
        raise SettingsError(f"sources.toml: {mistakes[0].sentence}")
    return usable


def check_sources(text: str, allowed: Allowed | None = None) -> Checked:
    """Sources of a text like sources.toml, and its mistakes in the order of their lines.

    `allowed`: for the workflow of each source; not checked if null.
    """
    usable: dict[str, Source] = {}
    mistakes: list[SourceMistake] = []
    for section in read_sections(text):
        try:
            usable[section.name] = _source(section, allowed)
        except _Wrong as error:
            line = line_of(text, section, error.field) if not section.mistake else section.line
            place = f"[{section.name}] " if section.name else ""
            mistakes.append(SourceMistake(section.name, line, f"{place}{error}."))
    return Checked(usable, sorted(mistakes, key=lambda each: each.line))


class _Wrong(Exception):
    def __init__(self, sentence: str, field: str) -> None:
        super().__init__(sentence)
        self.field = field


def _source(section: Section, allowed: Allowed | None) -> Source:
    if section.mistake:
        raise _Wrong(section.mistake, "")
    try:
        made = msgspec.convert({section.name: section.values}, _Named)[section.name]
    except msgspec.ValidationError as error:
        sentence = re.sub(r" - at `(key in )?\$.*", "", str(error))
        raise _Wrong(sentence, _field_of(str(error))) from None
    if allowed and made.workflow and (sentence := allowed(made.workflow)):
        raise _Wrong(sentence, "workflow")
    return made


_Named = dict[Annotated[str, Meta(pattern=r"^[a-z0-9_-]{1,40}$")], Source]


def _field_of(error: str) -> str:
    """Field that an error is about; empty if it is about the whole section."""
    for pattern in _NAMES_FIELD:
        if found := pattern.search(error):
            return found[1]
    return ""


_NAMES_FIELD = (
    re.compile(r"at `\$\[\.\.\.\]\.(\w+)"),
    re.compile(r"unknown field `(\w+)`"),
    re.compile(r"^([a-z]\w*)\b"),
)
