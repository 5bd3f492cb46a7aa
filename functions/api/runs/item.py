"""One item of a run, as clients see it."""

import re
from typing import Any

import msgspec

from functions.core.errors import NotFound
from functions.core.runs.items.outcomes import ItemOutcome, find_outcome
from functions.core.runs.items.references import find_listed
from functions.core.runs.run import find
from functions.core.runs.states import begun_as

_INDEX = re.compile(r"[0-9]{1,7}")
"""Negative ones are marks of the run itself."""


class Item(ItemOutcome, frozen=True, kw_only=True):
    """An item of a run: its outcome, and the list's entry for it."""

    row: int | None
    """Row of an uploaded CSV, counted with the header, or line of JSON Lines. Null for others, and
    once the parameters are deleted.
    """
    parameters: dict[str, Any] | None
    """Parameters of the item, merged with the common ones; null once they are deleted (7 days)."""


def read_item(run_id: str, index: str) -> Item:
    """An item, started or not.

    Raises:
        NotFound, Unavailable
    """
    begun = begun_as(find(run_id))
    if not _INDEX.fullmatch(index):
        raise _not_found()
    listed = find_listed(begun, int(index))
    outcome = find_outcome(run_id, int(index))
    if outcome is None and listed is None:
        raise _not_found()
    return Item(
        **msgspec.structs.asdict(outcome or _pending(int(index))),
        row=listed.row if listed else None,
        parameters=listed.parameters if listed else None,
    )


def _pending(index: int) -> ItemOutcome:
    return ItemOutcome(
        index=index,
        status="pending",
        attempts=0,
        started_at=None,
        finished_at=None,
        result=None,
        problem=None,
        next_attempt_by=None,
        waiting_for=None,
        waiting_until=None,
    )


def _not_found() -> NotFound:
    return NotFound("The run has no item of this index.")
