"""Output of `make run`: a line for each event, in colour on a terminal."""

import sys
import time
from typing import Protocol

from infra.logs.text import Tone, indented, is_coloured, painted

_BELOW = 10
"""Columns of the time and the space after it."""


class Report(Protocol):
    """Prints a line."""

    def __call__(self, text: str, tone: Tone = "plain") -> None:
        """Prints the text, in the colour of its tone on a terminal."""


def say(text: str, tone: Tone = "plain") -> None:
    """Prints a line with the time; further rows of the text are indented below it."""
    first, _, rest = text.partition("\n")
    line = f"{time.strftime('%H:%M:%S')}  {first}{indented(rest, _BELOW)}"
    # One write: several threads report at once.
    print(painted(line, tone, coloured=is_coloured(sys.stdout)) + "\n", end="", flush=True)
