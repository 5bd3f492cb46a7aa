"""Files of runs in S3: items, and references to them; written as they are made, read by line."""

import hashlib
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from functions.core import aws
from functions.core.aws import s3
from functions.core.errors import Conflict

ITEMS_KEPT_SECONDS = 7 * 86_400
"""The bucket's lifecycle (template.yaml) deletes files then, or some hours later."""


class ListedItem(dict[str, Any]):
    """Parameters of an item, which know its row in the uploaded file."""

    __slots__ = ("row",)

    def __init__(
        self, parameters: Mapping[str, Any] | None = None, *, row: int | None = None
    ) -> None:
        super().__init__(parameters or {})
        self.row = row
        """Row of a CSV, as a spreadsheet numbers it, or line of JSON Lines; null for an array."""


class Reference(msgspec.Struct, frozen=True, omit_defaults=True):
    """Position of one item's parameters in a file of items."""

    index: int
    start: int
    """First byte."""
    length: int
    """Bytes."""
    row: int | None = None
    """Row of the item in the file that was uploaded, as in `ListedItem`."""


def read_item(key: str, start: int, length: int) -> dict[str, Any]:
    """Parameters of one item: a ranged read, whatever the size of the file."""
    parameters: dict[str, Any] = msgspec.json.decode(s3.read_range(key, start, length))
    return parameters


def read_bytes(key: str, start: int, length: int) -> bytes:
    """One item as it is in a file of items."""
    return s3.read_range(key, start, length)


def park_item(origin_run_id: str, index: int, content: bytes) -> None:
    """Keeps a copy of an item's parameters for the time that it waits, up to 400 days."""
    s3.write(_parked_key(origin_run_id, index), content)


def read_parked(origin_run_id: str, index: int) -> dict[str, Any]:
    """Parameters of an item that has waited. Raises `Conflict` once they are deleted."""
    content = s3.read(_parked_key(origin_run_id, index))
    if content is None:
        raise Conflict("The item's parameters are no longer kept (400 days); start a new run.")
    parameters: dict[str, Any] = msgspec.json.decode(content)
    return parameters


def free_item(origin_run_id: str, index: int) -> None:
    """Deletes the copy of an item that has waited; nothing happens if there is none."""
    s3.delete(_parked_key(origin_run_id, index))


def _parked_key(origin_run_id: str, index: int) -> str:
    return f"waiting/{origin_run_id}/{index}.json"


def digest(key: str) -> str:
    """SHA-256 of a file; empty if it was deleted."""
    found = hashlib.sha256()
    try:
        for part in s3.read_parts(key):
            found.update(part)
    except (aws.AwsNotFound, aws.AwsDenied):
        # S3 denies a file that is gone to a role that may not list the bucket.
        return ""
    return found.hexdigest()


def read_references(key: str) -> Iterator[Reference]:
    """References of a run, in the order of their indexes."""
    for line in s3.read_lines(key):
        yield msgspec.json.decode(line, type=Reference)
