"""The terminal of `make run`: a line for each thing that happens, in colour where there is a terminal."""

import sys
import time
from typing import Protocol

from infra.logs.text import Tone, indented, is_coloured, painted

_BELOW = 10
"""Columns of the time and the gap after it."""


class Report(Protocol):
    """Says a line to whoever watches."""

    def __call__(self, text: str, tone: Tone = "plain") -> None:
        """Says it, in the colour of its tone where there are colours."""


def say(text: str, tone: Tone = "plain") -> None:
    """One line for whoever watches; further rows of the text are indented below it."""
    first, _, rest = text.partition("\n")
    told = f"{time.strftime('%H:%M:%S')}  {first}{indented(rest, _BELOW)}"
    # One write: several threads report at once.
    print(painted(told, tone, coloured=is_coloured(sys.stdout)) + "\n", end="", flush=True)
