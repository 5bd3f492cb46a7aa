"""The trigger `run`: one item of a run.

RunWorkflow delivers each item at least once; its effects should happen once.

A permanent failure is answered as data. A retryable one is raised, so that Step Functions tries
again with backoff. Step Functions keeps the raised error, so it holds nothing of the item.
"""

import faulthandler
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from functions.core import clock
from functions.core.deadline import deadline
from functions.core.definition.call import Call
from functions.core.definition.workflow import Workflow
from functions.core.errors import NotInBackground, ResultTooLarge, TooSlow
from functions.core.http.endpoint import BACKGROUND_SECONDS, is_retryable, log_answer, log_problem
from functions.core.observability import logger
from functions.core.parameters import encode_validated
from functions.core.runs import outcomes
from functions.core.runs.execution import started_by_of
from functions.core.runs.files import read_item
from functions.core.runs.outcomes import LEASE_SECONDS, Attempt
from functions.core.runs.steps import Steps

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

BUDGET_SECONDS = 280.0
"""Time for all tries of an item together: an Express child ends after 300 s."""
MAX_RESULT_BYTES = 200_000
"""Below the 400 KB of a DynamoDB item."""
_LEAST_SECONDS = 5.0
_HANGS_SECONDS = 3.0
"""Time after the budget at which the process of an uninterruptible item is ended."""
_STDERR = 2
"""File descriptor of stderr: `sys.stderr` may be an object without one."""

ItemAnswer = dict[str, str]


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

    @property
    def item_id(self) -> str:
        """Id of the item, the same in every run that repeats it."""
        return f"{self.origin_run_id}/{self.index}"

    def call(self, request_id: str) -> Call:
        """The workflow's call for this item."""
        return Call(
            request_id=request_id,
            trigger="run",
            item_id=self.item_id,
            run_token_id=self.token_id,
            started_by=started_by_of(self.started_by, self.token_id),
            steps=Steps(self.origin_run_id, self.index, self.delete_at),
        )

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
        """Runs the item and answers `{"status": …}`: succeeded, failed or cancelled.

        Raises:
            WillTryAgain
        """
        started, request_id = time.monotonic(), context.aws_request_id
        try:
            self._workflow.require_background()
            return {
                "status": self._deliver(msgspec.convert(event, ItemDelivery, strict=False), context)
            }
        except WillTryAgain:
            raise
        except NotInBackground as error:
            log_problem(error, started, request_id)
            return {"status": "failed"}
        except Exception as error:  # noqa: BLE001 - its text must not reach Step Functions
            code = log_problem(error, started, request_id).code
        raise WillTryAgain(code)

    def _deliver(self, delivery: ItemDelivery, context: "LambdaContext") -> str:
        logger.append_keys(
            token_id=delivery.token_id,
            run_id=delivery.run_id,
            index=delivery.index,
            item_id=delivery.item_id,
        )
        if outcomes.is_cancelled(delivery.run_id):
            return "cancelled"
        attempt = outcomes.claim(delivery.run_id, delivery.index, delivery.delete_at)
        if isinstance(attempt, str):
            return attempt
        with _alive(attempt):
            return self._attempt(attempt, delivery, context)

    def _attempt(self, attempt: Attempt, delivery: ItemDelivery, context: "LambdaContext") -> str:
        started, request_id = time.monotonic(), context.aws_request_id
        try:
            result = self._run(delivery, context)
        except Exception as error:  # noqa: BLE001 - each is recorded
            told = log_problem(error, started, request_id)
            if not is_retryable(error):
                return attempt.fail(told)
            attempt.give_up(told)
        else:
            log_answer(started)
            return attempt.succeed(result)
        raise WillTryAgain(told.code)

    def _run(self, delivery: ItemDelivery, context: "LambdaContext") -> str:
        """The result, as JSON."""
        left = delivery.seconds_left()
        if left < _LEAST_SECONDS:
            raise TooSlow("The item's tries took too long together.")
        seconds = min(BACKGROUND_SECONDS, left)
        with _ended_if_it_hangs(left), deadline(seconds, context.get_remaining_time_in_millis()):
            parameters = read_item(delivery.items_key, delivery.start, delivery.length)
            call = delivery.call(context.aws_request_id)
            found = self._workflow.run(parameters, call, strict=not delivery.lenient)
            result = msgspec.json.encode(found, enc_hook=encode_validated)
        if len(result) > MAX_RESULT_BYTES:
            raise ResultTooLarge(
                f"The result has {len(result):,} bytes; at most {MAX_RESULT_BYTES:,} are kept."
            )
        return result.decode()


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
