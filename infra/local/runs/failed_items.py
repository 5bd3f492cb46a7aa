"""Reports failed items of runs. Their table's stream has all, also those without a log."""

import json

from infra.local.emulator import Emulator
from infra.local.runs.changes import Change, watch_changes
from infra.local.terminal import say


def report_failed_items(emulator: Emulator, table: str) -> None:
    """Prints a line for each item that fails."""
    for changes in watch_changes(emulator, table):
        for change in changes:
            if has_failed(change):
                say(failure_line(change), "error")


def has_failed(change: Change) -> bool:
    """True if an item fails with this change."""
    before, after = (
        change.get(image, {}).get("status", {}).get("S") for image in ("OldImage", "NewImage")
    )
    return bool(after == "failed" != before)


def failure_line(change: Change) -> str:
    """Line with workflow, run, index and problem."""
    item = change["NewImage"]
    run_id, index = item["run_id"]["S"], item["index"]["N"]
    problem = json.loads(item["problem"]["S"]) if "problem" in item else {}
    why = f"{problem.get('code', 'no problem was kept')}: {problem.get('detail', '')}"
    workflow = run_id.partition(".")[0]
    return f"{workflow}: item {index} of run {run_id} failed: {why} (make logs RUN={run_id})"
