"""Bodies of requests: of a stated length, or in chunks (RFC 9112 §6.3 and §7.1)."""

from email.message import Message
from io import BufferedIOBase

LONGEST = 10_000_000
"""Bytes of a body; API Gateway takes no more either (quotas of HTTP APIs)."""
_LONGEST_LINE = 1_000
_HEXADECIMAL = frozenset(b"0123456789abcdefABCDEF")


class Malformed(Exception):
    """A body whose end cannot be known."""


class TooLong(Exception):
    """A body that is longer than is taken."""


def is_measured(headers: Message) -> bool:
    """Whether a request says in exactly one way where its body ends."""
    lengths = headers.get_all("content-length", [])
    codings = headers.get_all("transfer-encoding", [])
    if codings:
        return not lengths and [each.strip().lower() for each in codings] == ["chunked"]
    return len(lengths) < 2 and all(each.isascii() and each.isdecimal() for each in lengths)  # noqa: PLR2004 - one at most


def read_body(headers: Message, stream: BufferedIOBase, longest: int) -> bytes:
    """Reads the body of a measured request. Raises `Malformed`, `TooLong`."""
    if "transfer-encoding" in headers:
        return _read_chunks(stream, longest)
    length = int(headers.get("content-length") or 0)
    if length > longest:
        raise TooLong("Request Entity Too Large")
    return stream.read(length)


def _read_chunks(stream: BufferedIOBase, longest: int) -> bytes:
    body = b""
    while size := _size(stream):
        if len(body) + size > longest:
            raise TooLong("Request Entity Too Large")
        body += stream.read(size)
        if stream.read(2) != b"\r\n":
            raise Malformed("A chunk of the body does not end where it says.")
    while stream.readline(_LONGEST_LINE).strip():
        pass  # trailers, which nobody asked for
    return body


def _size(stream: BufferedIOBase) -> int:
    digits = stream.readline(_LONGEST_LINE).partition(b";")[0].strip()
    if not digits or not _HEXADECIMAL.issuperset(digits) or len(digits) > 8:  # noqa: PLR2004 - 4 GB
        raise Malformed("A chunk of the body has no size.")
    return int(digits, 16)
