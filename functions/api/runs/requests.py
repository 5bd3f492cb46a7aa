"""What clients send to the API of runs: bodies, queries and cursors as typed values."""

import base64
import binascii
from typing import Annotated, Any, Literal, TypeVar
from urllib.parse import parse_qsl

import msgspec
from msgspec import Meta

from functions.core import http
from functions.core.errors import BodyTooLarge, FieldError, InvalidParameters
from functions.core.parameters import P, Parameters, read_parameters
from functions.core.runs.settings import DEFAULT_CONCURRENCY
from functions.core.runs.start import MAX_ITEMS
from functions.core.runs.uploads import Format

Position = TypeVar("Position", int, str)


class StartRun(Parameters):
    """A workflow, and the items that it runs on: here, or in an upload."""

    workflow: str
    items: list[dict[str, Any]] | None = None
    upload_id: str | None = None
    parameters: dict[str, Any] = msgspec.field(default_factory=dict)
    """Common to all items, for what an item does not say itself."""
    interval_seconds: Annotated[int, Meta(ge=0, le=86_400)] = 0
    """If not 0, the items run one after the other with this wait between them."""
    max_concurrency: Annotated[int, Meta(ge=1, le=1000)] = DEFAULT_CONCURRENCY


class NewUpload(Parameters):
    """What the file will be."""

    format: Format


class Nothing(Parameters):
    """Of a call that takes no parameters."""


class RunsQuery(Parameters):
    """Which page of the runs."""

    limit: Annotated[int, Meta(ge=1, le=100)] = 50
    cursor: Annotated[str, Meta(max_length=8_000)] | None = None


class ItemsQuery(Parameters):
    """Which page of a run's outcomes."""

    status: Literal["failed"] | None = None
    limit: Annotated[int, Meta(ge=1, le=1000)] = 100
    cursor: Annotated[str, Meta(max_length=8_000)] | None = None


def read_body(kind: type[P], event: http.Request) -> P:
    """The body. One that is too large is told where a long list goes instead."""
    try:
        return read_parameters(kind, http.read_body(event))
    except BodyTooLarge as error:
        raise BodyTooLarge(f"{error.detail} POST /runs/uploads takes longer lists.") from None


def read_query(kind: type[P], event: http.Request) -> P:
    """The query. Raises `InvalidParameters`, also for a name that is there twice."""
    pairs = parse_qsl(event.get("rawQueryString") or "", keep_blank_values=True)
    values = dict(pairs)
    if len(values) < len(pairs):
        raise InvalidParameters(FieldError("", "A parameter is there twice."))
    return read_parameters(kind, values, strict=False)


def write_cursor(position: int | str | None) -> str | None:
    """A position in a list as clients keep it: opaque, and fit for a URL."""
    if position is None:
        return None
    return base64.urlsafe_b64encode(msgspec.json.encode(position)).rstrip(b"=").decode()


def read_cursor(cursor: str | None, kind: type[Position]) -> Position | None:
    """The position that a cursor is. Raises `InvalidParameters` for anything that `write_cursor` did not make."""
    if cursor is None:
        return None
    try:
        position = msgspec.json.decode(
            base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)), type=kind
        )
    except (binascii.Error, ValueError):
        raise _no_cursor() from None
    if isinstance(position, int) and not 0 <= position < MAX_ITEMS:
        raise _no_cursor()
    return position


def _no_cursor() -> InvalidParameters:
    return InvalidParameters(FieldError("/cursor", "is not one that this list gave"))
