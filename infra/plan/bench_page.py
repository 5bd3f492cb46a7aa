"""CPU times of docs/performance.md, which `make bench` writes."""

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from infra import sam

PAGE = sam.ROOT / "docs/performance.md"
_OURS = "this project"


class Measured(NamedTuple):
    """A function as the bench measured it."""

    cold_cpu_seconds: float
    """From the start of the process to its first answer."""
    warm_cpu_seconds: float
    first_requests: float
    """Requests to AWS of init and first call."""
    next_requests: float
    """Requests to AWS of a later call."""
    peak_mebibytes: float


class NotMeasured(Exception):
    """The page has no table that can be read; the message says what to do."""


def measured(page: str) -> dict[str, Measured]:
    """The product's functions by the bench's job. Raises `NotMeasured`."""
    found = {row["job"]: _measured(row) for row in _rows(page) if row["function"] == _OURS}
    if not found:
        raise NotMeasured("docs/performance.md has no row of this project: run make bench first.")
    return found


def _rows(page: str) -> Iterator[Mapping[str, str]]:
    """Rows of the table, by the names of its columns."""
    names: list[str] = []
    for line in page.splitlines():
        cells = [cell.strip().strip("*") for cell in line.strip("|").split("|")]
        if cells[:2] == ["job", "function"]:
            names = cells
        elif names and len(cells) == len(names):
            yield dict(zip(names, cells, strict=True))


def _measured(row: Mapping[str, str]) -> Measured:
    try:
        first, later = row["requests"].split(", ")
        return Measured(
            _number(row["cold CPU, ms"]) / 1000,
            _number(row["warm CPU, ms"]) / 1000,
            float(first),
            float(later),
            _number(row["peak, MiB"]),
        )
    except (KeyError, ValueError) as error:
        raise NotMeasured(f"the table of docs/performance.md has changed: {error}") from None


def _number(cell: str) -> float:
    """The number that a cell begins with; what stands in brackets is the median."""
    found = re.match(r"[\d.]+", cell)
    if not found:
        raise ValueError(f"{cell!r} is no number")
    return float(found[0])
