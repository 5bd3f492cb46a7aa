"""Header of a CSV: the parameter that each column is.

A dotted name makes objects and lists: `data.name` and `data.city` are two fields of `data`, and
`data.paragraphs.0` and `data.paragraphs.1` are two texts of its list `paragraphs`.
"""

import re
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from functions.api.runs.lists.formulas import unmark
from functions.api.runs.lists.reading import unreadable
from functions.core.pasted import is_blank

EXPORTED = ("row", "status", "result", "problem", "detail")
"""Columns of an exported run. Where all stand side by side in this order, none is a parameter, so
that an export can be corrected and uploaded as it is. A parameter may have the same name."""
_DONE = "succeeded"

_NAME = re.compile(r"[\w-]+(\.[\w-]+)*")
MAX_DEPTH = 8
"""Nested objects per name. Each name creates its own in every row."""
_MAX_NAME_SHOWN = 64
"""Characters of an invalid name that the error quotes."""

Path = tuple[str, ...]


class Header(NamedTuple):
    """Names of the columns, and the row that they stand in."""

    row: int
    width: int
    """Number of columns."""
    columns: list[tuple[int, Path, str]]
    """Columns that are parameters: place, names of the objects around it, name."""
    nameless: list[int]
    """Columns without a name, as a delimiter at the end of each row makes one."""
    lists: frozenset[Path]
    """Objects whose fields are 0, 1, …: lists."""
    status: int | None
    """Column of the status in an export."""

    def is_done(self, row: Sequence[str]) -> bool:
        """True for a row of an export that has succeeded: it must not be done again."""
        return self.status is not None and row[self.status : self.status + 1] == [_DONE]

    def item(self, row: Sequence[str]) -> dict[str, Any]:
        """The parameters of a row. A blank or missing cell is an absent parameter.

        Exports mark texts that a spreadsheet would run as formulas.
        """
        item: dict[str, Any] = {}
        for column, objects, name in self.columns:
            if column >= len(row):  # the work for a short row is short, too
                break
            if not is_blank(cell := row[column]):
                fields = item
                for step in objects:
                    fields = fields.setdefault(step, {})
                fields[name] = cell if self.status is None else unmark(cell)
        return _with_lists(item, (), self.lists) if self.lists else item


def read_header(names: Sequence[str], row: int) -> Header:
    """Reads the names, without spaces at their ends. Raises `UnreadableItems`."""
    exported = _exported(names)
    if not exported:
        _refuse_part_of_export(set(EXPORTED).intersection(names), row)
    columns: dict[int, Path] = {}
    known: set[str] = set()
    for column, name in enumerate(names):
        if name and column not in exported:
            _refuse_name(name, known, f"row {row}, column {column + 1}")
            known.add(name)
            columns[column] = tuple(name.split("."))
    _refuse_values_with_fields(set(columns.values()), row)
    return Header(
        row=row,
        width=len(names),
        columns=[(column, path[:-1], path[-1]) for column, path in columns.items()],
        nameless=[column for column, name in enumerate(names) if not name],
        lists=_lists(columns.values()),
        status=exported[EXPORTED.index("status")] if exported else None,
    )


def _exported(names: Sequence[str]) -> range:
    for first in range(len(names) - len(EXPORTED) + 1):
        found = range(first, first + len(EXPORTED))
        if tuple(names[column] for column in found) == EXPORTED:
            return found
    return range(0)


def _refuse_part_of_export(found: set[str], row: int) -> None:
    """Refuses an export of which a column was deleted or moved. Two of the names say nothing: a
    workflow may have parameters of these names.
    """
    if len(found) >= len(EXPORTED) - 1 or found > {"row", "status"}:
        raise unreadable(
            f"row {row} has {_listed(name for name in EXPORTED if name in found)} of an exported "
            f"run; {_listed(EXPORTED)} must stay side by side, or all be deleted"
        )


def _listed(names: Iterable[str]) -> str:
    *first, last = names
    return f"{', '.join(first)} and {last}"


def _refuse_name(name: str, known: set[str], place: str) -> None:
    if not _NAME.fullmatch(name):
        raise unreadable(
            f"{place} has {name[:_MAX_NAME_SHOWN]!r}, which is not a valid parameter name; "
            "write the parameters' names, separated by commas, semicolons or tabs"
        )
    if name.count(".") > MAX_DEPTH:
        raise unreadable(f"{place} has a name with more than {MAX_DEPTH} dots")
    if name in known:
        raise unreadable(f"{place} repeats the name {name}")


def _refuse_values_with_fields(paths: set[Path], row: int) -> None:
    objects = {path[:length] for path in paths for length in range(1, len(path))}
    if both := objects & paths:
        raise unreadable(
            f"row {row} names {'.'.join(min(both))} both as a value and as an object with fields"
        )


def _lists(paths: Iterable[Path]) -> frozenset[Path]:
    fields: dict[Path, set[str]] = {}
    for path in paths:
        for length in range(1, len(path)):
            fields.setdefault(path[:length], set()).add(path[length])
    return frozenset(
        path for path, names in fields.items() if names == set(map(str, range(len(names))))
    )


def _with_lists(fields: dict[str, Any], path: Path, lists: frozenset[Path]) -> Any:  # noqa: ANN401 - JSON
    """Objects as the lists that they are. An empty cell leaves no place in a list."""
    read = {
        name: _with_lists(value, (*path, name), lists) if isinstance(value, dict) else value
        for name, value in fields.items()
    }
    return [read[name] for name in sorted(read, key=int)] if path in lists else read
