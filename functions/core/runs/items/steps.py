"""Records of steps: one per step of an item, so that another call does not repeat what was done.

They belong to the item's first run, so that a retry, which is another run, finds them.
"""

from typing import Any, Literal

import msgspec

from functions.core.aws import dynamodb
from functions.core.http.problems import Problem
from functions.core.runs.items.outcomes import Outcome

StepKind = Literal["step", "sleep", "wait_for", "run"]
StepStatus = Literal["running", "waiting", "succeeded", "failed"]


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """A step of an item, as it is kept."""

    name: str
    kind: StepKind
    order: int
    """Place among the item's steps, from 0."""
    status: StepStatus
    run_id: str
    """Run of the last attempt."""
    attempts: int = 0
    started_at: float
    """Seconds since the epoch, as all times here."""
    finished_at: float | None = None
    until: float | None = None
    """End of a sleep or of a wait, or time of the next attempt."""
    since: float | None = None
    """Time from which an event counts."""
    addresses: tuple[str, ...] = ()
    """Places where an event that is awaited may come in (event_box.py)."""
    result: Any = None
    problem: Problem | None = None
    """Problem of the last attempt that failed."""


class StepRecords:
    """The steps of one item."""

    def __init__(self, origin_run_id: str, index: int, delete_at: int) -> None:
        """Takes the values of the item's delivery."""
        self._key = f"{origin_run_id}/{index}"
        self._delete_at = delete_at
        self._known: dict[str, Step] | None = None

    def all(self) -> dict[str, Step]:
        """Steps by name, in their order. Asks DynamoDB once."""
        if self._known is None:
            with dynamodb.unavailable_if_transient():
                found = Outcome.query(self._key, consistent_read=True)
                steps = [msgspec.json.decode(each.step, type=Step) for each in found]
            self._known = {step.name: step for step in steps}
        return self._known

    def keep(self, step: Step) -> None:
        """Writes a step. 1 DynamoDB request."""
        kept_until = max(self._delete_at, int(step.until or 0) + _KEPT_SECONDS)
        with dynamodb.unavailable_if_transient():
            Outcome(
                self._key,
                step.order,
                step=msgspec.json.encode(step).decode(),
                delete_at=kept_until,
            ).save()
        self.all()[step.name] = step


_KEPT_SECONDS = 30 * 86_400
"""Time after the end of a wait."""
