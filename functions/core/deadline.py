"""One deadline per call: a call that takes too long is answered while the client still waits."""

import math
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from functions.core.errors import TooSlow

HTTP_SECONDS = 25.0
"""API Gateway gives up at 30 s (HTTP API quota, not adjustable)."""

_MARGIN_SECONDS = 0.5
"""Time to write the answer and the log line before Lambda ends the invocation."""


_ends_at = math.inf


def remaining_seconds() -> float:
    """Seconds left of the call under way; infinite without a deadline."""
    return _ends_at - time.monotonic()


@contextmanager
def deadline(seconds: float, remaining_ms: int) -> Iterator[None]:
    """Raises `TooSlow` in the body once `seconds`, or Lambda's own remaining time, are used up.

    An alarm signal, because nothing else interrupts a call that hangs in a socket or a loop. Python
    delivers signals to the main thread only; Lambda's runtime calls handlers there. In any other
    thread there is no deadline.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    global _ends_at  # noqa: PLW0603 - a process answers one call at a time
    left = max(0.001, min(seconds, remaining_ms / 1000 - _MARGIN_SECONDS))
    previous = signal.signal(signal.SIGALRM, _raise)
    signal.setitimer(signal.ITIMER_REAL, left)
    _ends_at = time.monotonic() + left
    try:
        yield
    finally:
        _ends_at = math.inf
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)


def _raise(_signal: int, _frame: FrameType | None) -> None:
    raise TooSlow("The call took too long and was stopped; it may have had effects.")
