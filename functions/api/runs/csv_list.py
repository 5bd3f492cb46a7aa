"""CSV (RFC 4180, UTF-8): the first row has the parameters' names, each other row is an item.

A dotted name makes a nested object: `data.name` and `data.city` are two fields of `data`. All values are texts, which the
workflow converts; an empty cell is an absent parameter.
"""

import csv
import re
from collections.abc import Iterator
from typing import Any, BinaryIO

from functions.api.runs.reading import MAX_ITEM_BYTES, read_lines_of, unreadable

_NAME = re.compile(r"[\w-]+(\.[\w-]+)*")
_DEEPEST = 8
"""Objects in objects: each name makes its own, in every row."""
_LONGEST_SHOWN = 64
"""Characters of a wrong name that are told."""
_QUOTING = (
    "is not CSV: a quote that is not closed or not doubled, or a line break that is not quoted"
)

Path = tuple[str, ...]


def read_csv(stream: BinaryIO) -> Iterator[dict[str, Any]]:
    """Rows as items. Lines that are empty are no rows; the rows are counted from 1, the names included."""
    csv.field_size_limit(MAX_ITEM_BYTES)
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
                f"{name[:_LONGEST_SHOWN]!r}, which is no name of a parameter" if name else "no name"
            )
            raise unreadable(f"row 1, column {column} has {shown}; names are separated by commas")
        if name.count(".") > _DEEPEST:
            raise unreadable(f"row 1, column {column} has a name of more than {_DEEPEST} dots")
        if name in known:
            raise unreadable(f"row 1, column {column} has the name {name} for the second time")
        known.add(name)
    paths = [tuple(name.split(".")) for name in names]
    if inside := {path[:length] for path in paths for length in range(1, len(path))} & set(paths):
        raise unreadable(
            f"row 1 has {'.'.join(min(inside))} both as a value and with fields inside"
        )
    return paths


def _item(paths: list[Path], row: list[str], number: int) -> dict[str, Any]:
    if len(row) != len(paths):
        raise unreadable(f"row {number} has {len(row)} cells; the first row has {len(paths)} names")
    if sum(map(len, row)) > MAX_ITEM_BYTES:
        raise unreadable(f"row {number} has more than {MAX_ITEM_BYTES:,} characters")
    item: dict[str, Any] = {}
    for path, cell in zip(paths, row, strict=True):
        if cell:
            _put(item, path, cell)
    return item


def _put(item: dict[str, Any], path: Path, cell: str) -> None:
    for step in path[:-1]:
        item = item.setdefault(step, {})
    item[path[-1]] = cell
