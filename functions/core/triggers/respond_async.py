"""`Prefer: respond-async` (RFC 7240 §4.1): a call over HTTP becomes a run over one item.

With `wait=10` (§4.3) too, the answer waits up to ten seconds for the outcome.
"""

import time
from collections.abc import Mapping
from typing import Any

import msgspec

from functions.core import clock, http
from functions.core.auth.caller import Caller
from functions.core.deadline import remaining_seconds
from functions.core.definition.workflow import Workflow
from functions.core.errors import CallFailed
from functions.core.observability import logger
from functions.core.parameters import given
from functions.core.runs.execution import new_run_id
from functions.core.runs.items.outcomes import ItemOutcome, find_outcome
from functions.core.runs.run import Run
from functions.core.runs.start import start

MAX_WAIT_SECONDS = 20
"""Leaves 5 s of a request's 25 s to start the run and to answer."""
_RESERVE_SECONDS = 2.0
"""Kept of what is left of the request, where the start took long."""
_FIRST_PAUSE_SECONDS = 0.1
_LONGEST_PAUSE_SECONDS = 1.0
_GROWTH = 1.5
_DIGITS = 9
"""Of a wait that is read: more are no number of seconds."""


def respond_async(
    workflow: Workflow[Any, Any], event: http.Request, caller: Caller, request_id: str
) -> http.Response:
    """Validates the body and starts a run with it as the only item.

    Answers 202 with the run; 200 with the result of one that succeeds within the preferred wait.

    Raises:
        CallFailed: the problem of a run that fails within the wait.
    """
    workflow.require_background()
    caller.require("runs:write")
    values = given(workflow.parameters, http.read_body(event))
    workflow.read(values)
    run_id = new_run_id(workflow.name, http.run_seed(event, caller.token_id))
    logger.append_keys(run_id=run_id)
    run = start(workflow.name, [values], token_id=caller.token_id, started_by="api", run_id=run_id)
    seconds = wait_seconds(http.preferences(event))
    outcome = _await_outcome(run, seconds) if seconds else None
    return _answer(run, outcome, seconds, request_id)


def wait_seconds(preferences: Mapping[str, str]) -> int:
    """The wait that applies: what is preferred, up to the longest; 0 without one that is valid."""
    wait = preferences.get("wait", "")
    valid = wait.isascii() and wait.isdecimal() and len(wait) <= _DIGITS
    return min(int(wait), MAX_WAIT_SECONDS) if valid else 0


def _await_outcome(run: Run, seconds: int) -> ItemOutcome | None:
    """The outcome of the run's item; null if it has none in time. 1 DynamoDB request a look."""
    until = clock.monotonic() + min(seconds, remaining_seconds() - _RESERVE_SECONDS)
    pause = _FIRST_PAUSE_SECONDS
    while (left := until - clock.monotonic()) > 0:
        time.sleep(min(pause, left))
        outcome = find_outcome(run.run_id, 0)
        if outcome and outcome.status not in {"running", "waiting"}:
            return outcome
        pause = min(pause * _GROWTH, _LONGEST_PAUSE_SECONDS)
    return None


def _answer(run: Run, outcome: ItemOutcome | None, seconds: int, request_id: str) -> http.Response:
    wait = f"wait={seconds}" if seconds else ""
    if outcome is None:
        applied = ", ".join(filter(None, ["respond-async", wait]))
        return http.accepted(run, request_id, preference=applied)
    headers = {"location": f"/runs/{run.run_id}", "preference-applied": wait}
    if outcome.problem:
        raise CallFailed(msgspec.to_builtins(outcome.problem), headers)
    reply = http.answer(outcome.result, request_id)
    reply["headers"] |= headers
    return reply
