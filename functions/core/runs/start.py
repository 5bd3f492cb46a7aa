"""Starts runs: the items go to S3 as they are read, then one execution of the state machine gets references to them."""

from collections.abc import Iterable, Mapping
from typing import Any

from functions.core.runs.run import Run

DEFAULT_CONCURRENCY = 20
"""So that lists do not starve sign-ins of Lambda's concurrency."""


def start(
    workflow: str,
    items: Iterable[Mapping[str, Any]],
    *,
    token_id: str | None,
    parameters: Mapping[str, Any] | None = None,
    interval_seconds: int = 0,
    max_concurrency: int = DEFAULT_CONCURRENCY,
    run_id: str | None = None,
) -> Run:
    """Starts a run over the items; returns it as it starts. The items are read once and not kept in memory.

    Args:
        workflow: name of a workflow of this stack.
        items: parameters of one call each. What the iterator raises ends the start; nothing runs then.
        token_id: of the token that asked for it; null where none did.
        parameters: common to all items, for what an item does not say itself (absent, null or "").
        interval_seconds: if not 0, the items run one after the other with this wait between them.
        max_concurrency: items that run at once, 1 to 1000.
        run_id: from `new_run_id`, where a repeated start must be the same run; otherwise a new one.

    Raises:
        InvalidParameters: no items, too many, or a paced run that would outlast its items; whatever `items` raises.
        Unavailable
    """
    raise NotImplementedError


def retry(run_id: str, *, token_id: str | None, new_run_id: str | None = None) -> Run:
    """Starts a run over the items of a run that failed, which keep their indexes and stable ids.

    Raises:
        NotFound: there is no such run.
        Conflict: it has not ended, nothing of it failed, or its items are no longer kept (7 days).
        Unavailable
    """
    raise NotImplementedError


def new_run_id(workflow: str, seed: str | None = None) -> str:
    """An id for a run: random, or always the same for the same seed (an idempotency key, a schedule and its time)."""
    raise NotImplementedError
