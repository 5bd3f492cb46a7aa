"""Runs of other workflows for which an item waits."""

from collections.abc import Iterable, Mapping
from itertools import chain, islice
from typing import Any

from msgspec.structs import replace

from functions.core.definition.call import Call, RunEnded, in_progress
from functions.core.runs.execution import new_run_id
from functions.core.runs.items.work import Work
from functions.core.runs.lineage import TOP
from functions.core.runs.run import describe
from functions.core.runs.start import start


def run_other(
    work: Work, call: Call, workflow: str, items: Iterable[Mapping[str, Any]], name: str
) -> RunEnded:
    """Starts a run once, and waits for its end; see `Call.run`."""
    now = in_progress.get()
    if workflow not in now.starts:
        raise RuntimeError(f"{workflow} is not declared: workflow(…, starts=[{workflow!r}])")

    def begin(run_id: str) -> RunEnded | None:
        every = iter(items)
        first = list(islice(every, 1))
        if not first:
            return RunEnded(run_id="", status="succeeded", total=0, succeeded=0, failed=0)
        start(
            workflow,
            chain(first, every),
            token_id=call.run_token_id,
            started_by=f"workflow:{now.workflow}",
            run_id=run_id,
            lineage=replace(call.below or TOP.below_call(), awaited=True),
        )
        return None

    def look(run_id: str) -> RunEnded | None:
        run = describe(run_id)
        if run.status == "running":
            return None
        return RunEnded(
            run_id=run_id,
            status=run.status,
            total=run.total,
            succeeded=run.succeeded,
            failed=run.failed,
        )

    run_id = new_run_id(workflow, f"{call.item_id}#run {name}")
    return work.run(name, run_id, begin, look, RunEnded)
