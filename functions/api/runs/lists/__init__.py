"""Reads the items of uploaded lists in JSON, JSON Lines or CSV. Errors name the place in the list.

A file is streamed. Only as much of it as one item may have is in memory.
"""

from collections.abc import Callable, Iterator
from typing import BinaryIO

from functions.api.runs.lists.csv_list import read_csv
from functions.api.runs.lists.json_list import read_array, read_lines
from functions.api.runs.lists.reading import unreadable
from functions.core.runs.files import ListedItem
from functions.core.runs.uploads import Format

_READERS: dict[Format, Callable[[BinaryIO], Iterator[ListedItem]]] = {
    "json": read_array,
    "jsonl": read_lines,
    "csv": read_csv,
}


def read_items(stream: BinaryIO, kind: Format) -> Iterator[ListedItem]:
    """Yields all items of a list in order. Raises `UnreadableItems` at the first invalid one."""
    any_item = False
    for item in _READERS[kind](stream):
        any_item = True
        yield item
    if not any_item:
        raise unreadable("the list has no items")
