"""Exports an ended run: a CSV of its items and their ends, to correct and to upload as it is."""

import csv
import io
import secrets
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

import msgspec

from functions.api.runs.lists.csv_columns import MAX_COLUMNS, TooManyColumns, columns_of
from functions.api.runs.lists.csv_header import EXPORTED
from functions.api.runs.lists.formulas import mark
from functions.core import aws, clock
from functions.core.aws import s3
from functions.core.clock import utc
from functions.core.errors import Conflict
from functions.core.runs.execution import Execution
from functions.core.runs.files import Reference
from functions.core.runs.items.outcomes import ItemEnd, read_ends
from functions.core.runs.items.references import read_items, references_of
from functions.core.runs.run import find, shown
from functions.core.runs.states import begun_as
from functions.core.runs.uploads import MAX_UPLOAD_BYTES

MAX_EXPORTED_ITEMS = 100_000
"""Read, joined and written within a request."""
_URL_SECONDS = 15 * 60
_MAX_CELL = 32_767
"""Characters of a cell in Excel, which cuts off or moves what is longer (Excel specifications)."""
_ROWS_AT_ONCE = 1_000
_INSTEAD = (
    "GET /runs/<run_id>/items lists the outcomes by page; "
    "POST /runs/<run_id>/retry makes a smaller run of the failed items"
)

_decoder = msgspec.json.Decoder(dict[str, Any])


class Export(msgspec.Struct, frozen=True, kw_only=True):
    """A CSV of a run's items."""

    url: str
    """URL to download it from, with GET and without a token."""
    expires_at: datetime
    """Time until which the URL works."""


def export(run_id: str) -> Export:
    """Writes the CSV of a run that has ended.

    Raises:
        NotFound: there is no such run.
        Conflict: it has not ended, is too large, or its items are no longer kept.
        Unavailable
    """
    record = find(run_id)
    begun = begun_as(record)
    if shown(record).status == "running":
        raise Conflict("The run has not ended yet. Export it then.")
    if begun.total > MAX_EXPORTED_ITEMS:
        raise _too_large(f"{begun.total:,} items; at most {MAX_EXPORTED_ITEMS:,} are exported")
    key = f"runs/{run_id}/{secrets.token_hex(4)}/export.csv"
    try:
        _write(key, begun)
    except TooManyColumns:
        raise _too_large(
            f"more than {MAX_COLUMNS:,} different parameters; no more are exported"
        ) from None
    url = s3.download_url(
        key,
        filename=f"{run_id}.csv",
        content_type="text/csv; charset=utf-8",
        valid_seconds=_URL_SECONDS,
    )
    return Export(url=url, expires_at=utc(clock.now() + _URL_SECONDS))


def _write(key: str, begun: Execution) -> None:
    """Writes the file. A column is known once all items are read, so they are read twice."""
    references, items = _listed(begun)
    columns = columns_of(map(_decoder.decode, items))
    ends = _each_end(begun.run_id, references)
    rows = (
        _cells(reference, end) + columns.row(_decoder.decode(item))
        for reference, end, item in zip(references, ends, items, strict=True)
    )
    upload, size = s3.ObjectWriter(key), 0
    for text in _texts(columns.names, rows):
        size += len(text)
        _refuse_large(size)
        upload.write(text)
    upload.close()


def _listed(begun: Execution) -> tuple[list[Reference], list[bytes]]:
    """References of a run, and the items. Raises `Conflict`."""
    deleted = Conflict("The parameters of the run were deleted after 7 days; nothing is exported.")
    if clock.now() > begun.items_until:
        raise deleted
    try:
        references = list(references_of(begun))
        _refuse_large(sum(each.length for each in references))
        return references, list(read_items(begun.items_key, references))
    except aws.AwsNotFound:
        raise deleted from None


def _refuse_large(size: int) -> None:
    """Raises `Conflict` for a file that could not be uploaded again."""
    if size > MAX_UPLOAD_BYTES:
        raise _too_large(f"more than {MAX_UPLOAD_BYTES:,} bytes; no more are exported")


def _too_large(has: str) -> Conflict:
    return Conflict(f"The run has {has}. {_INSTEAD}.")


def _each_end(run_id: str, references: Iterable[Reference]) -> Iterator[ItemEnd]:
    """The end of each item; both lists are sorted by index."""
    ends = read_ends(run_id)
    end = next(ends, None)
    for reference in references:
        while end and end.index < reference.index:
            end = next(ends, None)
        known = end if end and end.index == reference.index else None
        yield known or ItemEnd(reference.index, "pending")


def _cells(reference: Reference, end: ItemEnd) -> list[str]:
    """Cells of an item's end, in the columns EXPORTED."""
    result, detail = end.result or "", end.problem.detail if end.problem else ""
    if len(result) > _MAX_CELL:
        result = ""
        detail = f"The result is too long for a cell. GET …/items/{reference.index} has it."
    return [
        str(reference.row or ""),
        end.status,
        mark(result),
        end.problem.code if end.problem else "",
        mark(detail),
    ]


def _texts(names: list[str], rows: Iterable[list[str]]) -> Iterator[bytes]:
    """The CSV, many rows at a time. By the byte order mark Excel knows that it is UTF-8."""
    text = io.StringIO()
    writer = csv.writer(text)
    text.write("\ufeff")
    writer.writerow([*EXPORTED, *map(mark, names)])
    for number, row in enumerate(rows, start=1):
        writer.writerow(row)
        if number % _ROWS_AT_ONCE == 0:
            yield text.getvalue().encode()
            text.seek(0)
            text.truncate()
    yield text.getvalue().encode()
