"""Uploads of long lists: a form for a client's upload to S3, and its one use by a run."""

import re
import secrets
from datetime import datetime
from typing import BinaryIO, Literal, NamedTuple, cast, get_args

import msgspec

from functions.core.aws import s3
from functions.core.clock import utc
from functions.core.errors import Conflict, NotFound, Unavailable
from functions.core.observability import logger

Format = Literal["json", "jsonl", "csv"]

FORM_SECONDS = 15 * 60
MAX_UPLOAD_BYTES = 100_000_000
"""A larger list could not be read within a request."""
_UPLOAD_ID = re.compile(rf"[0-9a-f]{{32}}\.({'|'.join(get_args(Format))})")


class UploadForm(msgspec.Struct, frozen=True, kw_only=True):
    """A form for an upload (multipart/form-data): the fields first, then the file as `file`."""

    upload_id: str
    """Id of the upload, for `POST /runs`."""
    url: str
    """URL to POST the form to."""
    fields: dict[str, str]
    """Fields of the form, to send unchanged."""
    max_bytes: int
    """Largest size of the file."""
    expires_at: datetime
    """Time until which the form is accepted."""


def new_form(kind: Format, token_id: str, now: float) -> UploadForm:
    """A form for one file. Only this token can start a run from it.

    `now`: seconds since the epoch.
    """
    upload_id = f"{secrets.token_hex(16)}.{kind}"
    form = s3.upload_form(
        _key(token_id, upload_id), max_bytes=MAX_UPLOAD_BYTES, valid_seconds=FORM_SECONDS
    )
    return UploadForm(
        upload_id=upload_id, **form, max_bytes=MAX_UPLOAD_BYTES, expires_at=utc(now + FORM_SECONDS)
    )


class Upload(NamedTuple):
    """A token's upload, which may not have arrived."""

    token_id: str
    upload_id: str

    @property
    def format(self) -> Format:
        """Format of the file. Raises `NotFound` for an id that no form has."""
        found = _UPLOAD_ID.fullmatch(self.upload_id)
        if not found:
            raise _not_found()
        return cast("Format", found[1])

    def open(self) -> BinaryIO:
        """The file in its present version; later uploads with the same form do not change the
        stream.

        Raises:
            NotFound: nothing was uploaded, or by another token.
            Unavailable
        """
        stream = s3.open_stream(_key(*self))
        if stream is None:
            raise _not_found()
        return stream

    def taken_by(self) -> str | None:
        """Id of the run that claimed the upload, started or not."""
        content = s3.read(self._marker)
        return content.decode() if content else None

    def claim(self, run_id: str) -> None:
        """Claims the upload for a run.

        One of any parallel claims succeeds; others raise `Conflict`.
        """
        try:
            claimed = s3.write_once(self._marker, run_id.encode())
        except s3.AnotherWrite as error:
            sentence = "Another run is being started from this upload."
            raise Unavailable(sentence, retry_after=1) from error
        # The SDK may repeat a write whose answer was lost, and find what the first one wrote.
        if not claimed and (used_by := self.taken_by()) != run_id:
            raise used(used_by or "")

    def release(self) -> None:
        """Releases the claim of a run that did not start."""
        _delete(self._marker)

    def delete(self) -> None:
        """Deletes the file; the record of its use stays."""
        _delete(_key(*self))

    @property
    def _marker(self) -> str:
        return f"{_key(*self)}.run"


def _key(token_id: str, upload_id: str) -> str:
    return f"uploads/{token_id}/{upload_id}"


def _delete(key: str) -> None:
    """Deletes an object, or leaves it to the bucket's lifecycle: no answer depends on it."""
    try:
        s3.delete(key)
    except Unavailable:
        logger.warning("upload not deleted", exc_info=True)


def _not_found() -> NotFound:
    return NotFound("This token has no upload of that id, or nothing was uploaded to it.")


def used(run_id: str) -> Conflict:
    """The error for an upload that a run has used."""
    return Conflict(
        f"The run {run_id} was started from this upload; make a new one for another run."
    )
