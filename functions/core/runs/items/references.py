"""References of a run's items: all of them, or the one of an item, with the items' parameters."""

from collections.abc import Iterable, Iterator
from typing import Annotated, Any, NamedTuple

import msgspec
from msgspec import Meta

from functions.core import aws, clock
from functions.core.aws import s3
from functions.core.runs.execution import Execution
from functions.core.runs.files import Reference, read_item, read_references

ItemIndex = Annotated[int, Meta(ge=0, examples=[0])]

_CHUNK_BYTES = 64_000
"""About a thousand references: one request finds an item of most lists."""
_SPAN_BYTES = s3.PART_BYTES
"""Bytes of items in one request. In a long list with few items left, not all of it is read."""


class Listed(NamedTuple):
    """An item as the list had it."""

    row: int | None
    """Row of the uploaded file, as in `ListedItem`."""
    parameters: dict[str, Any] | None
    """Null once they are deleted."""


def references_of(begun: Execution) -> Iterator[Reference]:
    """References of all items of a run, in the order of their indexes. Raises `AwsNotFound`."""
    if begun.branch == "one":
        return iter([begun.reference])
    return read_references(begun.references_key)


def find_listed(begun: Execution, index: int) -> Listed | None:
    """An item of a run as the list had it; null if the run has no item of this index.

    Where the items are deleted, row and parameters are null. Of a retry, no item is known then.

    Raises:
        Unavailable
    """
    deleted = Listed(None, None) if _surely_has(begun, index) else None
    if clock.now() > begun.items_until:
        return deleted
    try:
        found = _find(begun, index)
        if found is None:
            return None
        return Listed(found.row, read_item(begun.items_key, found.start, found.length))
    except aws.AwsNotFound:
        return deleted


def read_items(key: str, references: Iterable[Reference]) -> Iterator[bytes]:
    """JSON of the items, in the order of the references; several with each request.

    Raises:
        AwsNotFound, Unavailable
    """
    span: list[Reference] = []
    for reference in references:
        if span and reference.start + reference.length - span[0].start > _SPAN_BYTES:
            yield from _read_span(key, span)
            span = []
        span.append(reference)
    if span:
        yield from _read_span(key, span)


def _read_span(key: str, span: list[Reference]) -> Iterator[bytes]:
    first, last = span[0], span[-1]
    text = s3.read_range(key, first.start, last.start + last.length - first.start)
    for each in span:
        begin = each.start - first.start
        yield text[begin : begin + each.length]


def _surely_has(begun: Execution, index: int) -> bool:
    """Whether a run has an item, where that is known without its references.

    A retry has some items of its first run, with their indexes.
    """
    if begun.branch == "one":
        return index == begun.reference.index
    return index < begun.total and begun.origin_run_id == begun.run_id


def _find(begun: Execution, index: int) -> Reference | None:
    """The reference to an item. It bisects the file, whose lines are sorted by index."""
    if begun.branch == "one":
        return begun.reference if index == begun.reference.index else None
    key = begun.references_key
    low, high = 0, s3.size(key)
    while low < high:
        start = low if high - low <= _CHUNK_BYTES else (low + high - _CHUNK_BYTES) // 2
        text = s3.read_range(key, start, min(_CHUNK_BYTES, high - start))
        begin = 0 if start == low else text.index(b"\n") + 1
        end = text.rindex(b"\n") + 1
        found = [msgspec.json.decode(line, type=Reference) for line in text[begin:end].splitlines()]
        if index < found[0].index:
            high = start + begin
        elif index > found[-1].index:
            low = start + end
        else:
            return next((each for each in found if each.index == index), None)
    return None
