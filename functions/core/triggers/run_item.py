"""The trigger `run`: one item of a run.

RunWorkflow delivers each item at least once; its effects should happen once.

A permanent failure is answered as data. A retryable one is raised, so that Step Functions tries
again with backoff. Step Functions keeps the raised error, so it holds nothing of the item.
"""

import faulthandler
import math
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from functions.core import clock
from functions.core.auth.run_token import require_active
from functions.core.clock import rfc3339, utc
from functions.core.deadline import deadline, remaining_seconds
from functions.core.definition.call import Call
from functions.core.definition.workflow import Workflow
from functions.core.errors import ItemCrashed, NotInBackground, ResultTooLarge, Skipped, TooSlow
from functions.core.http.endpoint import is_retryable, log_answer, log_problem
from functions.core.observability import logger
from functions.core.parameters import Parameters, Result, encode_validated
from functions.core.runs import records
from functions.core.runs.cancellation import is_cancelled
from functions.core.runs.execution import Branch, started_by_of
from functions.core.runs.files import park_item, read_bytes, read_item, read_parked
from functions.core.runs.items.attempts import LEASE_SECONDS, Attempt, claim
from functions.core.runs.items.continuation import earlier_result
from functions.core.runs.items.one_per import KeyLock
from functions.core.runs.items.outcomes import OUTCOMES_KEPT_SECONDS
from functions.core.runs.items.steps import StepRecords
from functions.core.runs.items.suspension import MOST_WAITS, Suspended, Waiting
from functions.core.runs.items.work import Work
from functions.core.runs.lineage import TOP, Lineage

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

BUDGET_SECONDS = 280.0
"""Time for all tries of an item together: an Express child ends after 300 s."""
MAX_RESULT_BYTES = 200_000
"""Below the 400 KB of a DynamoDB item."""
_LEAST_SECONDS = 5.0
_HANGS_SECONDS = 3.0
"""Time after the budget at which the process of an uninterruptible item is ended."""
_FIRST_WAIT_SECONDS = 3
"""Before the second attempt; it doubles each time (run_workflow.asl.yaml)."""
_LONGEST_WAIT_SECONDS = 30
_STDERR = 2
"""File descriptor of stderr: `sys.stderr` may be an object without one."""

ItemAnswer = dict[str, Any]


class ItemDelivery(msgspec.Struct, frozen=True):
    """The event, as run_workflow.asl.yaml makes it.

    Unknown fields are another release's: an execution keeps the definition that it began with,
    while a deployment replaces the code.
    """

    trigger: Literal["run"]
    run_id: str
    origin_run_id: str
    index: int
    start: int
    length: int
    items_key: str
    token_id: str | None
    started_at: datetime
    """Time at which the item's first try began."""
    delete_at: int
    lenient: bool = False
    """Whether texts are converted to the parameters' types."""
    started_by: str | None = None
    """The code that started the run; null in runs that are older than this field."""
    lineage: Lineage = TOP
    """Runs that led to the run, and those that it continues."""
    branch: Branch | None = None
    """Branch of RunWorkflow; only the one for one item can wait. Null in executions that began with
    an earlier definition, which cannot.
    """

    @property
    def item_id(self) -> str:
        """Id of the item, the same in every run that repeats it."""
        return f"{self.origin_run_id}/{self.index}"

    def call(self, request_id: str, attempt: Attempt, *, suspends: bool) -> Call:
        """The workflow's call for this item.

        Args:
            request_id: Lambda's.
            attempt: at the item.
            suspends: whether the item can go on in another call.
        """
        work = Work(
            StepRecords(self.origin_run_id, self.index, self.delete_at),
            run_id=self.run_id,
            item_id=self.item_id,
            request_id=request_id,
            began=lambda: self._began(attempt),
            suspends=suspends,
            seconds_left=remaining_seconds,
            fresh=attempt.number == 1,
        )
        return Call(
            request_id=request_id,
            trigger="run",
            item_id=self.item_id,
            run_token_id=self.token_id,
            started_by=started_by_of(self.started_by, self.token_id),
            below=self.lineage.below_item(self.run_id, self.index),
            work=work,
        )

    def _began(self, attempt: Attempt) -> float:
        """Start of the run: its client may send an event before the item has begun."""
        run = records.find(self.run_id)
        return float(run.started_at) if run else attempt.began

    def seconds_left(self) -> float:
        """Seconds left of the item's budget."""
        return self.started_at.timestamp() + BUDGET_SECONDS - clock.now()


