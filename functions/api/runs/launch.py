"""Starts the run of a request, with the request's own items or those of an upload, or checks it."""

from collections.abc import Iterator
from contextlib import closing
from typing import Any

from functions.api.runs import validation
from functions.api.runs.lists import read_items
from functions.api.runs.requests import StartRun
from functions.api.runs.validation import ListCheck
from functions.core.auth.caller import Caller
from functions.core.definition.names import workflow_names
from functions.core.errors import FieldError, InvalidParameters, UnreadableItems
from functions.core.runs.execution import exists, new_run_id, workflow_of
from functions.core.runs.files import ListedItem
from functions.core.runs.run import Run
from functions.core.runs.start import start
from functions.core.runs.uploads import Upload, used


def launch(request: StartRun, caller: Caller, seed: str | None = None) -> Run:
    """Validates the request, then starts the run.

    Args:
        request: the run to start.
        caller: owner of the run.
        seed: seed of the run's id, so that a repeated request gets the same run.

    Raises:
        InvalidParameters, NotPermitted, NotFound, Conflict, Unavailable
    """
    upload = _upload(request, caller)
    if upload:
        return _launch_upload(request, upload, caller, seed)
    items = request.items or []
    validation.validate(request, items)
    run_id = new_run_id(request.workflow, seed)
    return start(
        request.workflow, items, token_id=caller.token_id, run_id=run_id, **_options(request)
    )


def check(request: StartRun, caller: Caller) -> ListCheck:
    """Validates the request as `launch` would, and starts nothing. An upload stays as it is.

    Raises:
        InvalidParameters, NotPermitted, NotFound, Conflict, Unavailable
    """
    upload = _upload(request, caller)
    if not upload:
        return validation.dry_run(request, iter(request.items or []))
    kind = upload.format
    _run_id(request, upload, None)  # refuses an upload that a run has used
    with closing(upload.open()) as stream:
        return validation.dry_run(request, read_items(stream, kind), lenient=kind == "csv")


def _upload(request: StartRun, caller: Caller) -> Upload | None:
    """The upload that has the items; null if they are in the request.

    Raises:
        InvalidParameters, NotPermitted
    """
    if request.workflow not in workflow_names():
        raise InvalidParameters(FieldError("/workflow", validation.NOT_A_BACKGROUND_WORKFLOW))
    caller.require(f"workflow:{request.workflow}")
    if request.upload_id is not None and request.items is not None:
        raise InvalidParameters(FieldError("/upload_id", "cannot be combined with items"))
    if request.upload_id is None and not request.items:
        raise InvalidParameters(
            FieldError("/items", "must not be empty; send items, or an upload_id instead")
        )
    return Upload(caller.token_id, request.upload_id) if request.upload_id is not None else None


def _launch_upload(request: StartRun, upload: Upload, caller: Caller, seed: str | None) -> Run:
    """Starts a run with the items of an upload.

    The first items are validated before; each item is when it runs. The whole list is read first,
    so an unreadable list starts nothing.
    """
    kind, run_id = upload.format, _run_id(request, upload, seed)
    lenient = kind == "csv"
    claim = _UploadClaim(upload, run_id)
    try:
        with closing(upload.open()) as stream:
            items = validation.validate_first(request, read_items(stream, kind), lenient=lenient)
            run = start(
                request.workflow,
                claim.after(items),
                token_id=caller.token_id,
                lenient=lenient,
                run_id=run_id,
                **_options(request),
            )
    except UnreadableItems:
        upload.delete()
        raise
    except InvalidParameters:
        claim.release()
        raise
    upload.delete()
    return run


def _run_id(request: StartRun, upload: Upload, seed: str | None) -> str:
    """Id of the run to start: that of an earlier start that failed after its claim, or a new one.

    Raises `Conflict` if another run used the upload.
    """
    taken_by = upload.taken_by()
    if taken_by and (workflow_of(taken_by) != request.workflow or exists(taken_by)):
        raise used(taken_by)
    return taken_by or new_run_id(request.workflow, seed)


class _UploadClaim:
    """Claim of a run on an upload, made once the last item is read.

    By then the list is known to be readable, and nothing runs yet.
    """

    def __init__(self, upload: Upload, run_id: str) -> None:
        self._upload, self._run_id, self._made = upload, run_id, False

    def after(self, items: Iterator[ListedItem]) -> Iterator[ListedItem]:
        """Yields the items, then claims. Raises `Conflict` if another run claimed it first."""
        yield from items
        self._upload.claim(self._run_id)
        self._made = True

    def release(self) -> None:
        """Frees the upload for another try with other parameters."""
        if self._made:
            self._upload.release()


def _options(request: StartRun) -> dict[str, Any]:
    return {
        "started_by": "api",
        "parameters": request.parameters,
        "interval_seconds": request.interval_seconds,
        "max_concurrency": request.max_concurrency,
    }
