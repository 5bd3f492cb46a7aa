"""Trying again what others got in the way of: a transaction that met another one, an item that changed since it was read."""

import random
import time
from collections.abc import Iterator

from functions.core.errors import Unavailable


class TooBusy(Unavailable):
    """Others got in the way each time."""

    def __init__(self) -> None:
        super().__init__("Too many calls for the same destination at once.", retry_after=1)


def tries(count: int, first_pause_seconds: float) -> Iterator[int]:
    """The numbers of the tries, from 0; after each it waits a random time up to a maximum that doubles (full jitter)."""
    for attempt in range(count):
        yield attempt
        time.sleep(random.uniform(0, first_pause_seconds * 2**attempt))  # noqa: S311 - jitter, no secret
