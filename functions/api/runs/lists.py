"""Reads the items of uploaded lists in JSON, JSON Lines or CSV. Errors name the place in the list.

A file is streamed. Only as much of it as one item may have is in memory.
"""

from collections.abc import Callable, Iterator
from typing import Any, BinaryIO

from functions.api.runs.csv_list import read_csv
from functions.api.runs.json_list import read_array, read_lines
from functions.api.runs.reading import unreadable
from functions.core.runs.uploads import Format

_READERS: dict[Format, Callable[[BinaryIO], Iterator[dict[str, Any]]]] = {
    "json": read_array,
    "jsonl": read_lines,
    "csv": read_csv,
}


def read_items(stream: BinaryIO, kind: Format) -> Iterator[dict[str, Any]]:
    """Yields all items of a list in order. Raises `UnreadableItems` at the first invalid one."""
    any_item = False
    for item in _READERS[kind](stream):
        any_item = True
        yield item
    if not any_item:
        raise unreadable("the list has no items")
