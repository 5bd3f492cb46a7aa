"""The files of runs in S3: items, and references to them. Written as they are made, read a line at a time."""

import hashlib
from collections.abc import Iterator
from typing import Any

import msgspec
from botocore.exceptions import ClientError

from functions.core import aws, config
from functions.core.runs.settings import RunSettings

PART_BYTES = 8_000_000
"""S3 takes parts from 5 MiB, and 10,000 of them."""

ITEMS_KEPT_SECONDS = 7 * 86_400
"""The bucket's lifecycle (template.yaml) deletes files then, or some hours later."""


class Reference(msgspec.Struct, frozen=True):
    """Where the parameters of one item are in a file of items."""

    index: int
    start: int
    """First byte."""
    length: int
    """In bytes."""


class ItemsUpload:
    """An object that is written as it is made. It is there once it is closed; not at all if that never happens."""

    def __init__(self, key: str) -> None:
        self.key = key
        self._place = {"Bucket": config.read(RunSettings).runs_bucket, "Key": key}
        self._buffer = bytearray()
        self._upload_id: str | None = None
        self._parts: list[dict[str, Any]] = []

    def write(self, data: bytes) -> None:
        """Appends; uploads a part when there is enough for one."""
        self._buffer += data
        if len(self._buffer) >= PART_BYTES:
            self._upload_part()

    def close(self) -> None:
        """Completes the object."""
        with aws.unavailable_if_transient("S3"):
            if self._upload_id is None:
                _s3().put_object(**self._place, Body=bytes(self._buffer))
                return
            if self._buffer:
                self._upload_part()
            parts = {"Parts": self._parts}
            _s3().complete_multipart_upload(
                **self._place, UploadId=self._upload_id, MultipartUpload=parts
            )

    def _upload_part(self) -> None:
        number = len(self._parts) + 1
        with aws.unavailable_if_transient("S3"):
            if self._upload_id is None:
                self._upload_id = _s3().create_multipart_upload(**self._place)["UploadId"]
            part = _s3().upload_part(
                **self._place, UploadId=self._upload_id, PartNumber=number, Body=bytes(self._buffer)
            )
        self._parts.append({"ETag": part["ETag"], "PartNumber": number})
        self._buffer.clear()


def read_item(key: str, start: int, length: int) -> dict[str, Any]:
    """The parameters of one item: a ranged read, whatever the size of the file."""
    with aws.unavailable_if_transient("S3"):
        answer = _s3().get_object(
            Bucket=config.read(RunSettings).runs_bucket,
            Key=key,
            Range=f"bytes={start}-{start + length - 1}",
        )
        parameters: dict[str, Any] = msgspec.json.decode(answer["Body"].read())
    return parameters


def digest(key: str) -> str:
    """SHA-256 of a file; empty where it is not kept any more."""
    found = hashlib.sha256()
    with aws.unavailable_if_transient("S3"):
        try:
            for part in (
                _s3()
                .get_object(Bucket=config.read(RunSettings).runs_bucket, Key=key)["Body"]
                .iter_chunks(PART_BYTES)
            ):
                found.update(part)
        except ClientError as error:
            # The second is what S3 says of a file that is gone to a role that may not list the bucket.
            if aws.code_of(error) not in {"NoSuchKey", "AccessDenied"}:
                raise
            return ""
    return found.hexdigest()


def read_references(key: str) -> Iterator[Reference]:
    """All references of a run, in the order of their indexes."""
    with aws.unavailable_if_transient("S3"):
        for line in (
            _s3()
            .get_object(Bucket=config.read(RunSettings).runs_bucket, Key=key)["Body"]
            .iter_lines()
        ):
            yield msgspec.json.decode(line, type=Reference)


def _s3() -> Any:  # noqa: ANN401 - botocore's clients are made at run time
    return aws.client("s3")
