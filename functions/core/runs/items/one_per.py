"""Locks of keys: items of a workflow with `one_per` that have the same key run one at a time."""

import hashlib

from pynamodb.expressions.condition import Condition

from functions.core import clock
from functions.core.clock import DAY_SECONDS
from functions.core.errors import Skipped
from functions.core.runs.cancellation import is_cancelled
from functions.core.runs.items.outcomes import Outcome, get

_PLACE = 0
"""Index of a lock, which is the only record of its name."""


class KeyLock:
    """The lock of one key of a workflow, for one item."""

    def __init__(
        self, workflow: str, name: str, value: object, *, item_id: str, run_id: str
    ) -> None:
        """Takes the parameter that is the key, its value, and the item that asks for it."""
        digest = hashlib.sha256(repr(value).encode()).hexdigest()
        self._key = f"one_per {workflow} {digest}"
        self._name = name
        self._item_id = item_id
        self._run_id = run_id

    def take(self, until: float) -> None:
        """Takes the lock for the item, or keeps it. 1 DynamoDB request; up to 4 if it is not free.

        Args:
            until: time at which the item has ended, seconds since the epoch.

        Raises:
            Skipped: another item of the key is under way.
            Unavailable
        """
        free = (
            Outcome.attempt_id.does_not_exist() | (Outcome.lease_until < clock.now()) | self._mine()
        )
        taken, holder = self._write(until, free)
        if not taken and holder and _gave_up(holder):
            left = (Outcome.attempt_id == holder.attempt_id) & (Outcome.step == holder.step)
            taken, _ = self._write(until, left)
        if not taken:
            raise Skipped(f"A run with the same {self._name} was under way.")

    def _write(self, until: float, condition: Condition) -> tuple[bool, Outcome | None]:
        actions = [
            Outcome.attempt_id.set(self._item_id),
            Outcome.step.set(self._run_id),
            Outcome.lease_until.set(until),
            Outcome.delete_at.set(int(until) + DAY_SECONDS),
        ]
        return Outcome.update_if(self._key, actions, condition, range_key=_PLACE)

    def free(self) -> None:
        """Frees the lock once the item has ended. 1 DynamoDB request."""
        actions = [Outcome.lease_until.set(0)]
        Outcome.update_if(self._key, actions, self._mine(), range_key=_PLACE)

    def _mine(self) -> Condition:
        mine: Condition = Outcome.attempt_id == self._item_id
        return mine


def _gave_up(holder: Outcome) -> bool:
    """Whether the item that holds a lock never goes on: it broke off, or waits and is cancelled."""
    if not holder.step:
        return False
    item = get(holder.step, int(holder.attempt_id.rpartition("/")[2]))
    if item and item.status == "running" and (item.lease_until or 0) > clock.now():
        return False
    return bool(item and item.done) or is_cancelled(holder.step)
