"""Connections to one endpoint, which stay open between requests and calls."""

import http.client
import socket
import ssl
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from functions.core import config
from functions.core.aws.timeouts import CONNECT_TIMEOUT_SECONDS, read_timeout_seconds


class Answer(NamedTuple):
    """An answer."""

    status: int
    headers: Mapping[str, str]
    """Names are in lower case."""
    body: bytes


class NotConnected(OSError):
    """No connection could be opened, so that no request was sent."""


class Connections:
    """Connections of a process; each thread that asks has one of its own meanwhile."""

    def __init__(self, url: str) -> None:
        """`url`: endpoint, without a path."""
        scheme, self.host, *_ = urlsplit(url)
        self._context = _trusting() if scheme == "https" else None
        self._idle: list[Any] = []

    def warm(self) -> None:
        """Opens a connection, if that is possible."""
        with suppress(OSError):
            self._idle.append(self._open())

    def post(self, body: bytes, headers: Mapping[str, str], path: str = "/") -> Answer:
        """The answer to a POST.

        Raises:
            OSError, HTTPException: none came. A later request opens another connection.
        """
        made = self._take()
        try:
            made.request("POST", path, body, headers)
            found = made.getresponse()
            about = {name.lower(): value for name, value in found.getheaders()}
            answer = Answer(found.status, about, found.read())
        except BaseException:  # also TooSlow: an answer that comes late is no later request's
            made.close()
            raise
        if made.sock is not None:  # the server may have asked to close it
            self._idle.append(made)
        return answer

    def _take(self) -> Any:  # noqa: ANN401 - http.client has no type for an open `sock`
        with suppress(IndexError):  # none is idle, or another thread was faster
            while True:
                found = self._idle.pop()
                if _is_open(found.sock):
                    return found
                found.close()
        return self._open()

    def _open(self) -> Any:  # noqa: ANN401 - as above
        made: Any = (
            http.client.HTTPSConnection(
                self.host, timeout=CONNECT_TIMEOUT_SECONDS, context=self._context
            )
            if self._context
            else http.client.HTTPConnection(self.host, timeout=CONNECT_TIMEOUT_SECONDS)
        )
        try:
            made.connect()
        except OSError as error:
            raise NotConnected(str(error)) from error
        # Notices a connection that a NAT has forgotten while the process was frozen.
        made.sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        made.sock.settimeout(read_timeout_seconds())
        return made


@config.cached(lasting=True)
def _trusting() -> ssl.SSLContext:
    """TLS with the system's certificates. To read them takes 25 ms, so all services share it."""
    return ssl.create_default_context()


def _is_open(connection: socket.socket) -> bool:
    """True if the other side has neither closed an idle connection nor sent anything on it.

    It is read from, as bytes alone do not say so: in TLS 1.3 a server sends tickets when a
    connection is new, before any content.
    """
    timeout = connection.gettimeout()
    connection.settimeout(0)
    try:
        connection.recv(1)
    except (BlockingIOError, ssl.SSLWantReadError):
        connection.settimeout(timeout)
        return True
    except OSError:
        return False
    return False
