"""Validates lists by the workflow itself (trigger `validate`) before a run over them starts."""

import time
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain, islice
from typing import Any

import msgspec

from functions.api.runs.requests import StartRun
from functions.core.errors import FieldError, InvalidParameters, NotInBackground
from functions.core.http.gateway import MAX_BODY_BYTES
from functions.core.http.problems import Invalid
from functions.core.runs.files import ListedItem
from functions.core.runs.start import MAX_ITEMS
from functions.core.runs.validation import SECONDS, Findings, check_items

Item = Mapping[str, Any]

NOT_A_BACKGROUND_WORKFLOW = "is not a workflow that can run in the background"
_BATCH = 1000
"""Items that are validated together; those of an upload before it starts."""
_MOST_PROBLEMS = 20
_ALL_WRONG = (
    "every item that was checked is wrong, so nothing has started; correct the list and upload it "
    "again, or correct this request and send it again with the same upload"
)


class ItemProblems(msgspec.Struct, frozen=True, kw_only=True):
    """An item that the workflow does not accept."""

    index: int
    """Place of the item in the list, from 0."""
    row: int | None
    """Row of a CSV, as a spreadsheet numbers it, or line of JSON Lines; null for other lists."""
    errors: list[Invalid]
    """Problems of its parameters. Pointers are into the request: `/items/3/to`, `/parameters/to`.
    """


class ListCheck(msgspec.Struct, frozen=True, kw_only=True):
    """A list as it would start, without a start (`dry_run`)."""

    total: int
    """Number of items."""
    checked: int
    """Items that were validated, from the first one on: as many as can be in 10 s."""
    invalid: int
    """Those of them that are wrong."""
    problems: list[ItemProblems]
    """The first 20 that are wrong."""


def validate(request: StartRun, items: Sequence[Item]) -> None:
    """Refuses items of which any is wrong, and a workflow with no background.

    Raises:
        InvalidParameters: points at `/workflow`, at `/items/3/to`, or at `/parameters/to` for a
            value that the item takes from the common parameters.
        Unavailable
    """
    _refuse(_problems(request, items, _check(request, items)))


def validate_first(
    request: StartRun, items: Iterator[ListedItem], *, lenient: bool
) -> Iterator[ListedItem]:
    """The items. Refuses them if each of the first 1,000 is wrong, as by a misspelt header.

    Raises:
        InvalidParameters, UnreadableItems, Unavailable
    """
    first = _batch(items)
    found = _check(request, first, lenient=lenient)
    if found.invalid == found.checked:
        _refuse(_problems(request, first, found), FieldError("/upload_id", _ALL_WRONG))
    return chain(first, items)


def dry_run(request: StartRun, items: Iterator[Item], *, lenient: bool = False) -> ListCheck:
    """Validates as many items as it can in 10 s, and counts all.

    Raises:
        InvalidParameters, UnreadableItems, Unavailable
    """
    total = checked = invalid = 0
    problems: list[ItemProblems] = []
    until = time.monotonic() + SECONDS
    while (left := until - time.monotonic()) > 0 and (batch := _batch(items)):
        found = _check(request, batch, lenient=lenient, seconds=left)
        problems += _problems(request, batch, found, total)
        checked, invalid = checked + found.checked, invalid + found.invalid
        total += len(batch)
    total += sum(1 for _ in islice(items, max(0, MAX_ITEMS + 1 - total)))
    if total > MAX_ITEMS:
        raise InvalidParameters(FieldError("/items", f"has more than {MAX_ITEMS:,} items"))
    return ListCheck(
        total=total, checked=checked, invalid=invalid, problems=problems[:_MOST_PROBLEMS]
    )


def _batch(items: Iterator[ListedItem | Item]) -> list[Any]:
    """The next 1,000 items, or fewer where they would not fit into an event."""
    batch, size = [], 0
    for item in islice(items, _BATCH):
        batch.append(item)
        size += len(msgspec.json.encode(item))
        if size > MAX_BODY_BYTES:
            break
    return batch


def _check(
    request: StartRun, items: Sequence[Item], *, lenient: bool = False, seconds: float = SECONDS
) -> Findings:
    try:
        return check_items(
            request.workflow, items, request.parameters, lenient=lenient, seconds=seconds
        )
    except NotInBackground:
        raise InvalidParameters(FieldError("/workflow", NOT_A_BACKGROUND_WORKFLOW)) from None


def _refuse(problems: Sequence[ItemProblems], *last: FieldError) -> None:
    errors = [
        FieldError(each.pointer, _with_row(each, problem.row))
        for problem in problems
        for each in problem.errors
    ]
    if errors:
        raise InvalidParameters(*dict.fromkeys(errors), *last)


def _with_row(error: Invalid, row: int | None) -> str:
    in_item = row is not None and error.pointer.startswith("/items/")
    return f"row {row}: {error.detail}" if in_item else error.detail


def _problems(
    request: StartRun, items: Sequence[Item], found: Findings, before: int = 0
) -> list[ItemProblems]:
    """The problems, with their places in the request. `before`: items before these."""
    return [
        ItemProblems(
            index=before + each["index"],
            row=getattr(items[each["index"]], "row", None),
            errors=[
                Invalid(
                    _pointer(
                        error["pointer"],
                        before + each["index"],
                        items[each["index"]],
                        request.parameters,
                    ),
                    error["detail"],
                )
                for error in each["errors"]
            ],
        )
        for each in found.problems
    ]


def _pointer(pointer: str, index: int, item: Item, parameters: Item) -> str:
    """Pointer to the value's place in the request, or to the place where it is missing."""
    steps = [step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/")[1:]]
    own: object = item
    common: object = parameters
    for place, step in enumerate(steps):
        if not isinstance(own, Mapping):
            break
        own, common = own.get(step), _inner(common, step)
        if own in (None, "") and _at(common, steps[place + 1 :]) is not None:
            return f"/parameters{pointer}"
    return f"/items/{index}{pointer}"


def _at(value: object, steps: Sequence[str]) -> object:
    for step in steps:
        value = _inner(value, step)
    return value


def _inner(value: object, step: str) -> object:
    if isinstance(value, Sequence) and not isinstance(value, str) and step.isdecimal():
        return value[int(step)] if int(step) < len(value) else None
    return value.get(step) if isinstance(value, Mapping) else None
