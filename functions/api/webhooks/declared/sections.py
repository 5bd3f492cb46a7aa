"""Sections of sources.toml, each read by itself: a mistake in one leaves the others usable."""

import re
import tomllib
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

_HEADER = re.compile(r'\s*\[\s*(?:"([^"\]]+)"|([A-Za-z0-9_-]+))\s*\]\s*(?:#.*)?')
_AT_LINE = re.compile(r"at line (\d+)")


class Section(NamedTuple):
    """A section, or the text that should have been one."""

    name: str
    line: int
    """Line of its header in the file, from 1."""
    values: Mapping[str, Any]
    mistake: str | None = None
    """Error of syntax."""


def read_sections(text: str) -> list[Section]:
    """All sections of a text. Only if it is no TOML is each section read by itself."""
    try:
        document = tomllib.loads(text)
    except (ValueError, RecursionError):
        return [_section(*each) for each in _blocks(text)]
    lines = {name: line for name, line, _ in _blocks(text)}
    return [
        Section(name, lines.get(name, 1), values)
        if isinstance(values, dict)
        else Section(name, 1, {}, f"{name} stands in no section")
        for name, values in document.items()
    ]


def line_of(text: str, section: Section, field: str) -> int:
    """Line of a field of a section; that of its header if it has no such field."""
    named = re.compile(rf'\s*"?{re.escape(field)}"?\s*=')
    lines = text.splitlines()[section.line :]
    for number, line in enumerate(lines, start=section.line + 1):
        if _HEADER.fullmatch(line):
            break
        if field and named.match(line):
            return number
    return section.line


def _section(name: str, line: int, text: str) -> Section:
    try:
        document = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        within = _AT_LINE.search(str(error))
        at = line + int(within[1]) - 1 if within else line
        sentence = re.sub(r" \(at .*\)$", "", str(error))
        return Section(name, at, {}, sentence)
    values = document.get(name)
    if not isinstance(values, dict):
        return Section(name, line, {}, "no section begins here")
    return Section(name, line, values)


def _blocks(text: str) -> Iterator[tuple[str, int, str]]:
    """Name, line and text of each block that begins with a header; the first may have none."""
    name, first, block = "", 1, list[str]()
    for number, line in enumerate(text.splitlines(keepends=True), start=1):
        if found := _HEADER.fullmatch(line.rstrip("\r\n")):
            if name or "".join(block).strip():
                yield name, first, "".join(block)
            name, first, block = found[1] or found[2], number, []
        block.append(line)
    if name or "".join(block).strip():
        yield name, first, "".join(block)
