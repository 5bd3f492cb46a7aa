"""docs/performance.md: its generated parts, with the date and the machine."""

import os
import re
from datetime import date
from pathlib import Path
from typing import NamedTuple

from infra import pages
from infra.plan.bench_page import PAGE

_BUSY = 0.25
"""Load per core, before the measurement, from which the figures are said to be disturbed."""


class Machine(NamedTuple):
    """The machine and its load before the measurement."""

    processor: str
    cores: int
    load: float
    """Mean number of processes that wanted to run in the last minute."""

    @classmethod
    def now(cls) -> "Machine":
        """The machine that runs this process."""
        models = re.findall(r"model name\s*: (.+)", Path("/proc/cpuinfo").read_text())
        return cls(models[0] if models else "unknown", os.cpu_count() or 1, os.getloadavg()[0])

    @property
    def described(self) -> str:
        """Sentences for the page."""
        busy = self.load / self.cores > _BUSY
        other = (
            f"\nOther work ran on it (load {self.load:.1f}): trust ratios, not times."
            if busy
            else ""
        )
        return f"Machine: {self.cores} cores of {self.processor}.{other}"


def replaced(page: str, part: str, about: str = "lines") -> str:
    """The page with another generated part. Raises `ValueError` if it has no place for one.

    `about`: the part, as the page names it.
    """
    first = f"<!-- make bench writes the {about} below -->"
    last = f"<!-- make bench wrote the {about} above -->"
    return pages.replaced(page, (first, last), part, PAGE)


def part_about_lists(table: str, machine: Machine, day: date) -> str:
    """The generated part of the page about long lists."""
    return f"Measured on {day:%Y-%m-%d}.\n{machine.described}\n\n{table}"


def part(table: str, machine: Machine, day: date, *, rounds: int, calls: int) -> str:
    """The generated part of the page."""
    counts = f"{rounds} cold starts and {rounds * calls} warm calls of each"
    return f"Measured on {day:%Y-%m-%d}: {counts}.\n{machine.described}\n\n{table}"
