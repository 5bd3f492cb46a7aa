"""Objects in the stack's bucket (S3), by their key. All raise `AwsUnavailable` while S3 is."""

import hashlib
import io
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple, cast

import msgspec

from functions.core import aws, config
from functions.core.aws.clients import translated_errors
from functions.core.errors import Unavailable

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

PART_BYTES = 8_000_000
"""S3 takes parts from 5 MiB, and 10,000 of them."""


class Tagged(NamedTuple):
    """An object's content, and the ETag of exactly that content."""

    content: bytes
    etag: str


class AnotherWrite(Exception):
    """Another conditional write of the same object is under way."""


@config.settings()
class BucketSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The stack's bucket; read from the environment."""

    runs_bucket: str


def read(key: str) -> bytes | None:
    """An object's content; null when there is none."""
    stream = open_stream(key)
    return stream.read() if stream else None


def open_stream(key: str) -> BinaryIO | None:
    """An object's content as it is now, as a stream; null when there is none."""
    try:
        return _stream(key)
    except aws.AwsNotFound:
        return None


def read_range(key: str, start: int, length: int) -> bytes:
    """Part of an object's content, from byte `start`. Raises `AwsNotFound`."""
    return _stream(key, Range=f"bytes={start}-{start + length - 1}").read()


def size(key: str) -> int:
    """Bytes of an object. Raises `AwsNotFound`."""
    return int(_client().head_object(**_place(key))["ContentLength"])


def read_parts(key: str) -> Iterator[bytes]:
    """An object's content, at most PART_BYTES at a time. Raises `AwsNotFound`."""
    stream = _stream(key)
    while part := stream.read(PART_BYTES):
        yield part


def read_lines(key: str) -> Iterator[bytes]:
    """An object's lines. Raises `AwsNotFound`."""
    for line in io.BufferedReader(cast("io.RawIOBase", _stream(key))):
        yield line.rstrip(b"\n")


def write(key: str, content: bytes) -> None:
    """Writes an object."""
    _client().put_object(**_place(key), Body=content)


def write_once(key: str, content: bytes) -> bool:
    """Writes an object; false where there is one. Of any number of parallel writes one succeeds.

    The SDK may repeat a write whose answer was lost. It then finds its own object.

    Raises:
        AnotherWrite
    """
    try:
        _client().put_object(**_place(key), Body=content, IfNoneMatch="*")
    except aws.AwsAlreadyExists:
        return False
    except aws.AwsError as error:
        if error.code == "ConditionalRequestConflict":
            raise AnotherWrite from error
        raise
    return True


def read_tagged(key: str) -> Tagged | None:
    """An object's content with its ETag; null when there is none."""
    try:
        found = _client().get_object(**_place(key))
    except aws.AwsNotFound:
        return None
    return Tagged(_Stream(found["Body"]).read(), found["ETag"])


def write_unchanged(key: str, content: bytes, etag: str) -> bool:
    """Writes an object over the one that `read_tagged` found; false where that is another by now,
    or gone.

    Also false where the SDK has repeated a write whose answer was lost: read it again.
    """
    return _unchanged(
        lambda: _client().put_object(**_place(key), Body=content, IfMatch=etag),
    )


def delete_unchanged(key: str, etag: str) -> bool:
    """Deletes the object that `read_tagged` found; false where that is another by now, or gone."""
    return _unchanged(lambda: _client().delete_object(**_place(key), IfMatch=etag))


def list_keys(prefix: str, *, after: str = "", page: int = 1_000) -> Iterator[str]:
    """Keys with a prefix in the order of their bytes, from the one after `after`.

    `page`: keys of one request, at most 1,000.
    """
    where: dict[str, Any] = {"Bucket": config.read(BucketSettings).runs_bucket, "Prefix": prefix}
    where |= {"StartAfter": after} if after else {}
    while True:
        found = _client().list_objects_v2(**where, MaxKeys=page)
        yield from (str(each["Key"]) for each in found.get("Contents", ()))
        if not found.get("IsTruncated"):
            return
        where["ContinuationToken"] = found["NextContinuationToken"]


