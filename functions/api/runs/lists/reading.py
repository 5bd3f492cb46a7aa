"""Shared parts of the readers of uploaded lists: text, size limit, an item's JSON, the error."""

import codecs
import io
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, BinaryIO, cast

import msgspec

from functions.core.errors import FieldError, UnreadableItems

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

MAX_UPLOADED_ITEM_BYTES = 200_000
_CHUNK_BYTES = 1_000_000

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


def open_text(stream: BinaryIO) -> io.BufferedReader:
    """The text of a list in UTF-8, whose byte order mark is passed over.

    UTF-16 is recognised by its byte order mark. What is no text stays no UTF-8 in its place, so
    that the error can name it.
    """
    # A stream of botocore's is raw; its own iteration over lines is slow.
    text: io.BufferedReader = io.BufferedReader(cast("io.RawIOBase", stream), _CHUNK_BYTES)
    mark = text.peek(len(codecs.BOM_UTF8))
    if mark.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return io.BufferedReader(_FromUtf16(text), _CHUNK_BYTES)
    if mark.startswith(codecs.BOM_UTF8):
        text.read(len(codecs.BOM_UTF8))
    return text


def read_lines_of(stream: BinaryIO) -> Iterator[bytes]:
    """Yields lines with their line ends. A line that is longer than an item may be is refused."""
    text = open_text(stream)
    number, line = 1, text.readline(MAX_UPLOADED_ITEM_BYTES + 1)
    while line:
        if len(line) > MAX_UPLOADED_ITEM_BYTES:
            raise unreadable(f"line {number} has more than {MAX_UPLOADED_ITEM_BYTES:,} bytes")
        yield line
        number, line = number + 1, text.readline(MAX_UPLOADED_ITEM_BYTES + 1)


class _FromUtf16(io.RawIOBase):
    """Text in UTF-16, with a byte order mark, as UTF-8."""

    def __init__(self, text: io.BufferedReader) -> None:
        self._text = text
        # Half of a pair of surrogates passes both, and is no UTF-8 then.
        self._decoder = codecs.getincrementaldecoder("utf-16")("surrogatepass")
        self._ready, self._ended = b"", False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer") -> int:
        while not self._ready and not self._ended:
            self._read_ahead()
        view = memoryview(buffer).cast("B")
        part, self._ready = self._ready[: len(view)], self._ready[len(view) :]
        view[: len(part)] = part
        return len(part)

    def _read_ahead(self) -> None:
        chunk = self._text.read(_CHUNK_BYTES)
        self._ended = not chunk
        try:
            text = self._decoder.decode(chunk, final=self._ended)
        except UnicodeDecodeError:  # it ends within a character
            self._ready = b"\xff"
        else:
            self._ready = text.encode("utf-8", "surrogatepass")
