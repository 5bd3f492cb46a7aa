"""docs/explanation/capacity.md: its generated tables."""

from infra import pages, sam
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
        lines = f"<!-- make plan writes: {name} -->", f"<!-- make plan wrote: {name} -->"
        page = pages.replaced(page, lines, table, PAGE)
    return page
