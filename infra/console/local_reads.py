"""Reads of `make run`: the routes below `/_local/`."""

import os
from http import HTTPStatus
from typing import Any

from infra.console import about, catalog, events, list_samples, log_lines, messages, webhooks
from infra.console.about import Stack
from infra.console.answer import Refused
from infra.console.emails import Emails
from infra.console.recording import again
from infra.console.request_log import MOST_CALLS
from infra.console.routes import Request, Route, Routes


def local_reads(stack: Stack) -> Routes:
    """Routes that read a running stack; what it has is read at each request."""
    emails = Emails(lambda: {**os.environ, **stack.settings})
    return Routes(
        Route("GET", "/_local/about", lambda _: about.about(stack)),
        Route("GET", "/_local/tokens", lambda _: about.token_names(stack)),
        Route("GET", "/_local/inbox", lambda request: messages.messages(stack.inbox, request)),
        Route(
            "GET",
            "/_local/inbox/{message_id}/html",
            lambda request, message_id: messages.html(stack.inbox, request, message_id),
        ),
        Route(
            "GET",
            "/_local/inbox/{message_id}/links",
            lambda _, message_id: messages.links_of(stack.inbox, message_id),
        ),
        Route(
            "GET",
            "/_local/inbox/{message_id}/source",
            lambda _, message_id: messages.source(stack.inbox, message_id),
        ),
        Route("GET", "/_local/workflows", lambda _: catalog.read_workflows()),
        Route("POST", "/_local/sample-list", list_samples.sample_list),
        Route("GET", "/_local/requests", lambda request: _requests(stack, request)),
        Route(
            "GET",
            "/_local/requests/{request_id}",
            lambda _, request_id: _request(stack, request_id),
        ),
        Route("GET", "/_local/logs", lambda request: _logs(stack, request)),
        Route("GET", "/_local/webhooks", lambda _: webhooks.sources(stack)),
        Route(
            "POST",
            "/_local/webhooks/{source}/sample",
            lambda request, source: webhooks.sample(stack, request, source),
        ),
        Route("GET", "/_local/events", lambda _: _events(stack)),
        *emails.routes(),
    )


def _requests(stack: Stack, request: Request) -> list[dict[str, Any]]:
    limit = request.query.get("limit") or str(MOST_CALLS)
    if not limit.isdecimal() or not limit.isascii():
        raise Refused(HTTPStatus.BAD_REQUEST, "limit must be a number.")
    return stack.requests.newest(request.query.get("path", ""), int(limit[:6]))


def _request(stack: Stack, request_id: str) -> dict[str, Any]:
    """A call with its log lines; the lines alone, if it was not over HTTP or is forgotten."""
    call = stack.requests.find(request_id)
    emulator = stack.deployment.emulator
    if call:
        lines = log_lines.of_request(emulator, request_id, call.about["at"])
        return {"request": call.about, **call.details, "again": again(call), "lines": lines}
    lines = log_lines.of_request(emulator, request_id)
    if not lines:
        raise Refused(HTTPStatus.NOT_FOUND, "No call and no log line has this request_id.")
    return {
        "request": None,
        "query": "",
        "headers": {},
        "body": None,
        "answer": None,
        "lines": lines,
    }


def _events(stack: Stack) -> list[dict[str, Any]]:
    return events.events(log_lines.of_workflow(stack.deployment.emulator, events.WORKFLOW))


def _logs(stack: Stack, request: Request) -> dict[str, Any]:
    run_id = request.query.get("run", "")
    if not run_id:
        raise Refused(HTTPStatus.BAD_REQUEST, "run must be the id of a run.")
    index = request.query.get("index", "")
    return {"lines": log_lines.of_run(stack.deployment.emulator, run_id, index)}
