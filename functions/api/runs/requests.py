"""Requests to the API of runs: bodies, queries and cursors as typed values."""

import base64
import binascii
from typing import Annotated, Any, Literal, TypeVar
from urllib.parse import parse_qsl

import msgspec
from msgspec import Meta

from functions.core import http
from functions.core.errors import BodyTooLarge, FieldError, InvalidParameters
from functions.core.parameters import P, Parameters, read_parameters
from functions.core.runs.listing import is_position
from functions.core.runs.records import RunStatus
from functions.core.runs.settings import DEFAULT_CONCURRENCY
from functions.core.runs.start import MAX_ITEMS
from functions.core.runs.uploads import Format

Position = TypeVar("Position", int, str)
Cursor = Annotated[str, Meta(max_length=200)]
"""Room for the position of a run, written as `write_cursor` does."""


class StartRun(Parameters):
    """A workflow, and the items that it runs on, here or in an upload."""

    workflow: str
    """Name of the workflow to run."""
    items: list[dict[str, Any]] | None = None
    """Parameters of each item. Send items or an `upload_id`."""
    upload_id: str | None = None
    """Upload that holds the items (`POST /runs/uploads`)."""
    parameters: dict[str, Any] = msgspec.field(default_factory=dict)
    """Common to all items. An item's own parameters take precedence, within objects too."""
    interval_seconds: Annotated[int, Meta(ge=0, le=86_400)] = 0
    """Wait between items, which then run one after another. With 0 they run in parallel."""
    max_concurrency: Annotated[int, Meta(ge=1, le=1000)] = DEFAULT_CONCURRENCY
    """Most items that run at the same time."""
    dry_run: bool = False
    """Only validate the items and say which are wrong. Nothing starts; an upload stays usable."""


class NewUpload(Parameters):
    """The file to upload."""

    format: Format
    """Format of the file."""


class RunsQuery(Parameters):
    """Query of `GET /runs`."""

    status: RunStatus | None = None
    """Only runs with this status."""
    workflow: str | None = None
    """Only runs of this workflow."""
    schedule_id: str | None = None
    """Only runs that this schedule started."""
    limit: Annotated[int, Meta(ge=1, le=100)] = 50
    """Most runs on a page."""
    cursor: Cursor | None = None
    """Cursor of the page, from the page before it."""


class CancelQuery(Parameters):
    """Query of `DELETE /runs/<id>`."""

    descendants: bool = False
    """Whether runs that its items started, and all below them, stop as well."""


class ItemsQuery(Parameters):
    """Query of `GET /runs/<id>/items`."""

    status: Literal["failed"] | None = None
    """Only outcomes with this status; by default all."""
    limit: Annotated[int, Meta(ge=1, le=1000)] = 100
    """Most outcomes on a page."""
    cursor: Cursor | None = None
    """Cursor of the page, from the page before it."""


def read_body(kind: type[P], event: http.Request) -> P:
    """Reads the body. If it is too large, the error names the endpoint for long lists."""
    try:
        return read_parameters(kind, http.read_body(event))
    except BodyTooLarge as error:
        raise BodyTooLarge(f"{error.detail} Upload longer lists: POST /runs/uploads.") from None


def read_query(kind: type[P], event: http.Request) -> P:
    """Reads the query. Raises `InvalidParameters`, also for a repeated name."""
    pairs = parse_qsl(event.get("rawQueryString") or "", keep_blank_values=True)
    values = dict(pairs)
    if len(values) < len(pairs):
        raise InvalidParameters(FieldError("", "Send each query parameter only once."))
    return read_parameters(kind, values, strict=False)


def write_cursor(position: int | str | None) -> str | None:
    """Encodes a position in a list as an opaque text that is safe in a URL."""
    if position is None:
        return None
    return base64.urlsafe_b64encode(msgspec.json.encode(position)).rstrip(b"=").decode()


def read_cursor(cursor: str | None, kind: type[Position]) -> Position | None:
    """Decodes a cursor. Raises `InvalidParameters` for a text that `write_cursor` did not make."""
    if cursor is None:
        return None
    try:
        position = msgspec.json.decode(
            base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)), type=kind
        )
    except (binascii.Error, ValueError):
        raise _invalid_cursor() from None
    known = 0 <= position < MAX_ITEMS if isinstance(position, int) else is_position(position)
    if not known:
        raise _invalid_cursor()
    return position


def _invalid_cursor() -> InvalidParameters:
    return InvalidParameters(FieldError("/cursor", "must be a cursor that this list returned"))
