"""runs: starts workflows on lists in the background, reports and exports outcomes and ends.

Every call needs a scope of runs. A call on one run also needs the scope of its workflow. The run's
id names the workflow, so nothing is read for a token that lacks the scope.
"""

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from functions.api.runs import ending, waiting
from functions.api.runs.export import Export, export
from functions.api.runs.item import Item, read_item
from functions.api.runs.launch import check, launch
from functions.api.runs.requests import (
    CancelQuery,
    ItemsQuery,
    NewUpload,
    RunsQuery,
    StartRun,
    read_body,
    read_cursor,
    read_query,
    write_cursor,
)
from functions.api.runs.validation import ListCheck
from functions.api.runs.waiting import path_run_id
from functions.core import aws, clock, http
from functions.core.auth.caller import Caller
from functions.core.aws import dynamodb
from functions.core.config import in_lambda
from functions.core.definition.names import workflow_names
from functions.core.errors import NotFound
from functions.core.http.endpoint import Route, api_endpoint, log_answer, log_problem, logged_call
from functions.core.observability import logger
from functions.core.parameters import NoParameters
from functions.core.runs import listing, uploads
from functions.core.runs.items.event_box import KeyedEvent
from functions.core.runs.items.outcomes import ItemPage, list_outcomes
from functions.core.runs.retry import retry
from functions.core.runs.run import Run, RunPage, cancel, describe, summary
from functions.core.schedules.names import read_name

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext


def lambda_handler(event: dict[str, Any], context: "LambdaContext") -> Mapping[str, Any]:
    """Returns the answer of the route, or a problem; or handles the end of runs."""
    with logged_call(event, context):
        if http.is_http(event):
            return api_endpoint(event, context, ROUTES)
        return _end(event, context.aws_request_id)


def _end(event: dict[str, Any], request_id: str) -> dict[str, Any]:
    started = time.monotonic()
    logger.append_keys(trigger=ending.trigger_of(event))
    try:
        answer = ending.answer(event)
    except Exception as error:
        log_problem(error, started, request_id)
        raise
    log_answer(started)
    return answer


def _start_run(event: http.Request, caller: Caller, request_id: str) -> http.Response:
    """Starts a workflow on a list of items, or only checks them.

    The items are in the body, up to 3 MB, or in an upload. They are validated first, as many as can
    be in 10 s: those in the body must all be right. Of an upload the first 1,000 are validated, and
    nothing starts if every one is wrong. With `dry_run` nothing starts at all: the answer is 200
    and says which items are wrong.

    Raises:
        InvalidParameters, UnreadableItems, NotFound, Conflict
    """
    request = read_body(StartRun, event)
    if request.dry_run:
        return http.answer(check(request, caller), request_id)
    run = launch(request, caller, http.run_seed(event, caller.token_id))
    return _accepted(run, request_id)


def _create_upload(event: http.Request, caller: Caller, request_id: str) -> http.Response:
    """Creates a form to upload a long list with.

    Send its fields and then the file, as `file`, to its URL as multipart/form-data. Then start a
    run with the `upload_id`.

    Raises:
        InvalidParameters
    """
    upload = read_body(NewUpload, event)
    return http.answer(
        uploads.new_form(upload.format, caller.token_id, clock.now()), request_id, status=201
    )


def _list_runs(event: http.Request, caller: Caller, request_id: str) -> http.Response:
    """Lists the runs of the workflows that the token may call.

    The newest run comes first. A page may be short and not the last: go on while there is a cursor.
    A run is listed for 30 days after its end.

    Raises:
        InvalidParameters, NotPermitted
    """
    query = read_query(RunsQuery, event)
    if query.workflow:
        caller.require(f"workflow:{query.workflow}")
    found, following = listing.page(
        [name for name in _asked_for(query) if f"workflow:{name}" in caller.scopes],
        status=query.status,
        schedule_id=query.schedule_id,
        limit=query.limit,
        before=read_cursor(query.cursor, str),
    )
    runs = [summary(record) for record in found]
    return http.answer(RunPage(runs=runs, cursor=write_cursor(following)), request_id)


def _asked_for(query: RunsQuery) -> list[str]:
    """Workflows whose runs can be among those that a query asks for: each costs requests."""
    try:
        scheduled = read_name(query.schedule_id).workflow if query.schedule_id else None
    except NotFound:
        return []
    one = query.workflow or scheduled
    if not one:
        return sorted(workflow_names())
    return [one] if scheduled in {None, one} else []


def _get_run(event: http.Request, caller: Caller, request_id: str) -> http.Response:
    """Returns a run with its counts.

    Raises:
        NotFound
    """
    return http.answer(describe(path_run_id(event, caller)), request_id)


