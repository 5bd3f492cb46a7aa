"""One request and its answer over an open connection, bounded in time and size."""

import http.client
import io
import re
import socket
import time
from collections.abc import Mapping
from typing import Any, NamedTuple

from functions.core.outbound_http.url import Target

MAX_BYTES = 65_536
"""Most bytes of an answer that are received: of its head, and of its body where that is read."""
MAX_RETRY_AFTER_SECONDS = 3600
_FEW_DIGITS = re.compile("[0-9]{1,4}")


class OutboundAnswer(NamedTuple):
    """An answer, as far as it is used."""

    status: int
    retry_after: int | None
    """Seconds, up to an hour; null if the receiver names none."""
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
    retry_after = _seconds(answer.getheader("retry-after", ""))
    return OutboundAnswer(answer.status, retry_after, answer.read() if read_body else b"")


def seconds_until(ends_at: float) -> float:
    """Seconds until a time on the monotonic clock. Raises `TimeoutError` if it has passed."""
    left = ends_at - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


def _seconds(retry_after: str) -> int | None:
    """A number of seconds; null for a date (RFC 9110 §10.2.3), which would need both clocks to be
    right.
    """
    seconds = int(retry_after) if _FEW_DIGITS.fullmatch(retry_after) else 0
    return seconds if 1 <= seconds <= MAX_RETRY_AFTER_SECONDS else None
