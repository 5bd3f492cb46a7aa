"""One request and its answer over an open connection, bounded in time and size."""

import http.client
import io
import re
import socket
import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Any, NamedTuple

from functions.core.outbound_http.url import Target

MAX_BYTES = 65_536
"""Most bytes of an answer that are received: of its head, and of its body where that is read."""
MAX_RETRY_AFTER_SECONDS = 36_000
"""Ten hours: the longest pause of a delivery (workflows/deliver_event/handler.py)."""
_DIGITS = re.compile("[0-9]{1,9}")


class OutboundAnswer(NamedTuple):
    """An answer, as far as it is used."""

    status: int
    retry_after: int | None
    """Seconds, ten hours at most; null if the receiver names none."""
    body: bytes = b""
    """Empty where nobody wants it."""


class Bounded:
    """A connection for http.client with a total time and a total size, however slowly bytes arrive.

    Its methods raise `OSError`, including `TimeoutError`.
    """

    def __init__(self, connection: socket.socket, ends_at: float) -> None:
        """`ends_at`: on the monotonic clock."""
        self._connection = connection
        self._ends_at = ends_at
        self._room = MAX_BYTES

    def sendall(self, data: bytes) -> None:
        """Sends all of it."""
        rest = memoryview(data)
        while rest:
            self._connection.settimeout(seconds_until(self._ends_at))
            rest = rest[self._connection.send(rest) :]

    def receive(self, buffer: memoryview) -> int:
        """Reads available bytes into the buffer. Raises `HTTPException` for too long an answer."""
        if not self._room:
            raise http.client.HTTPException("The answer is too long.")
        self._connection.settimeout(seconds_until(self._ends_at))
        count = self._connection.recv_into(buffer[: self._room])
        self._room -= count
        return count

    def makefile(self, _mode: str) -> io.BufferedReader:
        """The file that http.client reads from."""
        return io.BufferedReader(_Received(self))

    def close(self) -> None:
        """Does nothing: the connection's maker closes it."""


class _Received(io.RawIOBase):
    """Received bytes of a connection, as a file."""

    def __init__(self, connection: Bounded) -> None:
        self._connection = connection

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:  # noqa: ANN401 - typeshed's type of it cannot be imported
        return self._connection.receive(memoryview(buffer))


def exchange(
    target: Target,
    body: bytes,
    headers: Mapping[str, str],
    connection: Bounded,
    *,
    read_body: bool = False,
) -> OutboundAnswer:
    """POSTs a body and reads the head of the answer, and its body if that is wanted.

    Raises:
        OSError: the connection broke, or its time is over.
        HTTPException: the answer is not HTTP.
    """
    client = http.client.HTTPConnection(target.host, target.port)
    client.sock = connection  # has all that http.client uses of a socket
    client.request(
        "POST", target.path, body, {"host": target.authority, "connection": "close", **headers}
    )
    answer = client.getresponse()
    retry_after = _retry_after(answer.getheader("retry-after", ""), answer.getheader("date", ""))
    return OutboundAnswer(answer.status, retry_after, answer.read() if read_body else b"")


def seconds_until(ends_at: float) -> float:
    """Seconds until a time on the monotonic clock. Raises `TimeoutError` if it has passed."""
    left = ends_at - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


def _retry_after(said: str, date: str) -> int | None:
    """Seconds after which the receiver wants to be asked again (RFC 9110 §10.2.3); null if none.

    A time is taken by the answer's own date, so that no clock but the receiver's has to be right.
    """
    seconds = int(said) if _DIGITS.fullmatch(said) else _seconds_between(date, said)
    return min(seconds, MAX_RETRY_AFTER_SECONDS) if seconds >= 1 else None


def _seconds_between(earlier: str, later: str) -> int:
    """Seconds between two dates of HTTP; 0 if one is none."""
    try:
        length = parsedate_to_datetime(later) - parsedate_to_datetime(earlier)
    except (ValueError, TypeError, OverflowError):
        return 0
    return int(length.total_seconds())
