"""Calls: who calls a workflow, how, and what is recorded of the call."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextvars import ContextVar
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import msgspec

from functions.core import clock
from functions.core.auth.caller import Caller
from functions.core.clock import utc

if TYPE_CHECKING:
    from functions.core.runs.items.work import Work
    from functions.core.runs.lineage import Lineage

T = TypeVar("T")
LONGEST_WAIT = timedelta(days=364)
"""Step Functions ends an execution after a year (Standard workflow quotas)."""
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
    work: "Work | None" = None
    """Recorded steps of a run's item."""

    @property
    def publishable(self) -> bool:
        """Whether a browser or an app calls, whose word cannot be trusted."""
        return self.caller is not None and self.caller.kind == "publishable"

    @property
    def recorded(self) -> bool:
        """Whether steps are recorded, so that another try does not repeat them: in a run."""
        return self.work is not None

    def is_done(self, name: str) -> bool:
        """Whether an earlier call of the item has done a step."""
        return self.work is not None and self.work.is_done(name)

    def step(  # noqa: PLR0913 - how it is tried again, by name
        self,
        name: str,
        do: Callable[[], T],
        *,
        retries: int = 5,
        first: float = 3,
        longest: float = 3600,
        pauses: Sequence[float] | None = None,
    ) -> T:
        """Does a step of a run's item once; returns its recorded result at every later call.

        Also in a retry of the run.

        Outside of runs it is just done. In a workflow with `long=True` a step that fails is tried
        again by itself: the item pauses, and no call waits. In others the item's own attempts
        repeat it.

        Args:
            name: identity of the step, its own within the item, and the same at each call.
            do: does it; its result is a JSON value, up to 200 KB, and comes back as JSON has it: a
                time is a text, a tuple a list. If the process dies before the result is
                recorded, the step is done again.
            retries: further attempts after a failure that another try may cure.
            first: seconds before the second attempt; doubled before each later one. A longer
                `Retry-After` of the error is kept to, up to a day.
            longest: most seconds between attempts.
            pauses: seconds before each further attempt, in place of the three above.

        A pause is up to a tenth longer, so that items that failed together do not come back
        together.

        Raises:
            StepFailed: the error cannot be cured, or the attempts are used up. `POST
                /runs/<run_id>/retry` goes on at this step.
        """
        if self.work is None:
            return do()
        if pauses is None:
            pauses = _doubling(retries, first, longest)
        return self.work.step(name, do, pauses=pauses)

    def sleep(
        self,
        name: str,
        *,
        seconds: float = 0,
        hours: float = 0,
        days: float = 0,
        until: datetime | None = None,
    ) -> None:
        """Suspends the item of a workflow with `long=True`, for up to a year.

        Args:
            name: identity, as of a step.
            seconds: length; with hours and days added up, from the first call that gets here.
            hours: as above.
            days: as above.
            until: time with a time zone, in place of a length.

        Raises:
            RuntimeError: it is no run of a workflow with `long=True`.
        """
        self._long().sleep(name, lambda: _end_of_wait(seconds, hours, days, until))

    def wait_for(  # noqa: PLR0913 - units of time, by name
        self,
        event: str,
        *,
        key: str | None = None,
        name: str | None = None,
        seconds: float = 0,
        hours: float = 0,
        days: float = 0,
        until: datetime | None = None,
    ) -> "Event | None":
        """Suspends the item until an event comes in; null if none has come in time.

        It comes by `POST /runs/<run_id>/events`, or for a key by `POST /events`. An event that was
        sent after the item began and before it waits counts, too. A later wait for the same event
        takes the next one.

        Args:
            event: type, such as `user.activated`.
            key: text that events name, such as a user's id.
            name: identity, as of a step; by default the event's type.
            seconds: longest wait, as of `sleep`.
            hours: as above.
            days: as above.
            until: as of `sleep`.

        Raises:
            RuntimeError: it is no run of a workflow with `long=True`.
        """
        came = self._long().wait_for(
            name or event, event, key, lambda: _end_of_wait(seconds, hours, days, until)
        )
        if came is None:
            return None
        return Event(type=came.type, data=came.data, received_at=utc(came.received_at))

    def run(
        self, workflow: str, items: Iterable[Mapping[str, Any]], *, name: str | None = None
    ) -> "RunEnded":
        """Starts a run of another workflow on a list, and suspends the item until it has ended.

        So branches go side by side. The run starts once, however often this is called.

        Args:
            workflow: its name, one of `starts`.
            items: parameters of one call each.
            name: identity, as of a step; by default the workflow's name.

        Raises:
            RuntimeError: it is no run of a workflow with `long=True`, or the other is not declared.
            InvalidParameters, TooDeep: as of `start`.
        """
        run_other = in_progress.get().others.run
        return run_other(self._long(), self, workflow, items, name or workflow)

    def workflow(self, workflow: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """Calls another workflow and waits for its result, as `call` does, within this call."""
        return in_progress.get().others.call(workflow, parameters)

    def _long(self) -> "Work":
        if self.work is None:
            raise RuntimeError("Only a run of a workflow with long=True can sleep and wait.")
        return self.work


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """An event that an item has waited for."""

    type: str
    data: dict[str, Any]
    received_at: datetime


class RunEnded(msgspec.Struct, frozen=True, kw_only=True):
    """A run that an item has waited for."""

    run_id: str
    """Id of the run; empty where the list was."""
    status: str
    """Status, as in `GET /runs/{run_id}`."""
    total: int
    """Number of items."""
    succeeded: int
    """Items that ended with a result."""
    failed: int
    """Items that ended with a problem."""


def _doubling(retries: int, first: float, longest: float) -> list[float]:
    """Pauses that double, up to the longest."""
    pauses: list[float] = []
    while len(pauses) < retries:
        pauses.append(min(pauses[-1] * 2 if pauses else first, longest))
    return pauses


def _end_of_wait(seconds: float, hours: float, days: float, until: datetime | None) -> float:
    """Seconds since the epoch."""
    length = timedelta(seconds=seconds, hours=hours, days=days).total_seconds()
    if until is not None:
        if length:
            raise ValueError("A wait has a length or an end, not both.")
        if until.tzinfo is None:
            raise ValueError("The end of a wait needs a time zone, such as UTC.")
        length = until.timestamp() - clock.now()
    if length > LONGEST_WAIT.total_seconds():
        raise ValueError(f"A wait has at most {LONGEST_WAIT.days} days.")
    return clock.now() + max(length, 0)


class OtherWorkflows(msgspec.Struct, frozen=True):
    """Calls and runs of other workflows, which a level above has (workflow/handler.py)."""

    call: Callable[[str, Mapping[str, Any]], dict[str, Any]]
    run: Callable[["Work", Call, str, Iterable[Mapping[str, Any]], str], RunEnded]


def _reaches_none(*_: object) -> Any:  # noqa: ANN401 - it never returns
    raise RuntimeError("No other workflow can be reached from here.")


NO_OTHERS = OtherWorkflows(_reaches_none, _reaches_none)


class CallInProgress(msgspec.Struct):
    """The call under way, and the workflows that it may use (workflow/other_workflows.py)."""

    call: Call
    workflow: str
    """Name of the workflow that answers it."""
    calls: frozenset[str]
    starts: frozenset[str]
    others: OtherWorkflows = NO_OTHERS
    """What reaches other workflows."""
    started: int = 0
    """Runs that it has started so far."""
    scheduled: int = 0
    """Schedules that it has made or moved so far."""


in_progress: ContextVar[CallInProgress] = ContextVar("in_progress")
"""Set by the platform around a workflow's function."""
