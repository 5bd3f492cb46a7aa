"""The clock of functions/core/clock.py, controlled by a test."""

import time

import pytest

from functions.core import clock
from functions.core.clock import DAY_SECONDS


class Clock:
    """Wall clock and monotonic clock, which a test can advance together."""

    def __init__(self) -> None:
        self._ahead = 0.0

    def __call__(self) -> float:
        """Seconds since the epoch."""
        return time.time() + self._ahead

    def monotonic(self) -> float:
        """Seconds on a clock that never goes back."""
        return time.monotonic() + self._ahead

    def advance(self, seconds: float) -> None:
        """Advances both clocks."""
        self._ahead += seconds


@pytest.fixture(name="clock")
def held_clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The clock of functions/, for one test."""
    held = Clock()
    monkeypatch.setattr(clock, "now", held)
    monkeypatch.setattr(clock, "monotonic", held.monotonic)
    return held


@pytest.fixture
def early_in_a_day(clock: Clock) -> None:
    """Sets the clock to a minute after midnight (UTC).

    Limits count by hour and day; a test that crosses their end would start from zero.
    """
    clock.advance(DAY_SECONDS - clock() % DAY_SECONDS + 60)
