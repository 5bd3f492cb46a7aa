"""Cancellation of runs: a mark that keeps items from starting, also those of runs below."""

from collections.abc import Sequence

from functions.core import clock
from functions.core.aws import dynamodb
from functions.core.runs.items.outcomes import CANCELLED, LONGEST_KEPT_SECONDS, Outcome, get


def cancel(run_id: str, *, descendants: bool = False) -> None:
    """Keeps items from starting, even where Step Functions has already called the function.

    Args:
        run_id: of the run.
        descendants: whether items of the runs that this run started stop as well.
    """
    # It outlasts the wait of any item, which looks for it when it wakes.
    delete_at = int(clock.now()) + LONGEST_KEPT_SECONDS
    with dynamodb.unavailable_if_transient():
        Outcome(run_id, CANCELLED, delete_at=delete_at, descendants=descendants or None).save()


def is_cancelled(run_id: str, ancestors: Sequence[str] = ()) -> bool:
    """Whether items of a run must not start any more. 1 DynamoDB request."""
    if not ancestors:
        return get(run_id, CANCELLED) is not None
    keys = [(each, CANCELLED) for each in (run_id, *ancestors)]
    with dynamodb.unavailable_if_transient():
        marks = list(Outcome.batch_get(keys, consistent_read=True))
    return any(mark.run_id == run_id or mark.descendants for mark in marks)
