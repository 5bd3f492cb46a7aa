"""Small objects in the stack's bucket (S3), by their key."""

from collections.abc import Sequence
from typing import Any

import msgspec
from botocore.exceptions import ClientError

from functions.core import config
from functions.core.aws import clients
from functions.core.errors import Unavailable


@config.settings()
class BucketSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The stack's bucket; read from the environment."""

    runs_bucket: str


def read(key: str) -> bytes | None:
    """An object's content; null when there is none. Raises `Unavailable`."""
    with clients.unavailable_if_transient("S3"):
        try:
            return bytes(_client().get_object(**_place(key))["Body"].read())
        except ClientError as error:
            if clients.code_of(error) != "NoSuchKey":
                raise
            return None


def write(key: str, content: bytes) -> None:
    """Writes an object. Raises `Unavailable`."""
    with clients.unavailable_if_transient("S3"):
        _client().put_object(**_place(key), Body=content)


def delete(keys: Sequence[str]) -> None:
    """Deletes up to 1,000 objects, also those that are not there. Raises `Unavailable`."""
    objects = {"Objects": [{"Key": key} for key in keys], "Quiet": True}
    with clients.unavailable_if_transient("S3"):
        failed = (
            _client()
            .delete_objects(Bucket=config.read(BucketSettings).runs_bucket, Delete=objects)
            .get("Errors")
        )
    if failed:
        raise Unavailable("S3 did not delete all that it should.")


def _place(key: str) -> dict[str, str]:
    return {"Bucket": config.read(BucketSettings).runs_bucket, "Key": key}


def _client() -> Any:  # noqa: ANN401 - botocore's clients are made at run time
    return clients.client("s3")
