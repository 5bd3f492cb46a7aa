"""Starts the run that a request asks for: over the items in it, or over those of an upload."""

from collections.abc import Iterator
from contextlib import closing
from typing import Any

from functions.api.runs import validation
from functions.api.runs.lists import read_items
from functions.api.runs.requests import StartRun
from functions.core.auth.caller import Caller
from functions.core.definition.names import workflow_names
from functions.core.errors import FieldError, InvalidParameters, UnreadableItems
from functions.core.runs.execution import exists, new_run_id, workflow_of
from functions.core.runs.run import Run
from functions.core.runs.start import start
from functions.core.runs.uploads import Upload, used


def launch(asked: StartRun, caller: Caller, seed: str | None = None) -> Run:
    """Starts it, once everything that can be known to be wrong with it is known not to be.

    Args:
        asked: what to start.
        caller: whose run it is.
        seed: what the run's id follows from, where a repetition must be the same run.

    Raises:
        InvalidParameters, NotPermitted, NotFound, Conflict, Unavailable
    """
    if asked.workflow not in workflow_names():
        raise InvalidParameters(FieldError("/workflow", validation.NO_WORKFLOW))
    caller.require(f"workflow:{asked.workflow}")
    if asked.upload_id is not None and asked.items is not None:
        raise InvalidParameters(FieldError("/upload_id", "cannot be given together with items"))
    if asked.upload_id is not None:
        return _launch_upload(asked, Upload(caller.token_id, asked.upload_id), caller, seed)
    if not asked.items:
        raise InvalidParameters(
            FieldError("/items", "must not be empty; or there must be an upload_id")
        )
    validation.validate(asked.workflow, asked.items, asked.parameters)
    run_id = new_run_id(asked.workflow, seed)
    return start(
        asked.workflow, asked.items, token_id=caller.token_id, run_id=run_id, **_options(asked)
    )


def _launch_upload(asked: StartRun, upload: Upload, caller: Caller, seed: str | None) -> Run:
    """Items of an upload are validated when they run. As all of it is read first, a list that is wrong starts nothing."""
    validation.validate(asked.workflow, [], {})
    kind, run_id = upload.format, _run_id(asked, upload, seed)
    claimed = _Claimed(upload, run_id)
    try:
        with closing(upload.open()) as stream:
            run = start(
                asked.workflow,
                claimed.after(read_items(stream, kind)),
                token_id=caller.token_id,
                lenient=kind == "csv",
                run_id=run_id,
                **_options(asked),
            )
    except UnreadableItems:
        upload.delete()
        raise
    except InvalidParameters:
        claimed.release()
        raise
    upload.delete()
    return run


def _run_id(asked: StartRun, upload: Upload, seed: str | None) -> str:
    """Of the run to start: that which claimed the upload, where its start failed after that. Raises `Conflict`."""
    taken_by = upload.taken_by()
    if taken_by and (workflow_of(taken_by) != asked.workflow or exists(taken_by)):
        raise used(taken_by)
    return taken_by or new_run_id(asked.workflow, seed)


class _Claimed:
    """An upload that a run takes as its last item is read: then it is known to be readable, and nothing runs yet."""

    def __init__(self, upload: Upload, run_id: str) -> None:
        self._upload, self._run_id, self._is = upload, run_id, False

    def after(self, items: Iterator[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        """The items. Raises `Conflict` at their end when another run was quicker."""
        yield from items
        self._upload.claim(self._run_id)
        self._is = True

    def release(self) -> None:
        """For another try, with other parameters."""
        if self._is:
            self._upload.release()


def _options(asked: StartRun) -> dict[str, Any]:
    return {
        "started_by": "api",
        "parameters": asked.parameters,
        "interval_seconds": asked.interval_seconds,
        "max_concurrency": asked.max_concurrency,
    }
