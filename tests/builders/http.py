"""Calls over HTTP, as API Gateway hands them to a function."""

import base64
import json
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from aws_lambda_powertools.utilities.typing import LambdaContext

from infra.workflows import workflows

ALL_SCOPES = tuple(f"workflow:{name}" for name in workflows())


class Context(LambdaContext):
    """Lambda's context, as far as handlers use it."""

    aws_request_id = "00000000-0000-4000-8000-000000000000"
    function_name = "tests"
    memory_limit_in_mb = 512
    invoked_function_arn = "arn:aws:lambda:us-east-1:123456789012:function:tests"

    def __init__(self, remaining_ms: int = 30_000) -> None:
        self._remaining_ms = remaining_ms

    def get_remaining_time_in_millis(self) -> int:  # type: ignore[override] # static in the base class
        return self._remaining_ms


def http_event(
    body: object = None,
    *,
    kind: str = "secret",
    scopes: Iterable[str] = ALL_SCOPES,
    query: str = "",
    content_type: str | None = "application/json",
    encoded: bool = False,
    authorized: bool = True,
    audience: str | None = None,
    token_id: str = "0123456789abcdef",
    headers: Mapping[str, str] | None = None,
    ip: str = "192.0.2.1",
) -> dict[str, Any]:
    """Event of an authorized request, as API Gateway sends it (HTTP API, payload 2.0).

    A `str` body is sent as it is.
    """
    text = body if isinstance(body, str) else json.dumps({} if body is None else body)
    token = {"token_id": token_id, "kind": kind, "scopes": " ".join(scopes)}
    authorizer = {"lambda": token | ({"audience": audience} if audience else {})}
    return {
        "version": "2.0",
        "routeKey": "POST /workflows/tests",
        "rawPath": "/workflows/tests",
        "rawQueryString": query,
        "headers": ({"content-type": content_type} if content_type else {}) | dict(headers or {}),
        "requestContext": {
            "http": {"method": "POST", "path": "/workflows/tests", "sourceIp": ip},
            "requestId": "request-1",
            "domainName": "api.example.com",
            "authorizer": authorizer if authorized else None,
        },
        "body": base64.b64encode(text.encode()).decode() if encoded else text,
        "isBase64Encoded": encoded,
    }


class Reply(NamedTuple):
    """An answer of the HTTP trigger."""

    status: int
    headers: dict[str, str]
    body: dict[str, Any]


def call(handler: Any, body: object = None, **options: Any) -> Reply:
    """Calls a handler over HTTP and returns its answer."""
    answer = handler(http_event(body, **options), Context())
    return Reply(answer["statusCode"], answer["headers"], json.loads(answer["body"]))