def _unchanged(ask: Callable[[], object]) -> bool:
    """False where the condition on the ETag does not hold (S3, "Conditional requests")."""
    try:
        ask()
    except (aws.AwsAlreadyExists, aws.AwsNotFound):
        return False
    except aws.AwsError as error:
        if error.code == "ConditionalRequestConflict":
            return False
        raise
    return True


def delete(key: str) -> None:
    """Deletes an object, if there is one."""
    _client().delete_object(**_place(key))


def delete_many(keys: Sequence[str]) -> None:
    """Deletes up to 1,000 objects, also those that are not there."""
    objects = {"Objects": [{"Key": key} for key in keys], "Quiet": True}
    answer = _client().delete_objects(
        Bucket=config.read(BucketSettings).runs_bucket, Delete=objects
    )
    if answer.get("Errors"):
        raise Unavailable("S3 did not delete all that it should.")


def upload_form(key: str, *, max_bytes: int, valid_seconds: int) -> dict[str, Any]:
    """`url` and `fields` of a form with which a client writes one object. Makes no request."""
    with translated_errors("S3"):
        return _client().generate_presigned_post(
            **_place(key),
            Conditions=[["content-length-range", 1, max_bytes]],
            ExpiresIn=valid_seconds,
        )


def download_url(key: str, *, filename: str, content_type: str, valid_seconds: int) -> str:
    """URL from which anyone may read one object, as a file of that name. Makes no request."""
    about = {
        "ResponseContentDisposition": f'attachment; filename="{filename}"',
        "ResponseContentType": content_type,
    }
    with translated_errors("S3"):
        url: str = _client().generate_presigned_url(  # type: ignore[assignment] # a text, unlike answers
            "get_object", Params=_place(key) | about, ExpiresIn=valid_seconds
        )
    return url


class ObjectWriter:
    """An object that is written as it is made. It exists once it is closed, and never before."""

    def __init__(self, key: str) -> None:
        self.key = key
        self._buffer = bytearray()
        self._upload_id: str | None = None
        self._parts: list[dict[str, Any]] = []
        self._hash = hashlib.sha256()

    @property
    def digest(self) -> str:
        """SHA-256 of what was written so far, hexadecimal."""
        return self._hash.hexdigest()

    def write(self, data: bytes) -> None:
        """Appends; uploads a part when there is enough for one."""
        self._buffer += data
        self._hash.update(data)
        if len(self._buffer) >= PART_BYTES:
            self._upload_part()

    def close(self) -> None:
        """Completes the object."""
        if self._upload_id is None:
            write(self.key, bytes(self._buffer))
            return
        if self._buffer:
            self._upload_part()
        _client().complete_multipart_upload(
            **_place(self.key),
            UploadId=self._upload_id,
            MultipartUpload={"Parts": self._parts},
        )

    def _upload_part(self) -> None:
        if self._upload_id is None:
            made = _client().create_multipart_upload(**_place(self.key))
            self._upload_id = str(made["UploadId"])
        number = len(self._parts) + 1
        part = _client().upload_part(
            **_place(self.key),
            UploadId=self._upload_id,
            PartNumber=number,
            Body=bytes(self._buffer),
        )
        self._parts.append({"ETag": part["ETag"], "PartNumber": number})
        self._buffer.clear()


class _Stream(io.RawIOBase):
    """An answer's body, whose errors are this project's too."""

    def __init__(self, body: BinaryIO) -> None:
        self._body = body

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer") -> int:
        with translated_errors("S3"):
            return cast("io.RawIOBase", self._body).readinto(buffer) or 0

    def readall(self) -> bytes:
        with translated_errors("S3"):
            return self._body.read()

    def close(self) -> None:
        self._body.close()
        super().close()


def prepare() -> None:
    """Makes the client before several threads would make one each."""
    _client()


def _stream(key: str, **options: str) -> BinaryIO:
    """Raises `AwsNotFound`."""
    body = _client().get_object(**_place(key), **options)["Body"]
    return cast("BinaryIO", _Stream(body))


def _place(key: str) -> dict[str, str]:
    return {"Bucket": config.read(BucketSettings).runs_bucket, "Key": key}


def _client() -> aws.Client:
    return aws.client("s3")
