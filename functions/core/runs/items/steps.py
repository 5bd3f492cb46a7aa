"""Records of steps: one per step of an item, so that another call does not repeat what was done.

They belong to the item's first run, so that a retry, which is another run, finds them.
"""

from threading import Lock
from typing import Any, Literal

import msgspec

from functions.core import clock
from functions.core.aws import dynamodb
from functions.core.http.problems import Problem
from functions.core.runs.items.outcomes import OUTCOMES_KEPT_SECONDS, Outcome

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
        self._reading = Lock()
        self._known: dict[str, Step] | None = None
        self._kept_until: dict[str, int] = {}

    def all(self) -> dict[str, Step]:
        """Steps by name, in their order. Asks DynamoDB once."""
        with self._reading:
            if self._known is None:
                self._known = self._read()
        return self._known

    def _read(self) -> dict[str, Step]:
        steps: dict[str, Step] = {}
        with dynamodb.unavailable_if_transient():
            for each in Outcome.query(self._key, consistent_read=True):
                step = msgspec.json.decode(each.step, type=Step)
                steps[step.name] = step
                self._kept_until[step.name] = int(each.delete_at)
        return steps

    def keep(self, step: Step) -> None:
        """Writes a step. 1 DynamoDB request, and one for each step that a long wait prolongs."""
        known, moment = self.all(), max(clock.now(), step.until or 0)
        if step.status == "waiting":
            self._prolong(moment + _LEAST_KEPT_SECONDS)
        kept_until = max(self._delete_at, int(moment + _KEPT_SECONDS))
        with dynamodb.unavailable_if_transient():
            Outcome(
                self._key,
                step.order,
                step=msgspec.json.encode(step).decode(),
                delete_at=kept_until,
            ).save()
        known[step.name], self._kept_until[step.name] = step, kept_until

    def _prolong(self, moment: float) -> None:
        """Keeps the other steps until a wait is over: without one, it would be done again."""
        kept_until = int(moment + _KEPT_SECONDS)
        for name, step in list(self.all().items()):
            if self._kept_until.get(name, 0) < moment:
                longer = [Outcome.delete_at.set(kept_until)]
                Outcome.update_if(self._key, longer, Outcome.step.exists(), range_key=step.order)
                self._kept_until[name] = kept_until


_LEAST_KEPT_SECONDS = OUTCOMES_KEPT_SECONDS
"""Time after the end of a wait, in which the run may be retried."""
_KEPT_SECONDS = 2 * _LEAST_KEPT_SECONDS
"""Time after a step, or after its wait. Most waits are shorter than the difference, so that they
prolong nothing.
"""
