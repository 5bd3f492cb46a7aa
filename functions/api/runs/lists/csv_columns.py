"""Columns of a CSV: items as its reader (csv_header.py) takes them back.

An object or a list gets a column for each text in it, such as `data.name`. Where that would change
a value in one of the items, the parameter stands as JSON in one column: the reader takes every cell
below `data` for a text, and an empty one for an absent value.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple, TypeAlias

import msgspec

from functions.api.runs.lists.csv_header import MAX_DEPTH
from functions.api.runs.lists.formulas import mark
from functions.core.pasted import is_blank

MAX_COLUMNS = 1_000
_MOST_OF_ONE = 100
"""Columns of one parameter: an object with a name for each person would have as many."""
_NAME = re.compile(r"[\w-]+")
_TEXT = "text"

_Shape: TypeAlias = "str | dict[str, _Shape] | list[_Shape] | None"
"""Kind of a value in all items: `_TEXT`, an object or a list; null where none had one so far."""
_Place: TypeAlias = "int | dict[str, _Place] | list[_Place]"
"""Number of a value's column, or the places of the values within it."""


class TooManyColumns(Exception):
    """The items have more than MAX_COLUMNS columns together."""


class _NotKept(Exception):
    """A value would not be the same, read from columns."""


class Columns(NamedTuple):
    """Columns for a list of items."""

    names: list[str]
    places: dict[str, _Place]
    """Place of each parameter."""

    def row(self, item: Mapping[str, Any]) -> list[str]:
        """Cells of one of the items."""
        row = [""] * len(self.names)
        for name, value in item.items():
            place = self.places[name]
            if type(place) is not int:
                _fill(row, place, value)
            elif isinstance(value, str):
                row[place] = mark(value)
            elif value is not None:
                row[place] = msgspec.json.encode(value).decode()
        return row


def columns_of(items: Iterable[Mapping[str, Any]]) -> Columns:
    """Columns for all values of the items. Raises `TooManyColumns`."""
    shapes: dict[str, _Shape] = {}
    as_json: set[str] = set()
    for item in items:
        for name, value in item.items():
            if name not in as_json:
                try:
                    shapes[name] = _with_parameter(shapes.get(name), value)
                except _NotKept:
                    as_json.add(name)
                    shapes[name] = _TEXT
        if len(shapes) > MAX_COLUMNS:
            raise TooManyColumns
    return _numbered(shapes)


def _numbered(shapes: Mapping[str, _Shape]) -> Columns:
    columns = Columns([], {})
    for name, shape in shapes.items():
        first = len(columns.names)
        columns.places[name] = _number(name, shape, columns.names)
        if len(columns.names) - first > _MOST_OF_ONE:
            columns.places[name] = first
            columns.names[first:] = [name]
        if len(columns.names) > MAX_COLUMNS:
            raise TooManyColumns
    return columns


def _with_parameter(shape: _Shape, value: Any) -> _Shape:  # noqa: ANN401 - JSON
    """The shape with a parameter's value. A number is read back by the parameter's type."""
    if value is None or value == "":
        return shape
    if isinstance(value, dict | list):
        return _with(shape, value, MAX_DEPTH)
    return _with(shape, _TEXT, MAX_DEPTH)


def _with(shape: _Shape, value: Any, depth: int) -> _Shape:  # noqa: ANN401 - JSON
    """The shape with a value. Raises `_NotKept`."""
    kind = type(value)
    if shape is not None and type(shape) is not kind:
        raise _NotKept
    if kind is str:
        if is_blank(value):
            raise _NotKept
        return _TEXT
    if not value or not depth or kind not in {dict, list}:
        raise _NotKept
    if kind is dict:
        return _with_fields({} if shape is None else shape, value, depth)
    return _with_places([] if shape is None else shape, value, depth)


def _with_fields(shape: Any, value: dict[str, Any], depth: int) -> _Shape:  # noqa: ANN401 - an object's
    for name, inner in value.items():
        known = shape.get(name)
        # Names that are numbers would be the places of a list.
        if known is None and (not _NAME.fullmatch(name) or name.isdigit()):
            raise _NotKept
        shape[name] = _with(known, inner, depth - 1)
    return shape  # type: ignore[no-any-return]


def _with_places(shape: Any, value: list[Any], depth: int) -> _Shape:  # noqa: ANN401 - a list's
    shape.extend([None] * (len(value) - len(shape)))
    for place, inner in enumerate(value):
        shape[place] = _with(shape[place], inner, depth - 1)
    return shape  # type: ignore[no-any-return]


def _number(name: str, shape: _Shape, names: list[str]) -> _Place:
    """Adds the names of a value's columns; returns their places."""
    if isinstance(shape, dict):
        return {step: _number(f"{name}.{step}", each, names) for step, each in shape.items()}
    if isinstance(shape, list):
        return [_number(f"{name}.{place}", each, names) for place, each in enumerate(shape)]
    names.append(name)
    return len(names) - 1


def _fill(row: list[str], place: Any, value: Any) -> None:  # noqa: ANN401 - JSON
    if isinstance(value, str):
        if value:
            row[place] = mark(value)
    elif isinstance(value, dict):
        for name, inner in value.items():
            _fill(row, place[name], inner)
    elif isinstance(value, list):
        for each, inner in zip(place, value, strict=False):
            _fill(row, each, inner)
