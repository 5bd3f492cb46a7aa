"""Shared parts of the readers of uploaded lists: size limit, lines, an item's JSON, the error."""

import io
from collections.abc import Iterator
from typing import Any, BinaryIO, cast

import msgspec

from functions.core.errors import FieldError, UnreadableItems

MAX_UPLOADED_ITEM_BYTES = 200_000
_CHUNK_BYTES = 1_000_000
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"

_decoder = msgspec.json.Decoder(dict[str, Any])


def unreadable(detail: str) -> UnreadableItems:
    """Error for a list. `detail` begins with the place in it."""
    return UnreadableItems(FieldError("/upload_id", detail))


def read_object(text: bytes, place: str) -> dict[str, Any]:
    """Decodes an item's JSON exactly as a request's body is decoded."""
    if len(text) > MAX_UPLOADED_ITEM_BYTES:
        raise unreadable(f"{place} has more than {MAX_UPLOADED_ITEM_BYTES:,} bytes")
    try:
        return _decoder.decode(text)
    except msgspec.ValidationError as error:
        expected = (
            "a JSON object"
            if "Expected `object`" in str(error)
            else "valid JSON: a number is out of range"
        )
        raise unreadable(f"{place} is not {expected}") from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise unreadable(f"{place} is not valid JSON") from None


def read_lines_of(stream: BinaryIO) -> Iterator[bytes]:
    """Yields lines with their line ends, without a byte order mark.

    A line that is longer than an item may be is refused.
    """
    # A stream of botocore's is raw; its own iteration over lines is slow.
    buffered = io.BufferedReader(cast("io.RawIOBase", stream), _CHUNK_BYTES)
    number, line = 1, buffered.readline(MAX_UPLOADED_ITEM_BYTES + 1).removeprefix(_BYTE_ORDER_MARK)
    while line:
        if len(line) > MAX_UPLOADED_ITEM_BYTES:
            raise unreadable(f"line {number} has more than {MAX_UPLOADED_ITEM_BYTES:,} bytes")
        yield line
        number, line = number + 1, buffered.readline(MAX_UPLOADED_ITEM_BYTES + 1)
