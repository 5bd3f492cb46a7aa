"""Starts runs: writes the items to S3, then starts one execution of RunWorkflow with references."""

import secrets
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

from functions.core import clock
from functions.core.aws.s3 import ObjectWriter
from functions.core.errors import Conflict, FieldError, IdempotencyKeyReused, InvalidParameters
from functions.core.http.gateway import MAX_BODY_BYTES
from functions.core.observability import logger
from functions.core.parameters import merged
from functions.core.runs import execution, outcomes
from functions.core.runs.execution import Execution, new_run_id, started_by_of
from functions.core.runs.files import (
    ITEMS_KEPT_SECONDS,
    ListedItem,
    Reference,
    digest,
    read_references,
)
from functions.core.runs.run import Run, describe
from functions.core.runs.settings import DEFAULT_CONCURRENCY

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

    Raises:
        IdempotencyKeyReused: there is a run of that id with other items.
        InvalidParameters: no items, too many, one too large, or a paced run that would outlast its
            items.
        Unavailable
    """
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
    )
    return _begin(planned)


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
    """Starts a run over the failed items of a run. They keep their indexes and ids.

    Repeated retries of one run are one run, so that no item runs twice at the same time. Items that
    fail again are retried by the id of the new run. The new run keeps `started_by`, whoever
    retries.

    Args:
        run_id: of the run that has ended.
        token_id: of the token that requested the retry.

    Raises:
        NotFound: there is no such run.
        Conflict: it has not ended, nothing of it failed, or its items are no longer kept (7 days).
        Unavailable
    """
    earlier, about = execution.read(run_id)
    if about["status"] == "RUNNING":
        raise Conflict("The run has not ended yet.")
    if clock.now() > earlier.items_until:
        raise Conflict("The items of the run were deleted after 7 days; start a new run with them.")
    new_id = new_run_id(earlier.workflow, f"retry of {run_id}")
    key = f"{_folder(new_id)}/references.jsonl"
    total, first = _write_references(key, _references_of_failed(earlier))
    if first is None:
        raise Conflict("No item of the run has failed.")
    again = msgspec.structs.replace(
        earlier,
        run_id=new_id,
        token_id=token_id,
        started_by=started_by_of(earlier.started_by, earlier.token_id),
        total=total,
        branch=_branch(total, earlier.interval_seconds),
        references_key=key,
        reference=first,
    )
    return _begin(again)


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


def _references_of_failed(earlier: Execution) -> Iterator[Reference]:
    """References of the failed items. Both lists are sorted by index, so one pass finds them."""
    every = iter(
        [earlier.reference] if earlier.branch == "one" else read_references(earlier.references_key)
    )
    for failed in outcomes.failed_indexes(earlier.run_id):
        yield next(reference for reference in every if reference.index == failed)


def _branch(total: int, interval_seconds: int) -> execution.Branch:
    if total == 1:
        return "one"
    return "paced" if interval_seconds else "many"


def _begin(planned: Execution) -> Run:
    now = clock.now()
    waits = planned.interval_seconds * (planned.total - 1)
    if waits and now + waits + _MARGIN_SECONDS > planned.items_until:
        raise InvalidParameters(
            FieldError(
                "/interval_seconds",
                f"makes the run last {waits:,} s, and items are kept for 7 days",
            )
        )
    planned = msgspec.structs.replace(
        planned, delete_at=str(int(now) + waits + outcomes.OUTCOMES_KEPT_SECONDS)
    )
    return _begun(planned, now) if execution.begin(planned) else _started_before(planned)


def _started_before(planned: Execution) -> Run:
    """The existing run of this id, if it has the same items. Raises `IdempotencyKeyReused`."""
    earlier, about = execution.read(planned.run_id)
    if earlier.items_key != planned.items_key and digest(earlier.items_key) != digest(
        planned.items_key
    ):
        raise IdempotencyKeyReused(
            "A run was started with this key and other items; use a new key."
        )
    if about["status"] == "RUNNING":
        return _begun(earlier, about["startDate"].timestamp())
    return describe(planned.run_id)


def _begun(planned: Execution, now: float) -> Run:
    return Run(
        run_id=planned.run_id,
        workflow=planned.workflow,
        status="running",
        total=planned.total,
        pending=planned.total,
        running=0,
        succeeded=0,
        failed=0,
        started_at=datetime.fromtimestamp(int(now), UTC),
    )