class WillTryAgain(Exception):
    """A retryable failure, as Step Functions sees it: its problem code."""


class RunItemTrigger:
    """Runs items with one workflow."""

    def __init__(self, workflow: Workflow[Any, Any]) -> None:
        self._workflow = workflow

    def answer(self, event: Mapping[str, Any], context: "LambdaContext") -> ItemAnswer:
        """Runs the item and answers `{"status": …}`: succeeded, failed, skipped, cancelled or
        waiting (`suspension.Waiting`).

        Raises:
            WillTryAgain
        """
        started, request_id = time.monotonic(), context.aws_request_id
        try:
            self._workflow.require_background()
            delivery = msgspec.convert(event, ItemDelivery, strict=False)
            return _deliver(self._workflow, delivery, context)
        except WillTryAgain:
            raise
        except NotInBackground as error:
            log_problem(error, started, request_id)
            return {"status": "failed"}
        except Exception as error:  # noqa: BLE001 - its text must not reach Step Functions
            code = log_problem(error, started, request_id).code
        raise WillTryAgain(code)


def _deliver(
    workflow: Workflow[Any, Any], delivery: ItemDelivery, context: "LambdaContext"
) -> ItemAnswer:
    logger.append_keys(
        token_id=delivery.token_id,
        run_id=delivery.run_id,
        index=delivery.index,
        item_id=delivery.item_id,
    )
    if is_cancelled(delivery.run_id, delivery.lineage.ancestors):
        return {"status": "cancelled"}
    attempt = claim(delivery.run_id, delivery.index, delivery.delete_at, parked=not delivery.length)
    if isinstance(attempt, str):
        return {"status": attempt}
    with _alive(attempt):
        trial = _Trial(workflow, delivery, attempt, context)
        try:
            ended: ItemAnswer = {"status": trial.status()}
            return ended | {"waited": True} if attempt.parked else ended
        except Suspended as pause:
            return trial.park(pause)


