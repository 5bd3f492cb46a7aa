"""Deliveries of a run's items, as the state machine makes them."""

import json
from datetime import UTC, datetime
from typing import Any

from functions.core.runs.items import outcomes
from tests.workflows.conftest import admin

RUN_ID = f"greet.{'0' * 26}"


def delivery(parameters: dict[str, Any] | None = None, **fields: object) -> dict[str, Any]:
    """The event of an item whose parameters are the second line of a file."""
    line = json.dumps(parameters or {"name": "Ana"}).encode()
    admin("s3").put_object(
        Bucket="runs", Key="runs/items.jsonl", Body=b'{"name": "Eve"}\n' + line + b"\n"
    )
    event = {
        "trigger": "run",
        "run_id": RUN_ID,
        "origin_run_id": RUN_ID,
        "index": 1,
        "start": 16,
        "length": len(line),
        "items_key": "runs/items.jsonl",
        "token_id": "0123456789abcdef",
        "started_at": datetime.now(UTC).isoformat(),
        "delete_at": "1900000000",
        "branch": "one",
    }
    return event | fields


def outcome(run_id: str = RUN_ID) -> outcomes.ItemOutcome:
    """Recorded outcome of that item."""
    found = outcomes.find_outcome(run_id, 1)
    assert found, f"item 1 of run {run_id} has no outcome"
    return found
