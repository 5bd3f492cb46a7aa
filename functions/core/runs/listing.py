"""Lists of runs, newest first, from the index of their records."""

import re
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

from pynamodb.expressions.condition import Condition

from functions.core.aws import dynamodb
from functions.core.runs.records import (
    SHELVES,
    RunRecord,
    RunStatus,
    position_at,
    shelf_name,
    shelf_of,
)

_POSITION = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6} [a-z0-9_.]+")
_READERS = 10
"""Concurrent queries; botocore's client keeps as many connections."""
_MOST_EXAMINED = 2_000
"""Records of a shelf that one page examines, where a filter lets few of them pass."""


def page(
    workflows: Sequence[str],
    *,
    status: RunStatus | None = None,
    schedule_id: str | None = None,
    limit: int,
    before: str | None = None,
) -> tuple[list[RunRecord], str | None]:
    """A page of records, newest first, and the position after which the next one begins (null at
    the end).

    A page may be short and not the last: a filter that lets few records pass ends it early.

    Args:
        workflows: names; only their runs are listed.
        status: only runs of this status.
        schedule_id: only runs of this schedule.
        limit: most records.
        before: position of the last record that is known.

    Raises:
        Unavailable
    """
    wanted = _condition(status, schedule_id)
    shelves = SHELVES if status is None else (shelf_of(status),)
    names = [shelf_name(workflow, shelf) for workflow in workflows for shelf in shelves]
    with ThreadPoolExecutor(_READERS) as readers:
        found = list(readers.map(lambda name: _read(name, wanted, limit, before), names))
    ends = [end for _, end in found if end is not None]
    # Beyond the newest end of a shelf that was not read whole, its records could be missing.
    known_to = max(ends, default="")
    every = (record for records, _ in found for record in records)
    # A run that ends meanwhile may be on two shelves; the later one knows its end.
    once = {each.run_id: each for each in sorted(every, key=lambda each: each.ended)}
    known = sorted(once.values(), key=lambda each: each.position, reverse=True)
    known = [each for each in known if each.position >= known_to]
    if len(known) > limit:
        return known[:limit], known[limit - 1].position
    return known, known_to or None


def is_position(text: str) -> bool:
    """Whether a text can be the position of a record."""
    return _POSITION.fullmatch(text) is not None


def running_before(workflow: str, moment: float) -> Iterator[RunRecord]:
    """Records of a workflow's runs that are not closed and began before a moment, oldest first."""
    until = position_at(moment)
    with dynamodb.unavailable_if_transient():
        yield from RunRecord.listed.query(
            shelf_name(workflow, "running"), RunRecord.position < until
        )


def _read(
    shelf: str, wanted: Condition | None, limit: int, before: str | None
) -> tuple[list[RunRecord], str | None]:
    """Newest records of a shelf, and the position up to which they are known; null: to its end."""
    pages = RunRecord.listed.query(
        shelf,
        RunRecord.position < before if before else None,
        wanted,
        scan_index_forward=False,
        page_size=limit + 1 if wanted is None else _MOST_EXAMINED,
    ).page_iter
    with dynamodb.unavailable_if_transient():
        found = next(pages)
    last = pages.last_evaluated_key
    records = [RunRecord.from_raw_data(each) for each in found["Items"]]
    return records, last["position"]["S"] if last else None


def _condition(status: RunStatus | None, schedule_id: str | None) -> Condition | None:
    condition: Condition | None = None
    if status is not None and shelf_of(status) == "unsuccessful":
        condition = RunRecord.status == status
    if schedule_id is not None:
        of_schedule: Condition = RunRecord.schedule_id == schedule_id
        condition = of_schedule if condition is None else condition & of_schedule
    return condition
