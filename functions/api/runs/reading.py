"""What all readers of uploaded lists share: the largest item, lines, an item's JSON, and how to say what is wrong."""

import io
from collections.abc import Iterator
from typing import Any, BinaryIO, cast

import msgspec

from functions.core.errors import FieldError, UnreadableItems

MAX_ITEM_BYTES = 200_000
_CHUNK_BYTES = 1_000_000
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"

_decoder = msgspec.json.Decoder(dict[str, Any])


def unreadable(what: str) -> UnreadableItems:
    """The refusal of a list; `what` begins with the place."""
    return UnreadableItems(FieldError("/upload_id", what))


def read_object(text: bytes, place: str) -> dict[str, Any]:
    """An item from its JSON, which reads as the same JSON in a request's body would."""
    if len(text) > MAX_ITEM_BYTES:
        raise unreadable(f"{place} has more than {MAX_ITEM_BYTES:,} bytes")
    try:
        return _decoder.decode(text)
    except msgspec.ValidationError as error:
        what = (
            "a JSON object"
            if "Expected `object`" in str(error)
            else "valid JSON: a number is out of range"
        )
        raise unreadable(f"{place} is not {what}") from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise unreadable(f"{place} is not valid JSON") from None


def read_lines_of(stream: BinaryIO) -> Iterator[bytes]:
    """Lines with their ends, without a byte order mark. One that is longer than an item may be is refused."""
    # A stream of botocore's is raw and makes no lines of its own that are cheap.
    buffered = io.BufferedReader(cast("io.RawIOBase", stream), _CHUNK_BYTES)
    number, line = 1, buffered.readline(MAX_ITEM_BYTES + 1).removeprefix(_BYTE_ORDER_MARK)
    while line:
        if len(line) > MAX_ITEM_BYTES:
            raise unreadable(f"line {number} has more than {MAX_ITEM_BYTES:,} bytes")
        yield line
        number, line = number + 1, buffered.readline(MAX_ITEM_BYTES + 1)
