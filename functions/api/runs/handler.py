"""runs: starts workflows on lists, in the background, and says what became of them. Every call needs a scope of runs and,
where a run is meant, the scope of its workflow, which its id names: so nothing is read for a token that lacks it.
"""

from typing import Any

from functions.api.runs.launch import launch
from functions.api.runs.requests import (
    ItemsQuery,
    NewUpload,
    Nothing,
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


def lambda_handler(event: http.Request, context: Any) -> http.Response:  # noqa: ANN401 - Lambda's context has no type
    """Answers the call of the route, or a problem."""
    with logged_call(event, context):
        return api_endpoint(event, context, _CALLS)


def _start(event: http.Request, caller: Caller, request_id: str) -> http.Response:
    caller.require("runs:write")
    run = launch(read_body(StartRun, event), caller, http.run_seed(event, caller.token_id))
    return _accepted(run, request_id)


def _upload(event: http.Request, caller: Caller, request_id: str) -> http.Response:
    caller.require("runs:write")
    wanted = read_body(NewUpload, event)
    return http.answer(
        uploads.new_form(wanted.format, caller.token_id, clock.now()), request_id, status=201
    )


def _list(event: http.Request, caller: Caller, request_id: str) -> http.Response:
    """Of a page of all runs those that the token may read, so that a page may be short while another one follows."""
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
        describe(run_id)  # or an unknown run would look like one of which nothing has begun
    return http.answer({"items": items, "cursor": write_cursor(following)}, request_id)


def _retry(event: http.Request, caller: Caller, request_id: str) -> http.Response:
    run_id = _run_id(event, caller, "runs:write")
    read_body(Nothing, event)
    return _accepted(retry(run_id, token_id=caller.token_id), request_id)


def _cancel(event: http.Request, caller: Caller, request_id: str) -> http.Response:
    return http.answer(cancel(_run_id(event, caller, "runs:write")), request_id)


def _accepted(run: Run, request_id: str) -> http.Response:
    """202, and a log line that is found among the run's."""
    logger.append_keys(run_id=run.run_id, workflow=run.workflow)
    return http.accepted(run, request_id)


def _run_id(event: http.Request, caller: Caller, scope: str) -> str:
    """The run that the path names. Raises `NotPermitted`, `NotFound`."""
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
"""By route, which unlike the path is the same under every domain and stage."""

if in_lambda():
    aws.client("stepfunctions")
    dynamodb.connect()
