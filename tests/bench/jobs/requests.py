"""Events of API Gateway: a request as a browser sends it, with all that API Gateway adds.

AWS documentation: "Create AWS Lambda proxy integrations for HTTP APIs", payload formats 2.0 and
1.0; "Control access to HTTP APIs with AWS Lambda authorizers".
"""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

TOKEN = f"wf_{'A' * 43}"
TOKEN_HASH = hashlib.sha256(TOKEN.encode()).hexdigest()
TOKEN_ID = TOKEN_HASH[:16]

_HEADERS = {
    "accept": "application/json",
    "accept-encoding": "gzip, br",
    "authorization": f"Bearer {TOKEN}",
    "content-type": "application/json",
    "host": "api0000000.execute-api.us-east-1.amazonaws.com",
    "origin": "https://app.example.com",
    "user-agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    "x-amzn-trace-id": "Root=1-00000000-000000000000000000000000",
    "x-forwarded-for": "203.0.113.7",
    "x-forwarded-port": "443",
    "x-forwarded-proto": "https",
}


def http_event(
    name: str,
    body: object,
    *,
    headers: Mapping[str, str] | None = None,
    folder: str = "workflows",
) -> dict[str, Any]:
    """A POST to `/workflows/<name>`, authorized (payload 2.0). A `str` body is sent as it is."""
    text = body if isinstance(body, str) else json.dumps(body)
    route = f"POST /{folder}/{name if folder == 'workflows' else '{source}'}"
    scopes = f"workflow:{name}"
    token = {"token_id": TOKEN_ID, "kind": "secret", "scopes": scopes}
    return {
        "version": "2.0",
        "routeKey": route,
        "rawPath": f"/{folder}/{name}",
        "rawQueryString": "",
        "headers": _HEADERS | {"content-length": str(len(text))} | dict(headers or {}),
        "requestContext": _context(name, route, folder) | {"authorizer": {"lambda": token}},
        "pathParameters": {"source": name},
        "body": text,
        "isBase64Encoded": False,
    }


def authorizer_event(name: str, token: str) -> dict[str, Any]:
    """The question of API Gateway about a request's token."""
    route = f"POST /workflows/{name}"
    return {
        "version": "2.0",
        "type": "REQUEST",
        "routeArn": f"arn:aws:execute-api:us-east-1:000000000000:api0000000/$default/{route}",
        "identitySource": [f"Bearer {token}"],
        "routeKey": route,
        "rawPath": f"/workflows/{name}",
        "rawQueryString": "",
        "headers": _HEADERS,
        "requestContext": _context(name, route, "workflows"),
    }


def as_payload_1(event: Mapping[str, Any]) -> dict[str, Any]:
    """The same request in payload format 1.0, which Chalice reads."""
    path = event["rawPath"]
    return {
        "version": "1.0",
        "resource": path,
        "path": path,
        "httpMethod": "POST",
        "headers": event["headers"],
        "multiValueHeaders": {name: [value] for name, value in event["headers"].items()},
        "queryStringParameters": None,
        "multiValueQueryStringParameters": None,
        "pathParameters": None,
        "stageVariables": None,
        "requestContext": {
            "accountId": "000000000000",
            "apiId": "api0000000",
            "authorizer": event["requestContext"]["authorizer"]["lambda"],
            "httpMethod": "POST",
            "identity": {"sourceIp": "203.0.113.7"},
            "path": path,
            "requestId": event["requestContext"]["requestId"],
            "resourcePath": path,
            "stage": "$default",
        },
        "body": event["body"],
        "isBase64Encoded": False,
    }


def _context(name: str, route: str, folder: str) -> dict[str, Any]:
    return {
        "accountId": "000000000000",
        "apiId": "api0000000",
        "domainName": "api0000000.execute-api.us-east-1.amazonaws.com",
        "domainPrefix": "api0000000",
        "http": {
            "method": "POST",
            "path": f"/{folder}/{name}",
            "protocol": "HTTP/1.1",
            "sourceIp": "203.0.113.7",
            "userAgent": _HEADERS["user-agent"],
        },
        "requestId": "JKJaXmPLvHcESHA=",
        "routeKey": route,
        "stage": "$default",
        "time": "22/Nov/2026:12:00:00 +0000",
        "timeEpoch": 1795348800000,
    }
