"""docs/explanation/capacity.md: its generated tables."""

import re

from infra import sam
from infra.plan import tables
from infra.plan.bench_page import Measured

PAGE = sam.ROOT / "docs/explanation/capacity.md"
A_SECOND = 1_000
"""Load of the tables."""


def parts(measured: dict[str, Measured]) -> dict[str, str]:
    """The tables by their names in the page."""
    return {
        "verifications": tables.verifications(measured, A_SECOND),
        "background calls": tables.background_calls(measured, A_SECOND),
        "items": tables.items(measured, A_SECOND),
        "lists": tables.long_lists(measured),
        "costs": tables.item_costs(measured),
        "keys": tables.hot_keys(),
        "memory": tables.memories(measured),
    }


def replaced(page: str, measured: dict[str, Measured]) -> str:
    """The page with new tables. Raises `ValueError` if it has no place for one."""
    for name, table in parts(measured).items():
        first, last = f"<!-- make plan writes: {name} -->", f"<!-- make plan wrote: {name} -->"
        place = re.compile(f"{re.escape(first)}.*?{re.escape(last)}", re.DOTALL)
        if not place.search(page):
            raise ValueError(f"docs/explanation/capacity.md has lost its lines {first} and {last}.")
        text = f"{first}\n\n{table}\n\n{last}"
        page = place.sub(lambda _, text=text: text, page)  # type: ignore[misc] # bound to this table
    return page
