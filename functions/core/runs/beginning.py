"""Beginning of a run whose files are in S3: its record, then its execution."""

import secrets
from collections.abc import Iterable

import msgspec
from msgspec.structs import replace

from functions.core import clock
from functions.core.aws.s3 import ObjectWriter
from functions.core.errors import FieldError, IdempotencyKeyReused, InvalidParameters
from functions.core.runs import execution, records
from functions.core.runs.execution import Execution
from functions.core.runs.files import Reference, digest
from functions.core.runs.items import outcomes
from functions.core.runs.records import RunRecord, StartedBy
from functions.core.runs.run import Run, find, new, settle, shown
from functions.core.runs.states import begun_as

_MARGIN_SECONDS = 3600
"""Time of a paced run for its items' own work, besides the waits."""


def begin(
    planned: Execution, *, schedule_id: str | None = None, retry_of: str | None = None
) -> Run:
    """Writes the record of a run whose files are written, then starts its execution.

    Where there is a run of this id, that one is returned; if its execution was never started, this
    starts it.

    Raises:
        IdempotencyKeyReused: the run of this id has other items.
        InvalidParameters: a paced run would outlast its items.
        Unavailable
    """
    now = clock.now()
    waits = planned.interval_seconds * (planned.total - 1)
    if waits and now + waits + _MARGIN_SECONDS > planned.items_until:
        raise InvalidParameters(
            FieldError(
                "/interval_seconds",
                f"makes the run last {waits:,} s, and items are kept for 7 days",
            )
        )
    planned = replace(planned, delete_at=str(int(now) + waits + outcomes.OUTCOMES_KEPT_SECONDS))
    record = records.new_record(
        planned.run_id,
        planned.workflow,
        started_by=_starter(planned, schedule_id, retry_of),
        schedule_id=schedule_id,
        retry_of=retry_of,
        execution=msgspec.json.encode(planned).decode(),
        total=planned.total,
        now=now,
    )
    # The record is first: a run that nobody can find would be worse than a record without a run.
    existing = records.open_record(record)
    if existing:
        return _started_before(planned, existing)
    if not execution.begin(planned) and (ended := settle(record)):
        # Step Functions knows a run for longer than its record is kept. It is not told of again.
        return ended.run
    return new(record)


def _started_before(planned: Execution, existing: RunRecord) -> Run:
    """The existing run of this id, if it has the same items. Raises `IdempotencyKeyReused`."""
    earlier = begun_as(existing)
    if not _same_items(earlier, planned):
        raise IdempotencyKeyReused(
            "A run was started with this key and other items; use a new key."
        )
    if existing.status == "failed" and not execution.exists(existing.run_id):
        # It was closed because it did not start in time: Step Functions was away, say.
        existing = records.reopen(existing, clock.now()) or find(existing.run_id)
    if not existing.ended:
        # The process that wrote the record may have died before this.
        execution.begin(earlier)
        return new(existing)
    return shown(existing)


def _same_items(earlier: Execution, planned: Execution) -> bool:
    if earlier.items_key == planned.items_key:
        return True
    known = earlier.items_digest or digest(earlier.items_key)
    return known == (planned.items_digest or digest(planned.items_key))


def _starter(planned: Execution, schedule_id: str | None, retry_of: str | None) -> StartedBy:
    """Starter of a run, as clients see it."""
    kind, _, rest = (planned.started_by or "api").partition(":")
    # A repeated delivery retries as `webhook:<source>`. No token's id has a colon.
    of_webhook = (planned.token_id or "").startswith("webhook:")
    if kind == "webhook" and of_webhook:
        return StartedBy(kind="webhook", id=rest.rpartition(":")[2])
    if retry_of or kind == "api":
        return StartedBy(kind="token", id=planned.token_id)
    if kind == "schedule" or schedule_id:  # also one that a workflow has made
        return StartedBy(kind="schedule", id=schedule_id)
    if kind in {"events", "schedules"}:
        return StartedBy(kind="event", id=None)
    if planned.lineage.ancestors:
        return StartedBy(kind="run", id=planned.lineage.ancestors[-1], index=planned.lineage.index)
    return StartedBy(kind="workflow", id=rest)


def new_folder(run_id: str) -> str:
    """Folder in S3, new at each start: a repeated start overwrites nothing that a run reads."""
    return f"runs/{run_id}/{secrets.token_hex(4)}"


def write_references(key: str, references: Iterable[Reference]) -> tuple[int, Reference | None]:
    """Writes references; returns their number and the first.

    A single reference travels in the execution's input and needs no file.
    """
    upload, total, first = ObjectWriter(key), 0, None
    for reference in references:
        upload.write(msgspec.json.encode(reference) + b"\n")
        total, first = total + 1, first or reference
    if total > 1:
        upload.close()
    return total, first


def branch_of(total: int, interval_seconds: int) -> execution.Branch:
    """Branch of RunWorkflow for so many items."""
    if total == 1:
        return "one"
    return "paced" if interval_seconds else "many"
