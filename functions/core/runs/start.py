"""Starts runs: writes the items to S3, then starts one execution of RunWorkflow with references."""

import secrets
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec
from msgspec.structs import replace

from functions.core import clock
from functions.core.aws.s3 import ObjectWriter
from functions.core.errors import Conflict, FieldError, IdempotencyKeyReused, InvalidParameters
from functions.core.http.gateway import MAX_BODY_BYTES
from functions.core.observability import logger
from functions.core.parameters import merged
from functions.core.runs import execution, records
from functions.core.runs.execution import Execution, new_run_id
from functions.core.runs.files import (
    ITEMS_KEPT_SECONDS,
    ListedItem,
    Reference,
    digest,
    read_references,
)
from functions.core.runs.items import outcomes
from functions.core.runs.lineage import TOP, Lineage, refuse_too_deep
from functions.core.runs.records import RunRecord, StartedBy
from functions.core.runs.run import Run, find, new, shown
from functions.core.runs.settings import DEFAULT_CONCURRENCY
from functions.core.runs.states import begun_as

MAX_ITEMS = 1_000_000
MAX_ITEM_BYTES = MAX_BODY_BYTES
"""Bytes of one item; the limit of an HTTP request."""
MAX_LIST_BYTES = 500_000_000
"""Bytes of all items, each with the common parameters: written within the deadline of a request."""
_MARGIN_SECONDS = 3600
"""Time of a paced run for its items' own work, besides the waits."""


def start(  # noqa: PLR0913 - what a run can have, by name
    workflow: str,
    items: Iterable[Mapping[str, Any]],
    *,
    token_id: str | None,
    started_by: str | None = None,
    parameters: Mapping[str, Any] | None = None,
    interval_seconds: int = 0,
    max_concurrency: int = DEFAULT_CONCURRENCY,
    lenient: bool = False,
    run_id: str | None = None,
    schedule_id: str | None = None,
    lineage: Lineage = TOP,
) -> Run:
    """Starts a run over the items and returns it. The items are read once and not kept in memory.

    Args:
        workflow: name of a workflow of this stack.
        items: parameters of one call each; a `ListedItem` has its row too. An error of the
            iterator ends the start; nothing runs
            then.
        token_id: of the token that requested it; null without one.
        started_by: the requesting code, as in `Execution`; never a client's choice. Null: as a
            client.
        parameters: common to all items; an item's own value wins unless it is absent, null or "".
        interval_seconds: if not 0, the items run one after the other with this wait between them.
        max_concurrency: items that run at once, 1 to 1000.
        lenient: whether texts are converted to the parameters' types ("5", "true"), as for CSV
            cells.
        run_id: from `new_run_id`, where a repeated start must be the same run. Null: a new one.
        schedule_id: of the schedule that starts it.
        lineage: runs that led to it, where a workflow starts it.

    Raises:
        TooDeep: workflows start each other without an end.
        IdempotencyKeyReused: there is a run of that id with other items.
        InvalidParameters: no items, too many, one too large, or a paced run that would outlast its
            items.
        Unavailable
    """
    refuse_too_deep(lineage)
    run_id = run_id or new_run_id(workflow)
    folder = _folder(run_id)
    written = ObjectWriter(f"{folder}/items.jsonl")
    every = (
        ListedItem(merged(item, parameters or {}, lenient=lenient), row=getattr(item, "row", None))
        for item in items
    )
    total, first = _write_references(f"{folder}/references.jsonl", _write_items(written, every))
    if first is None:
        raise InvalidParameters(FieldError("/items", "must not be empty"))
    written.close()
    planned = Execution(
        run_id=run_id,
        workflow=workflow,
        branch=_branch(total, interval_seconds),
        total=total,
        token_id=token_id,
        started_by=started_by,
        origin_run_id=run_id,
        items_key=written.key,
        references_key=f"{folder}/references.jsonl",
        reference=first,
        interval_seconds=interval_seconds,
        max_concurrency=max_concurrency,
        lenient=lenient,
        items_until=int(clock.now()) + ITEMS_KEPT_SECONDS,
        delete_at="",
        lineage=lineage,
    )
    return _begin(planned, schedule_id=schedule_id)


