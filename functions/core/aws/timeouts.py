"""Time and attempts of requests to AWS, so that they fit into a call."""

from typing import TypedDict

import msgspec

from functions.core import config

CONNECT_TIMEOUT_SECONDS = 1
READ_TIMEOUT_SECONDS = 4
ATTEMPTS = 2
"""Two of at most 5 s each: the three or four requests of a call stay below its 25 s deadline."""


class ClientOptions(TypedDict, total=False):
    """Options of a client or a request."""

    attempts: int
    """1 where a repetition could do a thing twice."""
    answer_seconds: float | None
    """Time to wait for an answer, where that is another than usual."""


@config.settings()
class ClientSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Settings of clients; read from the environment."""

    read_timeout_seconds: float | None = None
    """Replaces READ_TIMEOUT_SECONDS for an emulator, which is slower than AWS; only local."""


def read_timeout_seconds() -> float:
    """Time that a request may wait for its answer."""
    return config.read(ClientSettings).read_timeout_seconds or READ_TIMEOUT_SECONDS
