"""Continuation of runs that ended before all their items: what was done is not done again."""

from collections.abc import Sequence

from functions.core import clock
from functions.core.aws import dynamodb
from functions.core.runs.items.attempts import LEASE_SECONDS, Busy
from functions.core.runs.items.outcomes import Outcome


def earlier_result(run_ids: Sequence[str], index: int) -> str | None:
    """The result of an item that succeeded in an earlier run, JSON; null if it did in none.

    1 DynamoDB request; none without earlier runs.

    Args:
        run_ids: of ended runs of the same items.
        index: of the item.

    Raises:
        Busy: an earlier run was cancelled while it worked on the item, and the work goes on.
        Unavailable
    """
    if not run_ids:
        return None
    with dynamodb.unavailable_if_transient():
        found = list(Outcome.batch_get([(each, index) for each in run_ids], consistent_read=True))
    for outcome in found:
        if outcome.status == "succeeded":
            return outcome.result or "null"
        if outcome.status == "running" and (outcome.lease_until or 0) > clock.now():
            raise Busy("An earlier run still works on this item.", retry_after=LEASE_SECONDS)
    return None
