"""CSV (RFC 4180, UTF-8): the first row has the parameters' names, each other row is an item.

A dotted name makes a nested object: `data.name` and `data.city` are two fields of `data`. All
values are texts, which the workflow converts. An empty cell is an absent parameter.
"""

import csv
import re
from collections.abc import Iterator
from typing import Any, BinaryIO

from functions.api.runs.reading import MAX_UPLOADED_ITEM_BYTES, read_lines_of, unreadable

_NAME = re.compile(r"[\w-]+(\.[\w-]+)*")
_MAX_DEPTH = 8
"""Nested objects per name. Each name creates its own in every row."""
_MAX_NAME_SHOWN = 64
"""Characters of an invalid name that the error quotes."""
_QUOTING = (
    "is not valid CSV: close every quote, write quotes inside a value twice, "
    "and put values with line breaks in quotes"
)

Path = tuple[str, ...]


def read_csv(stream: BinaryIO) -> Iterator[dict[str, Any]]:
    """Yields rows as items, empty lines skipped. Row 1 in errors is the row with the names."""
    csv.field_size_limit(MAX_UPLOADED_ITEM_BYTES)
    rows = csv.reader(_texts(stream), strict=True)
    paths: list[Path] = []
    number = 0
    try:
        for number, row in enumerate(rows, start=1):
            if row and not paths:
                paths = _paths(row)
            elif row:
                yield _item(paths, row, number)
    except csv.Error:
        raise unreadable(f"row {number + 1} {_QUOTING}") from None


def _texts(stream: BinaryIO) -> Iterator[str]:
    for number, line in enumerate(read_lines_of(stream), start=1):
        try:
            yield line.decode()
        except UnicodeDecodeError:
            raise unreadable(f"line {number} is not UTF-8") from None


def _paths(names: list[str]) -> list[Path]:
    known: set[str] = set()
    for column, name in enumerate(names, start=1):
        if not _NAME.fullmatch(name):
            shown = (
                f"{name[:_MAX_NAME_SHOWN]!r}, which is not a valid parameter name"
                if name
                else "no name"
            )
            raise unreadable(
                f"row 1, column {column} has {shown}; write the parameters' names, "
                "separated by commas"
            )
        if name.count(".") > _MAX_DEPTH:
            raise unreadable(f"row 1, column {column} has a name with more than {_MAX_DEPTH} dots")
        if name in known:
            raise unreadable(f"row 1, column {column} repeats the name {name}")
        known.add(name)
    paths = [tuple(name.split(".")) for name in names]
    if both := {path[:length] for path in paths for length in range(1, len(path))} & set(paths):
        raise unreadable(
            f"row 1 names {'.'.join(min(both))} both as a value and as an object with fields"
        )
    return paths


def _item(paths: list[Path], row: list[str], number: int) -> dict[str, Any]:
    if len(row) != len(paths):
        raise unreadable(f"row {number} has {len(row)} cells, but row 1 has {len(paths)} names")
    if sum(map(len, row)) > MAX_UPLOADED_ITEM_BYTES:
        raise unreadable(f"row {number} has more than {MAX_UPLOADED_ITEM_BYTES:,} characters")
    item: dict[str, Any] = {}
    for path, cell in zip(paths, row, strict=True):
        if cell:
            _put(item, path, cell)
    return item


def _put(item: dict[str, Any], path: Path, cell: str) -> None:
    for step in path[:-1]:
        item = item.setdefault(step, {})
    item[path[-1]] = cell
