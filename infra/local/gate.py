"""Holds calls while functions are replaced, as the emulator would kill them."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

LONGEST_CALL_SECONDS = 30.0
"""Longest call; core ends a request after 25 s."""


class Gate:
    """Lets calls pass until it is closed."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._under_way = 0
        self._closers = 0

    @property
    def is_closed(self) -> bool:
        """Whether new calls wait."""
        return bool(self._closers)

    @contextmanager
    def call(self) -> Iterator[None]:
        """Surrounds a call, which waits while the gate is closed."""
        with self._changed:
            self._changed.wait_for(lambda: not self._closers)
            self._under_way += 1
        try:
            yield
        finally:
            with self._changed:
                self._under_way -= 1
                self._changed.notify_all()

    @contextmanager
    def closed(self, seconds: float = LONGEST_CALL_SECONDS) -> Iterator[bool]:
        """Holds new calls, until all who have closed it are done.

        Yields true once earlier calls have ended, false after `seconds`.
        """
        with self._changed:
            self._closers += 1
        try:
            with self._changed:
                ended = self._changed.wait_for(lambda: not self._under_way, seconds)
            yield ended
        finally:
            with self._changed:
                self._closers -= 1
                self._changed.notify_all()
