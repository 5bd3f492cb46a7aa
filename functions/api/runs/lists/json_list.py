"""Readers of JSON arrays, one item at a time, and of JSON Lines, one object per line."""

import codecs
import json
import re
from collections.abc import Iterator
from typing import BinaryIO

from functions.api.runs.lists.reading import (
    MAX_UPLOADED_ITEM_BYTES,
    open_text,
    read_lines_of,
    read_object,
    unreadable,
)
from functions.core.runs.files import ListedItem

_CHUNK_BYTES = 1_000_000
_SPACE = re.compile(r"[ \t\n\r]*")
_SPACES = frozenset({" ", "\t", "\n", "\r", ""})

# Finds the end of an item. Numbers stay text, because msgspec decodes the item again.
_scanner = json.JSONDecoder(parse_float=str, parse_int=str)


def read_lines(stream: BinaryIO) -> Iterator[ListedItem]:
    """Yields an item per line that is not blank. Lines are counted from 1."""
    for number, line in enumerate(read_lines_of(stream), start=1):
        if line.strip():
            yield ListedItem(read_object(line, f"line {number}"), row=number)


def read_array(stream: BinaryIO) -> Iterator[ListedItem]:
    """Yields the objects of an array, which are counted from 0."""
    text = _Text(stream)
    if not text.take("["):
        raise unreadable("the list is not a JSON array")
    if not text.take("]"):
        index = 0
        yield text.take_object(index)
        while text.take(","):
            index += 1
            yield text.take_object(index)
        if not text.take("]"):
            raise unreadable(
                f"after the item with index {index} there must be a comma or the end of the array"
            )
    if not text.is_at_end():
        raise unreadable("there is more text after the end of the array")


class _Text:
    """Text of a stream, buffered at least as far ahead as an item may reach."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = open_text(stream)
        # The error for invalid UTF-8 must name the item. So each invalid byte becomes a surrogate,
        # which take_object() then fails to encode.
        self._decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
        self._text, self._at, self._ended = "", 0, False

    def take(self, character: str) -> bool:
        """Consumes the character if it comes next; returns whether it did."""
        self._pass_space()
        is_next = self._text.startswith(character, self._at)
        self._at += is_next
        return is_next

    def take_object(self, index: int) -> ListedItem:
        """Consumes the JSON object that comes next."""
        place = f"the item with index {index}"
        self._pass_space()
        try:
            end = _scanner.raw_decode(self._text, self._at)[1]
            item = self._text[self._at : end].encode()
        except (ValueError, RecursionError):  # ValueError: of JSON and of UTF-8
            cut = "" if self._ended else f", or has more than {MAX_UPLOADED_ITEM_BYTES:,} bytes"
            raise unreadable(f"{place} is not valid JSON in UTF-8{cut}") from None
        self._at = end
        return ListedItem(read_object(item, place))

    def is_at_end(self) -> bool:
        """True if only whitespace follows."""
        self._pass_space()
        return self._at == len(self._text)

    def _pass_space(self) -> None:
        while True:
            if len(self._text) - self._at <= MAX_UPLOADED_ITEM_BYTES and not self._ended:
                self._read_ahead()
            if self._text[self._at : self._at + 1] not in _SPACES:
                return
            self._at = _SPACE.match(self._text, self._at).end()  # type: ignore[union-attr] # also matches nothing
            if self._at == len(self._text) and self._ended:
                return

    def _read_ahead(self) -> None:
        while len(self._text) - self._at <= MAX_UPLOADED_ITEM_BYTES and not self._ended:
            chunk = self._stream.read(_CHUNK_BYTES)
            self._ended = not chunk
            self._text = self._text[self._at :] + self._decoder.decode(chunk, final=self._ended)
            self._at = 0