class _Trial:
    """One attempt at an item, whose outcome it records."""

    def __init__(
        self,
        workflow: Workflow[Any, Any],
        delivery: ItemDelivery,
        attempt: Attempt,
        context: "LambdaContext",
    ) -> None:
        self._workflow = workflow
        self._delivery = delivery
        self._attempt = attempt
        self._context = context
        self._lock: KeyLock | None = None

    def status(self) -> str:
        """Status of the item after this attempt. Raises `WillTryAgain`."""
        started, retries = time.monotonic(), self._workflow.options.retries
        try:
            result = self._result()
        except Exception as error:  # noqa: BLE001 - each is recorded
            told = log_problem(error, started, self._context.aws_request_id)
            if isinstance(error, Skipped):
                return self._attempt.skip(told)
            if not is_retryable(error) or self._attempt.number > retries:
                return self._ended(self._attempt.fail(told))
            self._attempt.give_up(told, clock.now() + _longest_wait(self._attempt.number))
        else:
            log_answer(started)
            return self._ended(self._attempt.succeed(result))
        raise WillTryAgain(told.code)

    def park(self, pause: Suspended) -> ItemAnswer:
        """Leaves the item to a call later, and says when and for what."""
        delivery, now = self._delivery, clock.now()
        if not self._attempt.parked:
            park_item(
                delivery.origin_run_id,
                delivery.index,
                read_bytes(delivery.items_key, delivery.start, delivery.length),
            )
        until = utc(max(pause.until, math.ceil(now) + 1))
        if self._lock:
            self._lock.take(until.timestamp() + BUDGET_SECONDS)
        text = rfc3339(until)
        self._attempt.park(text, pause.event, int(until.timestamp()) + OUTCOMES_KEPT_SECONDS)
        listens = {"addresses": pause.addresses, "since": pause.since} if pause.addresses else None
        seconds = max(math.ceil(until.timestamp() - now), 1)
        logger.info("item waits", until=text, waiting_for=pause.event)
        number = self._attempt.waits + 1
        leaves = delivery.branch != "one" or number % MOST_WAITS == 0
        waiting = Waiting(
            status="waiting",
            until=text,
            seconds=seconds,
            listens=listens,
            leaves=number if leaves else None,
        )
        answer: ItemAnswer = msgspec.to_builtins(waiting)
        return answer

    def _ended(self, status: str) -> str:
        if self._lock:
            self._lock.free()
        return status

    def _result(self) -> str:
        """The result, as JSON."""
        delivery = self._delivery
        done = earlier_result(delivery.lineage.continues, delivery.index)
        if done is not None:
            return done
        if self._attempt.number > self._workflow.options.retries + 1:
            raise ItemCrashed("The function ended without an answer at its last attempt.")
        require_active(delivery.token_id, delivery.started_by, self._workflow.scopes)
        left = delivery.seconds_left()
        if left < _LEAST_SECONDS:
            raise TooSlow("The item's tries took too long together.")
        seconds = min(self._workflow.options.timeout, left)
        remaining = self._context.get_remaining_time_in_millis()
        with _ended_if_it_hangs(left), deadline(seconds, remaining):
            found = self._work()
            result = msgspec.json.encode(found, enc_hook=encode_validated)
        if len(result) > MAX_RESULT_BYTES:
            raise ResultTooLarge(
                f"The result has {len(result):,} bytes; at most {MAX_RESULT_BYTES:,} are kept."
            )
        return result.decode()

    def _work(self) -> Result:
        """Calls the workflow, under the lock of its key if it has one. Raises `Skipped`."""
        delivery = self._delivery
        values = read_parameters(delivery, parked=self._attempt.parked)
        call = delivery.call(
            self._context.aws_request_id,
            self._attempt,
            suspends=self._workflow.options.long and delivery.branch is not None,
        )
        parameters = self._workflow.read(
            values, strict=not delivery.lenient, started_by=call.started_by
        )
        self._take_lock(parameters)
        result: Result = self._workflow.perform(parameters, call)
        if self._workflow.options.long and call.work:
            call.work.warn_of_unused()
        return result

    def _take_lock(self, parameters: Parameters) -> None:
        name = self._workflow.options.one_per
        value = getattr(parameters, name) if name else None
        if value is None:
            return
        delivery = self._delivery
        lock = KeyLock(
            self._workflow.name, name, value, item_id=delivery.item_id, run_id=delivery.run_id
        )
        lock.take(clock.now() + max(delivery.seconds_left(), 0) + _HANGS_SECONDS)
        self._lock = lock


def _longest_wait(number: int) -> float:
    """Seconds after which the next attempt begins at the latest, if Lambda does not throttle it."""
    return min(_FIRST_WAIT_SECONDS * 2.0 ** (number - 1), _LONGEST_WAIT_SECONDS)


def read_parameters(delivery: ItemDelivery, *, parked: bool) -> dict[str, Any]:
    """Parameters of an item. Those of one that has waited may be the only copy left."""
    if parked:
        return read_parked(delivery.origin_run_id, delivery.index)
    return read_item(delivery.items_key, delivery.start, delivery.length)


@contextmanager
def _ended_if_it_hangs(seconds: float) -> Iterator[None]:
    """Ends the process if the body outlasts the item's budget: C code lets no signal through.

    Lambda would end it 245 s after this try began. The Express child may end before that, which
    records nothing.
    """
    faulthandler.dump_traceback_later(seconds + _HANGS_SECONDS, exit=True, file=_STDERR)
    try:
        yield
    finally:
        faulthandler.cancel_dump_traceback_later()


@contextmanager
def _alive(attempt: Attempt) -> Iterator[None]:
    """Renews the lease while the body runs. Most items end before the first renewal."""
    ended = threading.Event()
    thread = threading.Thread(target=_renew, args=(attempt, ended), daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _renew(attempt: Attempt, ended: threading.Event) -> None:
    while not ended.wait(LEASE_SECONDS / 3):
        try:
            attempt.renew()
        except Exception:  # noqa: BLE001 - the next renewal may succeed; a lost lease costs one more try
            logger.warning("lease not renewed", exc_info=True)
