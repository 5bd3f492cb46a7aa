"""Retries of ended runs: a new run over the items that have not succeeded."""

from collections.abc import Iterator

from msgspec.structs import replace

from functions.core import clock
from functions.core.errors import Conflict
from functions.core.runs.beginning import begin, branch_of, new_folder, write_references
from functions.core.runs.execution import Execution, new_run_id
from functions.core.runs.files import Reference
from functions.core.runs.items import outcomes
from functions.core.runs.items.references import references_of
from functions.core.runs.run import Run, find, shown
from functions.core.runs.states import begun_as


def retry(run_id: str, *, token_id: str | None) -> Run:
    """Starts a run over the items of an ended run that have not succeeded.

    If each item of that run has ended, the new run has those that failed. If the run was cancelled
    or broke off, the new run has all of its items, and those that succeeded are not repeated. Items
    keep their indexes and ids.

    Repeated retries of one run are one run, so that no item runs twice at the same time. Items that
    fail again are retried by the id of the new run.

    Args:
        run_id: of the run that has ended.
        token_id: of the token that requested the retry.

    Raises:
        NotFound: there is no such run.
        Conflict: it has not ended, nothing of it is left to do, or its items are no longer kept (7
            days; those that have waited are kept longer).
        Unavailable
    """
    record = find(run_id)
    earlier, begun = shown(record), begun_as(record)
    if earlier.status == "running":
        raise Conflict("The run has not ended yet.")
    # The index of failed items may be late, and an item's failure may not have been recorded.
    continued = earlier.pending > 0 or outcomes.count_failed(run_id) < earlier.failed
    new_id = new_run_id(begun.workflow, f"retry of {run_id}")
    key = f"{new_folder(new_id)}/references.jsonl"
    if clock.now() > begun.items_until:
        left = _references_of_parked(earlier, failed_only=not continued)
    else:
        left = references_of(begun) if continued else _references_of_failed(begun)
    total, first = write_references(key, left)
    if first is None:
        raise Conflict("Every item of the run has succeeded or was skipped.")
    lineage = begun.lineage
    if continued:
        lineage = replace(lineage, continues=(run_id, *lineage.continues))
    again = replace(
        begun,
        run_id=new_id,
        token_id=token_id,
        total=total,
        branch=branch_of(total, begun.interval_seconds),
        references_key=key,
        reference=first,
        lineage=lineage,
    )
    return begin(again, retry_of=run_id)


def _references_of_parked(earlier: Run, *, failed_only: bool) -> Iterator[Reference]:
    """References of items whose parameters are kept, because they have waited.

    Raises:
        Conflict: those of others are left to do, and are no longer kept.
    """
    found = list(outcomes.parked_indexes(earlier.run_id, failed_only=failed_only))
    if len(found) < earlier.total - earlier.succeeded - earlier.skipped:
        raise Conflict("The items of the run were deleted after 7 days; start a new run with them.")
    return iter([Reference(index, 0, 0) for index in found])


def _references_of_failed(earlier: Execution) -> Iterator[Reference]:
    """References of the failed items. Both lists are sorted by index, so one pass finds them."""
    every = references_of(earlier)
    for failed in outcomes.failed_indexes(earlier.run_id):
        yield next(reference for reference in every if reference.index == failed)
