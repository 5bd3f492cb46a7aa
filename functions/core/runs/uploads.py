"""Uploads of lists that are too long for a request: a form with which a client sends one to S3, and its one use by a run."""

import re
import secrets
from datetime import datetime
from typing import Annotated, BinaryIO, Literal, NamedTuple, cast, get_args

import msgspec
from msgspec import Meta

from functions.core import config
from functions.core.aws import s3
from functions.core.clock import utc
from functions.core.errors import Conflict, NotFound, Unavailable
from functions.core.observability import logger

Format = Literal["json", "jsonl", "csv"]

FORM_SECONDS = 15 * 60
_UPLOAD_ID = re.compile(rf"[0-9a-f]{{32}}\.({'|'.join(get_args(Format))})")


@config.settings()
class UploadSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Where uploads go, and how large one may be; read from the environment."""

    runs_bucket: str
    max_upload_bytes: Annotated[int, Meta(ge=1, le=100_000_000)] = 100_000_000


class UploadForm(msgspec.Struct, frozen=True, kw_only=True):
    """What a client posts a file with (multipart/form-data): the fields first, then the file as `file`."""

    upload_id: str
    url: str
    fields: dict[str, str]
    max_bytes: int
    expires_at: datetime


def new_form(kind: Format, token_id: str, now: float) -> UploadForm:
    """A form for one file, which only this token can start a run from. `now` is in seconds since the epoch."""
    upload_id = f"{secrets.token_hex(16)}.{kind}"
    largest = config.read(UploadSettings).max_upload_bytes
    form = s3.upload_form(_key(token_id, upload_id), max_bytes=largest, valid_seconds=FORM_SECONDS)
    return UploadForm(
        upload_id=upload_id, **form, max_bytes=largest, expires_at=utc(now + FORM_SECONDS)
    )


class Upload(NamedTuple):
    """A file that a token has uploaded, or may have."""

    token_id: str
    upload_id: str

    @property
    def format(self) -> Format:
        """Raises `NotFound` when no form has such an id."""
        found = _UPLOAD_ID.fullmatch(self.upload_id)
        if not found:
            raise _not_found()
        return cast("Format", found[1])

    def open(self) -> BinaryIO:
        """The file as it is now: whatever is uploaded under the same form later is not in the stream.

        Raises:
            NotFound: nothing was uploaded, or by another token.
            Unavailable
        """
        stream = s3.open_stream(_key(*self))
        if stream is None:
            raise _not_found()
        return stream

    def taken_by(self) -> str | None:
        """The run that claimed it, whether or not that was started then."""
        content = s3.read(self._marker)
        return content.decode() if content else None

    def claim(self, run_id: str) -> None:
        """Takes the upload for a run. Of any number of parallel claims one succeeds; the others raise `Conflict`."""
        try:
            claimed = s3.write_once(self._marker, run_id.encode())
        except s3.AnotherWrite as error:
            sentence = "Another run is being started from this upload."
            raise Unavailable(sentence, retry_after=1) from error
        # The SDK may repeat a write whose answer was lost, and find what the first one wrote.
        if not claimed and (used_by := self.taken_by()) != run_id:
            raise used(used_by or "")

    def release(self) -> None:
        """Takes a claim back whose run has not started."""
        _delete(self._marker)

    def delete(self) -> None:
        """Deletes the file; what says that it was used stays."""
        _delete(_key(*self))

    @property
    def _marker(self) -> str:
        return f"{_key(*self)}.run"


def _key(token_id: str, upload_id: str) -> str:
    return f"uploads/{token_id}/{upload_id}"


def _delete(key: str) -> None:
    """Or leaves it to the bucket's lifecycle: by now the answer does not depend on it."""
    try:
        s3.delete(key)
    except Unavailable:
        logger.warning("upload not deleted", exc_info=True)


def _not_found() -> NotFound:
    return NotFound("This token has no upload of that id, or nothing was uploaded to it.")


def used(run_id: str) -> Conflict:
    """The error for an upload that a run was started from."""
    return Conflict(
        f"The run {run_id} was started from this upload; make a new one for another run."
    )
