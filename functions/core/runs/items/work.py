"""Work of an item: its steps, sleeps and waits, each done once over all calls of the item.

A step that was recorded is not done again. What cannot go on now suspends the item: its call ends,
and RunWorkflow calls it again. The code between the steps runs at each of these calls.
"""

import random
from collections.abc import Callable, Sequence
from threading import Lock
from typing import Any, Protocol, TypeVar

import msgspec
from msgspec.structs import replace

from functions.core import clock
from functions.core.errors import (
    Changed,
    ResultTooLarge,
    StepFailed,
    TooSlow,
    Unavailable,
    WorkflowError,
)
from functions.core.http.problems import problem
from functions.core.observability import logger
from functions.core.parameters import encode_validated
from functions.core.runs.items import event_box
from functions.core.runs.items.event_box import StoredEvent
from functions.core.runs.items.steps import Step, StepKind
from functions.core.runs.items.suspension import Suspended

MAX_RESULT_BYTES = 200_000
"""Bytes of a step's result: below the 400 KB of a DynamoDB item."""
MAX_NAME = 256
"""Characters of a step's name."""
_ENOUGH_SECONDS = 60.0
"""Time of a call below which no other step begins in it."""
_LOOK_SECONDS = 6 * 3600
"""Time after which an item looks at a run that it waits for, in case its end was not told."""
_LONGEST_ASKED_SECONDS = 86_400.0
"""Most of a `Retry-After` that is kept to: one may be wrong, and a wait lasts a year at most."""
_JITTER = 0.1
"""Part by which pauses differ, so that what failed together does not come back together."""
R = TypeVar("R")
T = TypeVar("T")


class NotJson(WorkflowError):
    """The result of a step cannot be recorded. Another try would repeat the step's effects."""


class Records(Protocol):
    """Records of an item's steps, as `steps.StepRecords` has them."""

    def all(self) -> dict[str, Step]:
        """Steps by name, in their order."""

    def keep(self, step: Step) -> None:
        """Writes a step."""


