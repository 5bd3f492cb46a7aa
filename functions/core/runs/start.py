"""Starts runs: writes the items to S3, then starts one execution of RunWorkflow with references."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec

from functions.core import clock
from functions.core.aws.s3 import ObjectWriter
from functions.core.errors import FieldError, IdempotencyKeyReused, InvalidParameters
from functions.core.http.gateway import MAX_BODY_BYTES
from functions.core.observability import logger
from functions.core.parameters import merged
from functions.core.runs.beginning import begin, branch_of, new_folder, write_references
from functions.core.runs.execution import Execution, new_run_id
from functions.core.runs.files import (
    ITEMS_KEPT_SECONDS,
    ListedItem,
    Reference,
)
from functions.core.runs.lineage import TOP, Lineage, refuse_too_deep
from functions.core.runs.run import Run
from functions.core.runs.settings import DEFAULT_CONCURRENCY

MAX_ITEMS = 1_000_000
MAX_ITEM_BYTES = MAX_BODY_BYTES
"""Bytes of one item; the limit of an HTTP request."""
MAX_LIST_BYTES = 500_000_000
"""Bytes of all items, each with the common parameters: written within the deadline of a request."""


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
    folder = new_folder(run_id)
    written = ObjectWriter(f"{folder}/items.jsonl")
    every = (
        ListedItem(merged(item, parameters or {}, lenient=lenient), row=getattr(item, "row", None))
        for item in items
    )
    total, first = write_references(f"{folder}/references.jsonl", _write_items(written, every))
    if first is None:
        raise InvalidParameters(FieldError("/items", "must not be empty"))
    written.close()
    planned = Execution(
        run_id=run_id,
        workflow=workflow,
        branch=branch_of(total, interval_seconds),
        total=total,
        token_id=token_id,
        started_by=started_by,
        origin_run_id=run_id,
        items_key=written.key,
        items_digest=written.digest,
        references_key=f"{folder}/references.jsonl",
        reference=first,
        interval_seconds=interval_seconds,
        max_concurrency=max_concurrency,
        lenient=lenient,
        items_until=int(clock.now()) + ITEMS_KEPT_SECONDS,
        delete_at="",
        lineage=lineage,
    )
    return begin(planned, schedule_id=schedule_id)


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
