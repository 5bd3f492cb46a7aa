"""CSV (RFC 4180) as spreadsheets and exports write it: a header with the parameters' names, and a
row for each item.

Commas, semicolons or tabs, whichever the header has, in UTF-8 or UTF-16, with any line ends. All
values are texts, which the workflow converts. A blank cell is an absent parameter, and a row of
blank cells is no item.
"""

import csv
import io
import re
from collections.abc import Iterator
from itertools import chain
from typing import BinaryIO

from functions.api.runs.lists.csv_header import Header, read_header
from functions.api.runs.lists.reading import MAX_UPLOADED_ITEM_BYTES, open_text, unreadable
from functions.core.pasted import is_blank, strip_blank
from functions.core.runs.files import ListedItem

_DELIMITERS = (",", ";", "\t")
_BLANK_LINE = re.compile(r'[\s\ufeff,;"]*')
_QUOTED = re.compile(r'"[^"]*(?:"|$)')
_EXCEL_DELIMITER = re.compile(r'"?sep=([,;|\t])"?\s*', re.IGNORECASE)
"""First line by which Excel is told the delimiter. Excel shows and numbers it not."""
_QUOTING = (
    "is not valid CSV: close every quote, write quotes inside a value twice, "
    "and put values with line breaks in quotes"
)
_MAX_ROW_CHARACTERS = 2 * MAX_UPLOADED_ITEM_BYTES
"""Of a row with its quotes and delimiters, which are no part of the item."""
_TOO_LONG = f"has more than {MAX_UPLOADED_ITEM_BYTES:,} bytes"
_NO_TEXT = "is not UTF-8; save the list as “CSV UTF-8” and upload that"


class _TooLong(Exception):
    """A line is longer than an item may be."""


def read_csv(stream: BinaryIO) -> Iterator[ListedItem]:
    """Yields rows as items. Rows are counted as a spreadsheet counts them, the header among them.

    Raises:
        UnreadableItems: at the first row that cannot be read.
    """
    csv.field_size_limit(MAX_UPLOADED_ITEM_BYTES)
    rows = _rows(_lines(stream))
    number, names = next(rows, (1, []))
    header = read_header([strip_blank(name) for name in names], number)
    any_left = False
    for number, row in rows:
        if not header.is_done(row):
            any_left = True
            yield ListedItem(_item(header, row, number), row=number)
    if header.status is not None and not any_left:
        raise unreadable("each row has the status succeeded; clear it in those to run again")


def _item(header: Header, row: list[str], number: int) -> dict[str, object]:
    """The item of a row. Where a row is shorter than the header, its last cells are empty."""
    if len(row) > header.width and not all(map(is_blank, row[header.width :])):
        raise unreadable(
            f"row {number} has {len(row)} cells, but row {header.row} has {header.width} names"
        )
    if sum(map(len, row)) > MAX_UPLOADED_ITEM_BYTES:
        raise unreadable(f"row {number} {_TOO_LONG}")
    for column in header.nameless:
        if column >= len(row):
            break
        if not is_blank(row[column]):
            raise unreadable(
                f"row {number}, column {column + 1} has a value, "
                f"but row {header.row} has no name for it"
            )
    return header.item(row)


class _RowsLines:
    """Lines of one row after the other: a row of many short lines must not fill the memory."""

    def __init__(self, lines: Iterator[str]) -> None:
        self._lines = lines
        self.characters = 0
        """Characters of the row so far."""

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = next(self._lines)
        self.characters += len(line)
        if self.characters > _MAX_ROW_CHARACTERS:
            raise _TooLong
        return line


def _rows(all_lines: Iterator[str]) -> Iterator[tuple[int, list[str]]]:
    """Rows that are not blank, with their numbers."""
    number, lines = 0, _RowsLines(all_lines)
    try:
        for number, row in enumerate(_all_rows(lines), start=1):
            lines.characters = 0
            if not all(map(is_blank, row)):
                yield number, row
    except csv.Error:
        raise unreadable(f"row {number + 1} {_QUOTING}") from None
    except UnicodeEncodeError:
        raise unreadable(f"row {number + 1} {_NO_TEXT}") from None
    except _TooLong:
        raise unreadable(f"row {number + 1} {_TOO_LONG}") from None


def _all_rows(lines: Iterator[str]) -> Iterator[list[str]]:
    """All rows. The first line that is not blank tells the delimiter."""
    for line in lines:
        if found := _EXCEL_DELIMITER.fullmatch(line):
            yield from csv.reader(lines, delimiter=found[1], strict=True)
        elif _BLANK_LINE.fullmatch(line):
            yield []
        else:
            yield from csv.reader(chain([line], lines), delimiter=_delimiter(line), strict=True)


def _delimiter(header: str) -> str:
    """The delimiter that the header has most of, outside of quotes."""
    return max(_DELIMITERS, key=_QUOTED.sub("", header).count)


def _lines(stream: BinaryIO) -> Iterator[str]:
    """Lines with their ends. A lone carriage return ends a line where it ends the first one.

    Elsewhere it is part of a value: a row must not fall into two.

    Raises:
        UnicodeEncodeError: for what is not UTF-8.
        _TooLong
    """
    # Invalid bytes become surrogates, which _size() fails to encode.
    text = io.TextIOWrapper(open_text(stream), "utf-8", errors="surrogateescape", newline="")
    held, lone_returns = "", None
    while line := text.readline(MAX_UPLOADED_ITEM_BYTES + 1):
        if lone_returns is None:
            lone_returns = line.endswith("\r")
        line = held + line if held else line
        if _size(line) > MAX_UPLOADED_ITEM_BYTES:
            raise _TooLong
        held = line if line.endswith("\r") and not lone_returns else ""
        if not held:
            yield line
    if held:
        yield held


def _size(text: str) -> int:
    """Bytes of a text. Raises `UnicodeEncodeError`."""
    return len(text) if text.isascii() else len(text.encode())