class Work:
    """Steps of one call of an item."""

    def __init__(  # noqa: PLR0913 - what the work needs, by name
        self,
        records: Records,
        *,
        run_id: str,
        item_id: str,
        request_id: str,
        began: Callable[[], float],
        suspends: bool,
        seconds_left: Callable[[], float],
        fresh: bool = True,
        find_event: Callable[[tuple[str, ...], float], StoredEvent | None] = event_box.find,
    ) -> None:
        """Takes the item's records.

        Args:
            records: of the item.
            run_id: of the run that calls now.
            item_id: of the item.
            request_id: of this call, by which its log is found.
            began: finds the start of this run, seconds since the epoch.
            suspends: whether the item can go on in another call: of a workflow with `long=True`.
            seconds_left: time of this call.
            fresh: whether this call has all of its time. Another one would then have no more.
            find_event: finds the first event at one of the addresses since a time.
        """
        self._records = records
        self._run_id = run_id
        self._item_id = item_id
        self._request_id = request_id
        self._run_began = began
        self._suspends = suspends
        self._seconds_left = seconds_left
        self._fresh = fresh
        self._find_event = find_event
        self._used: set[str] = set()
        self._placing = Lock()
        self._places = 0

    def is_done(self, name: str) -> bool:
        """Whether a step has succeeded."""
        found = self._records.all().get(name)
        return found is not None and found.status == "succeeded"

    def step(self, name: str, do: Callable[[], T], *, pauses: Sequence[float]) -> T:
        """Does a step once; see `Call.step`. There is one more attempt than pauses."""
        found = self._take(name, "step")
        if found and found.status == "succeeded":
            return found.result  # type: ignore[no-any-return] # JSON of what `do` returned
        if found and found.run_id == self._run_id:
            self._refuse_failed(found)
            if found.status == "waiting" and (found.until or 0) > clock.now():
                self._suspend(found.until or 0)
        else:
            found = None  # a retry begins the step anew
        if self._suspends and not self._fresh and self._seconds_left() < _ENOUGH_SECONDS:
            self._suspend(clock.now())
        fresh, self._fresh = self._fresh, False
        begun = self._begun(name, found)
        if self._suspends:
            self._records.keep(begun)
        try:
            result = _as_json(name, do())
        except Exception as error:
            self._failed(begun, error, pauses, fresh=fresh)
            raise
        done = replace(begun, status="succeeded", finished_at=clock.now(), until=None, problem=None)
        self._records.keep(replace(done, result=result))
        return result  # type: ignore[no-any-return] # what later calls get

    def sleep(self, name: str, until: Callable[[], float]) -> None:
        """Sleeps until a time that is set at the first call; see `Call.sleep`."""
        found = self._take(name, "sleep") or self._waiting(name, "sleep", until())
        if found.status == "succeeded":
            return
        if (found.until or 0) > clock.now():
            self._suspend(found.until or 0)
        self._records.keep(replace(found, status="succeeded", finished_at=clock.now()))

    def wait_for(
        self, name: str, event: str, key: str | None, until: Callable[[], float]
    ) -> StoredEvent | None:
        """Waits for an event; see `Call.wait_for`."""
        event_box.refuse_unsendable(event, key)
        addresses = [event_box.item_address(event, self._item_id)]
        addresses += [event_box.key_address(event, key)] if key is not None else []
        found = self._take(name, "wait_for")
        if found is None:
            since = self._since(tuple(addresses))
            planned = self._planned(name, "wait_for", until())
            found = replace(planned, addresses=tuple(addresses), since=since)
            self._records.keep(found)
        if found.status == "succeeded":
            return msgspec.convert(found.result, StoredEvent | None)
        came = self._find_event(found.addresses, found.since or 0)
        if came is None and (found.until or 0) > clock.now():
            self._require_suspending()
            raise Suspended(
                found.until or 0,
                event=event,
                addresses=found.addresses,
                since=found.since or 0,
            )
        done = replace(found, status="succeeded", finished_at=clock.now())
        self._records.keep(replace(done, result=msgspec.to_builtins(came)))
        return came

    def run(
        self,
        name: str,
        run_id: str,
        begin: Callable[[str], R | None],
        look: Callable[[str], R | None],
        kind: type[R],
    ) -> R:
        """Starts a run once and waits for its end; see `Call.run`.

        Args:
            name: of the step.
            run_id: of the run.
            begin: starts it; a repetition starts no other. Without items it returns the end.
            look: its end; null while it runs.
            kind: type of that.
        """
        found, ended = self._take(name, "run"), None
        if found and found.status == "succeeded":
            return msgspec.convert(found.result, kind)
        if found is None:
            planned = self._planned(name, "run", clock.now() + _LOOK_SECONDS)
            found = replace(planned, addresses=(event_box.end_address(run_id),), since=0.0)
            ended = begin(run_id)
            self._records.keep(found)
        ended = ended or look(run_id)
        if ended is None:
            until = clock.now() + _LOOK_SECONDS
            if (found.until or 0) <= clock.now():
                self._records.keep(replace(found, until=until))
            raise Suspended(until, event="run.ended", addresses=found.addresses)
        done = replace(found, status="succeeded", finished_at=clock.now())
        self._records.keep(replace(done, result=msgspec.to_builtins(ended)))
        return ended

    def _take(self, name: str, kind: StepKind) -> Step | None:
        """The step's record, for its one use in this call."""
        if not isinstance(name, str) or not 0 < len(name) <= MAX_NAME:
            raise ValueError(f"The name of a step is a text of 1 to {MAX_NAME} characters.")
        if name in self._used:
            raise RuntimeError(f"The step name {name!r} is used twice. Each step needs its own.")
        self._used.add(name)
        found = self._records.all().get(name)
        if found and found.kind != kind:
            raise Changed(
                f"The step {name!r} of the item {self._item_id} is a {kind} now and was a "
                f"{found.kind} when the item began. Deploy code that gives it another name, then "
                f"retry the run {self._run_id}."
            )
        return found

    def _next_place(self) -> int:
        """A place that no other step has: authors do steps in threads, and in other steps."""
        with self._placing:
            taken = [step.order for step in list(self._records.all().values())]
            self._places = max([self._places, *(place + 1 for place in taken)])
            self._places += 1
            return self._places - 1

    def warn_of_unused(self) -> None:
        """Logs the names of recorded steps that the present code has not come to."""
        if unused := sorted(self._records.all().keys() - self._used):
            logger.warning(
                "the workflow has changed: it ended without steps that it began with",
                steps=unused,
            )

    def _begun(self, name: str, found: Step | None) -> Step:
        if found:
            return replace(found, status="running", attempts=found.attempts + 1, until=None)
        known = self._records.all().get(name)
        return Step(
            name=name,
            kind="step",
            order=known.order if known else self._next_place(),
            status="running",
            run_id=self._run_id,
            attempts=1,
            started_at=clock.now(),
        )

    def _planned(self, name: str, kind: StepKind, until: float) -> Step:
        self._require_suspending()
        return Step(
            name=name,
            kind=kind,
            order=self._next_place(),
            status="waiting",
            run_id=self._run_id,
            started_at=clock.now(),
            until=until,
        )

    def _waiting(self, name: str, kind: StepKind, until: float) -> Step:
        planned = self._planned(name, kind, until)
        self._records.keep(planned)
        return planned

    def _since(self, addresses: tuple[str, ...]) -> float:
        """Time from which an event counts: after the one that an earlier wait has taken."""
        taken = [
            float(step.result["received_at"])
            for step in self._records.all().values()
            if step.kind == "wait_for" and set(step.addresses) & set(addresses) and step.result
        ]
        return max(taken, default=0.0) + _TICK if taken else self._began()

    def _began(self) -> float:
        """Start of the item's run, or of its first one: events from before it are another's."""
        steps = [step.started_at for step in self._records.all().values()]
        return min([self._run_began(), *steps])

    def _failed(
        self, step: Step, error: Exception, pauses: Sequence[float], *, fresh: bool
    ) -> None:
        """Records a failed attempt. Raises `Suspended` or `StepFailed` where items can go on."""
        if not self._suspends:
            return
        told = problem(error, self._request_id)
        permanent = isinstance(error, WorkflowError) and not isinstance(error, Unavailable)
        if isinstance(error, TooSlow):
            permanent = fresh  # else earlier steps have taken its time, and a new call has more
        if permanent or step.attempts > len(pauses):
            failed = replace(step, status="failed", finished_at=clock.now(), problem=told)
            self._records.keep(failed)
            logger.warning(
                "step failed",
                step=step.name,
                attempts=step.attempts,
                code=told.code,
                exc_info=True,
            )
            raise StepFailed(step.name, step.attempts, told) from error
        asked = min(float(getattr(error, "retry_after", None) or 0), _LONGEST_ASKED_SECONDS)
        pause = max(pauses[step.attempts - 1], asked) * random.uniform(1, 1 + _JITTER)  # noqa: S311 - no secret
        until = clock.now() + pause
        self._records.keep(replace(step, status="waiting", until=until, problem=told))
        logger.warning(
            "step will be tried again",
            step=step.name,
            code=told.code,
            pause_seconds=round(pause, 3),
            exc_info=True,
        )
        self._suspend(until)

    @staticmethod
    def _refuse_failed(step: Step) -> None:
        if step.status == "failed":
            raise StepFailed(step.name, step.attempts, step.problem or _NO_PROBLEM)

    def _suspend(self, until: float) -> None:
        self._require_suspending()
        raise Suspended(until)

    def _require_suspending(self) -> None:
        if not self._suspends:
            raise RuntimeError(
                "Only a run of a workflow with long=True can sleep, wait and pause between tries."
            )


_TICK = 0.000_002
"""Seconds between an event and the next that counts.

Two of the microseconds that places count (event_box.py): one may be lost to a float's precision.
"""
_NO_PROBLEM = problem(StepFailed("", 0, None), "")


def _as_json(name: str, result: object) -> Any:  # noqa: ANN401 - JSON
    """A result as JSON has it. Raises `ResultTooLarge`, `NotJson`."""
    try:
        text = msgspec.json.encode(result, enc_hook=encode_validated)
        found = msgspec.json.decode(text)
    except (TypeError, ValueError, NotImplementedError) as error:
        raise NotJson(f"The result of the step {name!r} is no JSON value: {error}") from error
    if len(text) > MAX_RESULT_BYTES:
        raise ResultTooLarge(
            f"The result of the step {name!r} has over {MAX_RESULT_BYTES:,} bytes."
        )
    return found
