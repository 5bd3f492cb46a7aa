"""Uploaded lists: items read from JSON, JSON Lines or CSV as they come in, or refused with the place of what is wrong.

A file is never in memory as a whole, only as much of it as one item may have.
"""

from collections.abc import Callable, Iterator
from typing import Any, BinaryIO

from functions.api.runs.csv_list import read_csv
from functions.api.runs.json_list import read_array, read_lines
from functions.api.runs.reading import unreadable
from functions.core.runs.uploads import Format

Item = dict[str, Any]

_READERS: dict[Format, Callable[[BinaryIO], Iterator[Item]]] = {
    "json": read_array,
    "jsonl": read_lines,
    "csv": read_csv,
}


def read_items(stream: BinaryIO, kind: Format) -> Iterator[Item]:
    """The items of a list, in their order. Raises `UnreadableItems` at the first that is none; nothing is left out."""
    any_item = False
    for item in _READERS[kind](stream):
        any_item = True
        yield item
    if not any_item:
        raise unreadable("there is no item in it")
