"""A run, as clients see it: read from Step Functions, which counts, and cancelled there."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Literal

import msgspec

RunStatus = Literal["running", "succeeded", "failed", "cancelled"]


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """One background execution of a workflow. The counts always add up to `total`."""

    run_id: str
    workflow: str
    status: RunStatus
    total: int
    pending: int
    running: int
    succeeded: int
    failed: int
    started_at: datetime
    finished_at: datetime | None = None
    result: Any = None
    """Of a run over one item; null for others, whose results are in their outcomes."""
    problem: Any = None
    """As `result`; a run of many that failed as a whole has one too."""


def workflow_of(run_id: str) -> str:
    """The workflow that a run's id names: for scopes, before anything is read. Raises `NotFound` when it is no run's id."""
    raise NotImplementedError


def describe(run_id: str) -> Run:
    """The run as it is now. Raises `NotFound`; `Unavailable`."""
    raise NotImplementedError


def cancel(run_id: str) -> Run:
    """Cancels: what has not started never starts. Idempotent; a run that has ended stays as it is.

    Raises:
        NotFound, Unavailable
    """
    raise NotImplementedError


def list_runs(*, limit: int = 50, cursor: str | None = None) -> tuple[list[str], str | None]:
    """Ids of runs, newest first, and the cursor of the next page (null at the end)."""
    raise NotImplementedError


def failed_indexes(run_id: str) -> Iterator[int]:
    """Indexes of the items that failed so far, ascending."""
    raise NotImplementedError