def _list_items(event: http.Request, caller: Caller, request_id: str) -> http.Response:
    """Lists the outcomes of a run's items.

    Items that have not started have no outcome. Go on while there is a cursor.

    Raises:
        InvalidParameters, NotFound
    """
    run_id = path_run_id(event, caller)
    query = read_query(ItemsQuery, event)
    after = read_cursor(query.cursor, int)
    items, following = list_outcomes(
        run_id, failed_only=query.status == "failed", after=after, limit=query.limit
    )
    if not items:
        describe(run_id)  # else an unknown run would look like one that has not begun
    return http.answer(ItemPage(items=items, cursor=write_cursor(following)), request_id)


def _get_item(event: http.Request, caller: Caller, request_id: str) -> http.Response:
    """Returns an item: its outcome, and the parameters that it was given.

    The parameters are kept for 7 days.

    Raises:
        NotFound
    """
    run_id = path_run_id(event, caller)
    index = str((event.get("pathParameters") or {}).get("index", ""))
    return http.answer(read_item(run_id, index), request_id)


def _export_run(event: http.Request, caller: Caller, request_id: str) -> http.Response:
    """Writes the items of an ended run to a CSV, and returns the URL to download it from.

    Its columns are the row in the list, status, result, problem, detail, and the parameters. It can
    be corrected and uploaded as it is: rows that succeeded are not done again. The run may have
    100,000 items and must have ended; its parameters are kept for 7 days.

    Raises:
        InvalidParameters, NotFound, Conflict
    """
    run_id = path_run_id(event, caller)
    read_body(NoParameters, event)
    return http.answer(export(run_id), request_id, status=201)


def _retry_run(event: http.Request, caller: Caller, request_id: str) -> http.Response:
    """Starts a new run with the items of a run that failed, or that it never did.

    Of a run that was cancelled or broke off, the new run has all items. Those that succeeded are
    not repeated.

    Raises:
        InvalidParameters, NotFound, Conflict
    """
    run_id = path_run_id(event, caller)
    read_body(NoParameters, event)
    return _accepted(retry(run_id, token_id=caller.token_id), request_id)


def _cancel_run(event: http.Request, caller: Caller, request_id: str) -> http.Response:
    """Cancels a run.

    Items that have not started never start. A run that has ended stays as it is. With
    `descendants`, the runs that its items started stop with their next items, too.

    Raises:
        InvalidParameters, NotFound
    """
    run_id = path_run_id(event, caller)
    query = read_query(CancelQuery, event)
    ended = cancel(run_id, descendants=query.descendants)
    if ended.by_this_call:
        ending.tell(ended)
    return http.answer(ended.run, request_id)


def _accepted(run: Run, request_id: str) -> http.Response:
    """Answers 202, and adds the run to the log line."""
    logger.append_keys(run_id=run.run_id, workflow=run.workflow)
    return http.accepted(run, request_id)


ROUTES = {
    "POST /runs": Route(_start_run, "runs:write", {202: Run, 200: ListCheck}, body=StartRun),
    "POST /runs/uploads": Route(
        _create_upload, "runs:write", {201: uploads.UploadForm}, body=NewUpload
    ),
    "GET /runs": Route(_list_runs, "runs:read", {200: RunPage}, query=RunsQuery),
    "GET /runs/{run_id}": Route(_get_run, "runs:read", {200: Run}),
    "GET /runs/{run_id}/items": Route(_list_items, "runs:read", {200: ItemPage}, query=ItemsQuery),
    "GET /runs/{run_id}/items/{index}": Route(_get_item, "runs:read", {200: Item}),
    "POST /runs/{run_id}/export": Route(_export_run, "runs:read", {201: Export}, body=NoParameters),
    "POST /runs/{run_id}/retry": Route(_retry_run, "runs:write", {202: Run}, body=NoParameters),
    "GET /runs/{run_id}/steps": Route(
        waiting.list_steps, "runs:read", {200: waiting.StepList}, query=waiting.StepsQuery
    ),
    "POST /runs/{run_id}/events": Route(
        waiting.send_to_run, "runs:write", {202: waiting.EventTaken}, body=waiting.RunEvent
    ),
    "POST /events": Route(
        waiting.send_to_key, "events:write", {202: waiting.EventTaken}, body=KeyedEvent
    ),
    "DELETE /runs/{run_id}": Route(_cancel_run, "runs:write", {200: Run}, query=CancelQuery),
}
"""Routes, which unlike paths are the same under every domain and stage."""

if in_lambda():
    aws.client("stepfunctions")
    dynamodb.connect()
