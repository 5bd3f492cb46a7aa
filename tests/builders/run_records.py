"""Runs that were started, from their records."""

import json

from functions.core import clock
from functions.core.errors import Conflict
from functions.core.http.problems import problem
from functions.core.runs import execution, records
from functions.core.runs.items.attempts import Attempt, claim
from functions.core.runs.records import Counts, RunRecord, RunStatus


def started_runs() -> list[str]:
    """Ids of all runs, newest first."""
    records = sorted(RunRecord.scan(), key=lambda each: each.position, reverse=True)
    return [each.run_id for each in records]


def finish(run_id: str, failed: frozenset[int] | set[int] = frozenset()) -> None:
    """Ends a run as the state machine would: each item, then its record."""
    total = int(RunRecord.get(run_id).total)
    for index in range(total):
        attempt = claim(run_id, index, 1_900_000_000)
        assert isinstance(attempt, Attempt)
        if index in failed:
            attempt.fail(problem(Conflict("It is so."), "request-1"))
        else:
            attempt.succeed(json.dumps({"index": index}))
    close(run_id, Counts(succeeded=total - len(failed), failed=len(failed)))


def close(run_id: str, counts: Counts) -> None:
    """Ends a run whose items have ended, or the items of which are counted."""
    status: RunStatus = "partly_failed" if counts.failed else "succeeded"
    if counts.failed and not counts.succeeded:
        status = "failed"
    execution.stop(run_id)
    closed, _ = records.close(run_id, status, counts, clock.now())
    assert closed, f"{run_id} had ended before"