def start_once(
    workflow: str, parameters: Mapping[str, Any], *, token_id: str, started_by: str, run_id: str
) -> bool:
    """Starts a run over one item, once per `run_id`; for deliveries that may repeat, such as
    webhooks.

    Returns false if a run of this id was started with other parameters, which then stay.

    Raises:
        InvalidParameters, Unavailable: as `start`.
    """
    try:
        start(workflow, [parameters], token_id=token_id, started_by=started_by, run_id=run_id)
    except IdempotencyKeyReused:
        logger.info("a run of this id was started before, with other parameters", run_id=run_id)
        return False
    return True


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
            days).
        Unavailable
    """
    record = find(run_id)
    earlier, begun = shown(record), begun_as(record)
    if earlier.status == "running":
        raise Conflict("The run has not ended yet.")
    if clock.now() > begun.items_until:
        raise Conflict("The items of the run were deleted after 7 days; start a new run with them.")
    continued = earlier.pending > 0
    new_id = new_run_id(begun.workflow, f"retry of {run_id}")
    key = f"{_folder(new_id)}/references.jsonl"
    left = _references(begun) if continued else _references_of_failed(begun)
    total, first = _write_references(key, left)
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
        branch=_branch(total, begun.interval_seconds),
        references_key=key,
        reference=first,
        lineage=lineage,
    )
    return _begin(again, retry_of=run_id)


def _folder(run_id: str) -> str:
    """Folder in S3, new at each start: a repeated start overwrites nothing that a run reads."""
    return f"runs/{run_id}/{secrets.token_hex(4)}"


def _write_items(upload: ObjectWriter, items: Iterable[ListedItem]) -> Iterator[Reference]:
    position = 0
    for index, item in enumerate(items):
        line = msgspec.json.encode(item)
        if index == MAX_ITEMS:
            raise InvalidParameters(FieldError("/items", f"has more than {MAX_ITEMS:,} items"))
        if len(line) > MAX_ITEM_BYTES:
            raise InvalidParameters(
                FieldError(f"/items/{index}", f"has more than {MAX_ITEM_BYTES:,} bytes")
            )
        if position > MAX_LIST_BYTES:
            raise InvalidParameters(
                FieldError("/items", f"with the parameters have more than {MAX_LIST_BYTES:,} bytes")
            )
        upload.write(line + b"\n")
        yield Reference(index, position, len(line), item.row)
        position += len(line) + 1


def _write_references(key: str, references: Iterable[Reference]) -> tuple[int, Reference | None]:
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


def _references(earlier: Execution) -> Iterator[Reference]:
    """References of all items of a run."""
    if earlier.branch == "one":
        return iter([earlier.reference])
    return read_references(earlier.references_key)


def _references_of_failed(earlier: Execution) -> Iterator[Reference]:
    """References of the failed items. Both lists are sorted by index, so one pass finds them."""
    every = _references(earlier)
    for failed in outcomes.failed_indexes(earlier.run_id):
        yield next(reference for reference in every if reference.index == failed)


def _branch(total: int, interval_seconds: int) -> execution.Branch:
    if total == 1:
        return "one"
    return "paced" if interval_seconds else "many"


def _begin(
    planned: Execution, *, schedule_id: str | None = None, retry_of: str | None = None
) -> Run:
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
    execution.begin(planned)
    return new(record)


def _started_before(planned: Execution, existing: RunRecord) -> Run:
    """The existing run of this id, if it has the same items. Raises `IdempotencyKeyReused`."""
    earlier = begun_as(existing)
    if earlier.items_key != planned.items_key and digest(earlier.items_key) != digest(
        planned.items_key
    ):
        raise IdempotencyKeyReused(
            "A run was started with this key and other items; use a new key."
        )
    if not existing.ended:
        # The process that wrote the record may have died before this.
        execution.begin(earlier)
        return new(existing)
    return shown(existing)


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
