"""Makes records of API calls for the page Requests."""

import hashlib
import json
import re
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

from infra.console.redaction import kept_body, kept_query, without_tokens
from infra.console.request_log import Call
from infra.local import development
from infra.local.api import CONSOLE_HEADER, Reply, Sent
from infra.local.captured import utc

_KNOWN_TOKENS = {
    development.SECRET: "development secret",
    development.PUBLISHABLE: "development publishable",
}
_LEFT_OUT = {
    "authorization",
    "cookie",
    "connection",
    "content-length",
    "host",
    "proxy-authorization",
    CONSOLE_HEADER,
}
"""Headers that are not kept."""
_SENT = re.compile("content-type|prefer|idempotency-key|x-(?!forwarded).*|webhook-.*|stripe-.*")
"""Headers that decide on the answer."""
_ID_LENGTH = 16
"""Characters of a token's hash that are its id, as in functions.core.auth.tokens."""
_REFUSED_DELIVERIES = {"wrong_signature", "stale_delivery", "not_found", "unavailable"}
"""Problem codes of deliveries whose signature was not verified."""


def is_poll(headers: Mapping[str, str]) -> bool:
    """True for requests by which pages stay current; they are neither printed nor recorded."""
    return headers.get(CONSOLE_HEADER) == "poll" and _is_own(headers)


def record(sent: Sent, reply: Reply, seconds: float) -> Call:
    """The record of a call that took so many seconds."""
    path, _, query = sent.target.partition("?")
    values = _object(reply.body)
    problem = values if reply.status >= HTTPStatus.BAD_REQUEST else {}
    about = {
        "request_id": _request_id(reply, values),
        "at": utc(datetime.now(UTC)),
        "method": sent.method,
        "path": without_tokens(path),
        "status": reply.status,
        "code": problem.get("code"),
        "detail": problem.get("detail") or problem.get("message"),
        "duration_ms": round(seconds * 1000),
        "caller": _caller(sent.headers),
        "from": _page(sent.headers),
        "run_id": values.get("run_id"),
        "woken": values.get("woken"),
        **_delivery(path, reply.status, problem),
    }
    details = {
        "query": kept_query(query),
        "headers": _kept_headers(sent.headers),
        "body": kept_body(sent.body, sent.headers.get("content-type", "")),
        "answer": kept_body(reply.body, "", is_answer=True),
    }
    return Call(about, details)


def again(call: Call) -> dict[str, Any]:
    """The same request with a development token, as the real one is not kept."""
    about, details = call
    headers = {name: text for name, text in details["headers"].items() if _SENT.fullmatch(name)}
    if caller := about["caller"]:
        is_publishable = caller == _KNOWN_TOKENS[development.PUBLISHABLE]
        token = development.PUBLISHABLE if is_publishable else development.SECRET
        headers = {"authorization": f"Bearer {token}"} | headers
    query = f"?{details['query']}" if details["query"] else ""
    body = {} if details["body"] is None else {"body": details["body"]}
    return {
        "method": about["method"],
        "path": about["path"] + query,
        "headers": headers,
        **body,
    }


def _kept_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """Headers without credentials, and without those of the connection."""
    return {
        name: without_tokens(value)
        for name, value in sorted(headers.items())
        if name not in _LEFT_OUT
    }


def _request_id(reply: Reply, values: Mapping[str, Any]) -> str:
    """The id that the answer names; API Gateway's own answers may have none."""
    found = (
        reply.header("x-request-id")
        or reply.header("apigw-requestid")
        or str(values.get("request_id") or "")
    )
    return found or f"local-{uuid.uuid4().hex[:12]}"


def _object(body: bytes) -> dict[str, Any]:
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _caller(headers: Mapping[str, str]) -> str | None:
    """Name of the token, or its id; none without one."""
    token = headers.get("authorization", "").removeprefix("Bearer ").strip()
    if not token:
        return None
    digest = hashlib.sha256(token.encode(errors="replace")).hexdigest()
    return _KNOWN_TOKENS.get(token, f"token {digest[:_ID_LENGTH]}")


def _page(headers: Mapping[str, str]) -> str:
    """Sender: the console, the origin of a page, or a program."""
    if CONSOLE_HEADER in headers and _is_own(headers):
        return "console"
    return headers.get("origin") or "program"


def _is_own(headers: Mapping[str, str]) -> bool:
    """True unless another page sent it."""
    return headers.get("origin", "").lower() in {"", f"http://{headers.get('host', '')}".lower()}


def _delivery(path: str, status: int, problem: Mapping[str, Any]) -> dict[str, Any]:
    """Source of a webhook, and whether its signature was verified; nulls for other calls."""
    first, _, source = path.strip("/").partition("/")
    if first != "webhooks" or not source or "/" in source:
        return {"source": None, "verified": None}
    accepted = status < HTTPStatus.BAD_REQUEST
    refused = problem.get("code") in _REFUSED_DELIVERIES or "code" not in problem
    return {"source": source, "verified": accepted or not refused}
