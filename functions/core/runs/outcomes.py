"""What became of each item of a run: a table with one record an item, and the rules by which an item is done once."""

from typing import Any

import msgspec


class ItemOutcome(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one item, as clients see it."""

    index: int
    status: str
    attempts: int
    started_at: str | None = None
    finished_at: str | None = None
    result: Any = None
    problem: Any = None


def list_outcomes(
    run_id: str, *, failed_only: bool = False, after: int | None = None, limit: int = 100
) -> tuple[list[ItemOutcome], int | None]:
    """Outcomes by index, and the index after which the next page begins (null at the end). What has not started has none.

    Args:
        run_id: whose outcomes.
        failed_only: only those of items that failed.
        after: index of the last one that is known.
        limit: of a page, at most 1000.
    """
    raise NotImplementedError
