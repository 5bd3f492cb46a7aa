"""Payloads of deliveries in S3, which keeps them for 7 days. No header and no secret is kept."""

from itertools import islice
from typing import Any

import msgspec

from functions.core import aws
from functions.core.aws import s3


class Content(msgspec.Struct, frozen=True):
    """The verified parts of a delivery that expressions see."""

    payload: Any
    query: dict[str, str]


def write(source: str, delivery_id: str, content: Content) -> None:
    """Keeps the content of a delivery."""
    s3.write(_key(source, delivery_id), msgspec.json.encode(content))


def read(source: str, delivery_id: str) -> Content | None:
    """Content of a delivery; null if it is not kept any more."""
    try:
        found = s3.read(_key(source, delivery_id))
    except aws.AwsDenied:
        # S3 denies a file that is gone to a role that may not list the bucket.
        return None
    return msgspec.json.decode(found, type=Content) if found else None


def newest(source: str, after: str | None, most: int) -> list[str]:
    """Ids of deliveries, newest first, from the one after `after`."""
    folder = _key(source, "").removesuffix(_ENDING)
    start = _key(source, after) if after else ""
    keys = islice(s3.list_keys(folder, after=start, page=most), most)
    return [key.removeprefix(folder).removesuffix(_ENDING) for key in keys]


_ENDING = ".json"


def _key(source: str, delivery_id: str) -> str:
    return f"deliveries/{source}/{delivery_id}{_ENDING}"
