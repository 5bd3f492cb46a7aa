"""Attempts at items: the rules by which an item is done once."""

import secrets
from datetime import datetime

import msgspec
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action

from functions.core import clock
from functions.core.aws.transactions import repeat, transaction
from functions.core.errors import Unavailable
from functions.core.http.problems import Problem
from functions.core.runs.items.outcomes import (
    OUTCOMES_KEPT_SECONDS,
    Outcome,
    as_json,
    counter,
    now_text,
)

LEASE_SECONDS = 12
"""Time after which an attempt without a renewal counts as dead. It renews three times as often."""


class Busy(Unavailable):
    """Another delivery of the same item is working on it."""


class Attempt(msgspec.Struct, frozen=True):
    """The right to run an item, until its lease ends."""

    run_id: str
    index: int
    attempt_id: str
    number: int = 1
    """Attempts at the item so far, with this one."""
    parked: bool = False
    """Whether the item has waited before, and S3 keeps its parameters."""
    began: float = 0
    """Start of the item's first attempt in this run, seconds since the epoch."""
    delete_at: int = 0
    """Time at which the outcome expires, seconds since the epoch."""
    waits: int = 0
    """Times that the item has been suspended before."""

    def renew(self) -> None:
        """Renews the lease."""
        self._write(Outcome.lease_until.set(clock.now() + LEASE_SECONDS))

    def succeed(self, result: str) -> str:
        """Records the result, a JSON text; returns the item's status."""
        ended = [Outcome.status.set("succeeded"), Outcome.result.set(result)]
        return self._write(
            *ended,
            Outcome.finished_at.set(now_text()),
            Outcome.problem.remove(),
            Outcome.next_attempt_by.remove(),
            Outcome.failed.remove(),
        )

    def fail(self, problem: Problem) -> str:
        """Records a permanent failure; returns the item's status."""
        ended = [Outcome.status.set("failed"), Outcome.failed.set(self.index)]
        return self._write(
            *ended,
            Outcome.finished_at.set(now_text()),
            Outcome.next_attempt_by.remove(),
            Outcome.problem.set(as_json(problem)),
        )

    def give_up(self, problem: Problem, next_by: float | None = None) -> None:
        """Leaves the item to another try; the problem stays in case there is none.

        `next_by`: latest time of that try, seconds since the epoch.
        """
        later = [Outcome.next_attempt_by.set(now_text(next_by))] if next_by else []
        self._write(Outcome.lease_until.set(0), Outcome.problem.set(as_json(problem)), *later)

    def park(self, until: str, waiting_for: str | None, delete_at: int) -> None:
        """Leaves the item to a call later, which is a new first attempt."""
        awaited = (
            Outcome.waiting_for.set(waiting_for) if waiting_for else Outcome.waiting_for.remove()
        )
        self._write(
            Outcome.status.set("waiting"),
            Outcome.attempts.set(0),
            Outcome.lease_until.set(0),
            Outcome.problem.remove(),
            Outcome.waiting_until.set(until),
            Outcome.parked.set(True),
            Outcome.waits.set(self.waits + 1),
            Outcome.delete_at.set(max(self.delete_at, delete_at)),
            awaited,
        )

    def skip(self, problem: Problem) -> str:
        """Records that the item does not run, and counts it; returns the item's status."""

        def write(_: int) -> None:
            with transaction() as made:
                made.update(
                    Outcome(self.run_id, self.index),
                    [
                        Outcome.status.set("skipped"),
                        Outcome.finished_at.set(now_text()),
                        Outcome.problem.set(as_json(problem)),
                        Outcome.next_attempt_by.remove(),
                    ],
                    condition=Outcome.attempt_id == self.attempt_id,
                )
                made.update(
                    counter(self.run_id, self.index),
                    # Where items have left, too, the counter is kept for longer.
                    [
                        Outcome.skipped.add(1),
                        Outcome.delete_at.set(Outcome.delete_at | self.delete_at),
                    ],
                )

        repeat(write)
        return "skipped"

    def _write(self, *actions: Action) -> str:
        """Writes, unless another attempt has taken over."""
        mine: Condition = Outcome.attempt_id == self.attempt_id
        _, stored = Outcome.update_if(self.run_id, actions, mine, range_key=self.index)
        return str(stored.status) if stored else "failed"


def claim(run_id: str, index: int, delete_at: int, *, parked: bool = False) -> Attempt | str:
    """Begins an attempt at an item; returns the status of an ended item instead. 1 DynamoDB
    request.

    Args:
        run_id: of the run.
        index: of the item.
        delete_at: time at which the outcome expires, seconds since the epoch.
        parked: whether only the copy of its parameters is left, from when it waited.

    Raises:
        Busy: another attempt has a lease that has not ended.
        Unavailable
    """
    now, attempt_id = clock.now(), secrets.token_hex(8)
    actions = [
        Outcome.status.set("running"),
        Outcome.attempts.add(1),
        Outcome.attempt_id.set(attempt_id),
        Outcome.lease_until.set(now + LEASE_SECONDS),
        Outcome.started_at.set(Outcome.started_at | now_text()),
        # A wait of months may have outlasted the time that the run began with.
        Outcome.delete_at.set(max(delete_at, int(now) + OUTCOMES_KEPT_SECONDS)),
    ]
    actions += [Outcome.parked.set(True)] if parked else []
    free = (
        Outcome.status.does_not_exist()
        | (Outcome.status == "waiting")
        | ((Outcome.status == "running") & (Outcome.lease_until < now))
    )
    claimed, stored = Outcome.update_if(run_id, actions, free, range_key=index)
    # The SDK may repeat a write whose answer was lost, and then finds the lease of the first.
    if stored and (claimed or stored.attempt_id == attempt_id):
        number, parked = int(stored.attempts), bool(stored.parked)
        began = datetime.fromisoformat(str(stored.started_at)).timestamp()
        waits = int(stored.waits or 0)
        return Attempt(run_id, index, attempt_id, number, parked, began, delete_at, waits)
    if stored and stored.done:
        return str(stored.status)
    raise Busy("Another delivery of this item is working on it.", retry_after=LEASE_SECONDS)
