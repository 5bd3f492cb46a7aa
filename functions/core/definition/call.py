"""Calls: who calls a workflow, how, and what is recorded of the call."""

from collections.abc import Callable
from contextvars import ContextVar
from typing import TYPE_CHECKING, Literal

import msgspec

from functions.core.auth.caller import Caller

if TYPE_CHECKING:
    from functions.core.runs.items.steps import Steps
    from functions.core.runs.lineage import Lineage

Trigger = Literal["http", "direct", "schedule", "run"]


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """One call of a workflow.

    `caller` is null where IAM authorizes (direct invocations, schedules, runs) and for public
    workflows.
    """

    request_id: str
    trigger: Trigger
    caller: Caller | None = None
    client_ip: str | None = None
    domain: str | None = None
    """Domain name that the request was sent to."""
    idempotency_key: str | None = None
    """The request's `Idempotency-Key`, of a workflow with `idempotency="passed"`. Null elsewhere.

    Other tokens may use the same key.
    """
    item_id: str | None = None
    """Id of a run's item: the same at every delivery and every retry, also in a later run.

    Null elsewhere.
    """
    run_token_id: str | None = None
    """Id of the token that asked for the run. Null elsewhere."""
    started_by: str | None = None
    """The code that started the run, for a run's item (`Execution.started_by`). No client can
    choose it.

    Null elsewhere, and where it is unknown: the platform's own rights are then refused.
    """
    below: "Lineage | None" = None
    """Lineage of what the call starts and calls. Null where no workflow is above it."""
    steps: "Steps | None" = None
    """Recorded steps of a run's item."""

    @property
    def publishable(self) -> bool:
        """Whether a browser or an app calls, whose word cannot be trusted."""
        return self.caller is not None and self.caller.kind == "publishable"

    @property
    def recorded(self) -> bool:
        """Whether steps are recorded, so that another try does not repeat them: in a run."""
        return self.steps is not None

    def once(self, step: str, do: Callable[[], str]) -> str:
        """Does a step of a run's item once; returns its recorded value on every later try, also in
        a later run.

        Args:
            step: name, the same at each try.
            do: does it. An error is not recorded. If the process dies before the record is written,
                the step is done again.
        """
        known = self.recall(step)
        if known is not None:
            return known
        value = do()
        if self.steps:
            self.steps.record(step, value)
        return value

    def recall(self, step: str) -> str | None:
        """The value of a step that an earlier try has done; null where none has."""
        return self.steps.recall(step) if self.steps else None


class CallInProgress(msgspec.Struct):
    """The call under way, and the workflows that it may use (workflow/other_workflows.py)."""

    call: Call
    workflow: str
    """Name of the workflow that answers it."""
    calls: frozenset[str]
    starts: frozenset[str]
    started: int = 0
    """Runs that it has started so far."""
    scheduled: int = 0
    """Schedules that it has made or moved so far."""


in_progress: ContextVar[CallInProgress] = ContextVar("in_progress")
"""Set by the platform around a workflow's function."""
