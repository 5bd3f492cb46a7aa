"""runs: starts workflows on lists in the background, and reports their outcomes.

Every call needs a scope of runs. A call on one run also needs the scope of its workflow. The run's
id names the workflow, so nothing is read for a token that lacks the scope.
"""

from typing import TYPE_CHECKING

from functions.api.runs.launch import launch
from functions.api.runs.requests import (
    ItemsQuery,
    NewUpload,
    NoParameters,
    RunsQuery,
    StartRun,
    read_body,
    read_cursor,
    read_query,
    write_cursor,
)
from functions.core import aws, clock, http
from functions.core.auth.caller import Caller
from functions.core.aws import dynamodb
from functions.core.config import in_lambda
from functions.core.http.endpoint import ApiCall, api_endpoint, logged_call
from functions.core.observability import logger
from functions.core.runs import uploads
from functions.core.runs.execution import workflow_of
from functions.core.runs.outcomes import list_outcomes
from functions.core.runs.run import Run, cancel, describe, list_runs
from functions.core.runs.start import retry

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext


def lambda_handler(event: http.Request, context: "LambdaContext") -> http.Response:
    """Returns the answer of the route, or a problem."""
    with logged_call(event, context):
        return api_endpoint(event, context, _CALLS)


def _start(event: http.Request, caller: Caller, request_id: str) -> http.Response:
    caller.require("runs:write")
    run = launch(read_body(StartRun, event), caller, http.run_seed(event, caller.token_id))
    return _accepted(run, request_id)


def _upload(event: http.Request, caller: Caller, request_id: str) -> http.Response:
    caller.require("runs:write")
    upload = read_body(NewUpload, event)
    return http.answer(
        uploads.new_form(upload.format, caller.token_id, clock.now()), request_id, status=201
    )


def _list(event: http.Request, caller: Caller, request_id: str) -> http.Response:
    """Lists those runs of a page that the token may read. A page may be short and not the last."""
    caller.require("runs:read")
    query = read_query(RunsQuery, event)
    runs, following = list_runs(limit=query.limit, cursor=read_cursor(query.cursor, str))
    readable = [run for run in runs if f"workflow:{run.workflow}" in caller.scopes]
    return http.answer({"runs": readable, "cursor": write_cursor(following)}, request_id)


def _describe(event: http.Request, caller: Caller, request_id: str) -> http.Response:
    return http.answer(describe(_run_id(event, caller, "runs:read")), request_id)


def _items(event: http.Request, caller: Caller, request_id: str) -> http.Response:
    run_id = _run_id(event, caller, "runs:read")
    query = read_query(ItemsQuery, event)
    after = read_cursor(query.cursor, int)
    items, following = list_outcomes(
        run_id, failed_only=query.status == "failed", after=after, limit=query.limit
    )
    if not items:
        describe(run_id)  # else an unknown run would look like one that has not begun
    return http.answer({"items": items, "cursor": write_cursor(following)}, request_id)


def _retry(event: http.Request, caller: Caller, request_id: str) -> http.Response:
    run_id = _run_id(event, caller, "runs:write")
    read_body(NoParameters, event)
    return _accepted(retry(run_id, token_id=caller.token_id), request_id)


def _cancel(event: http.Request, caller: Caller, request_id: str) -> http.Response:
    return http.answer(cancel(_run_id(event, caller, "runs:write")), request_id)


def _accepted(run: Run, request_id: str) -> http.Response:
    """Answers 202, and adds the run to the log line."""
    logger.append_keys(run_id=run.run_id, workflow=run.workflow)
    return http.accepted(run, request_id)


def _run_id(event: http.Request, caller: Caller, scope: str) -> str:
    """Id of the run in the path. Raises `NotPermitted`, `NotFound`."""
    caller.require(scope)
    run_id = str((event.get("pathParameters") or {}).get("run_id", ""))
    workflow = workflow_of(run_id)
    logger.append_keys(run_id=run_id, workflow=workflow)
    caller.require(f"workflow:{workflow}")
    return run_id


_CALLS: dict[str, ApiCall] = {
    "POST /runs": _start,
    "POST /runs/uploads": _upload,
    "GET /runs": _list,
    "GET /runs/{run_id}": _describe,
    "GET /runs/{run_id}/items": _items,
    "POST /runs/{run_id}/retry": _retry,
    "DELETE /runs/{run_id}": _cancel,
}
"""Calls by route, which unlike the path is the same under every domain and stage."""

if in_lambda():
    aws.client("stepfunctions")
    dynamodb.connect()
