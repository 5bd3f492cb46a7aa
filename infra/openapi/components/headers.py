"""Headers of requests and answers, each described once."""

import re
from typing import Any

RETRY = ("Retry-After",)

_TEXT = {"type": "string"}
_VARIANT = re.compile("-Of-(?:Code|Run)$")
"""Ending of the name under which a header has a second description."""

HEADERS: dict[str, dict[str, Any]] = {
    "Cache-Control": {
        "required": True,
        "description": "Whether and how long the answer may be kept.",
        "schema": _TEXT | {"examples": ["no-store"]},
    },
    "ETag": {
        "required": True,
        "description": "Version of the document, for `If-None-Match`.",
        "schema": _TEXT | {"pattern": '^"[0-9a-f]{32}"$'},
    },
    "Location": {
        "required": True,
        "description": "Path of the run or the schedule that was created.",
        "schema": _TEXT | {"format": "uri-reference"},
    },
    "Location-Of-Run": {
        "description": "Path of the run, where `Prefer` has asked for one and for a `wait`.",
        "schema": _TEXT | {"format": "uri-reference"},
    },
    "Preference-Applied": {
        "required": True,
        "description": "`respond-async`, and the `wait` that applied.",
        "schema": _TEXT
        | {"pattern": "^respond-async(, wait=[0-9]+)?$", "examples": ["respond-async"]},
    },
    "Preference-Applied-Of-Run": {
        "description": "The `wait` that applied, where the result is that of a run.",
        "schema": _TEXT | {"pattern": "^wait=[0-9]+$", "examples": ["wait=10"]},
    },
    "RateLimit": {
        "description": "The limit that was reached: what remains (`r`), and the seconds until it "
        "opens (`t`), as in draft-ietf-httpapi-ratelimit-headers-11.",
        "schema": _TEXT | {"examples": ['"destination";r=0;t=47']},
    },
    "RateLimit-Policy": {
        "description": "The limit's quota (`q`) and its window in seconds (`w`).",
        "schema": _TEXT | {"examples": ['"destination";q=5;w=3600']},
    },
    "Retry-After": {
        "description": "Seconds until the same call may succeed.",
        "schema": {"type": "integer", "minimum": 0, "examples": [47]},
    },
    "WWW-Authenticate": {
        "description": "How to authenticate: `Bearer`.",
        "schema": _TEXT | {"examples": ["Bearer"]},
    },
    "X-Request-Id": {
        "required": True,
        "description": "Id of the request, also in the log.",
        "schema": _TEXT | {"examples": ["JKJaXmPLvHcESHA="]},
    },
    "X-Request-Id-Of-Code": {
        "description": "Id of the request, also in the log. API Gateway's own refusals have none.",
        "schema": _TEXT | {"examples": ["JKJaXmPLvHcESHA="]},
    },
}
"""Headers of answers."""

PARAMETERS: dict[str, dict[str, Any]] = {
    "IdempotencyKey": {
        "name": "Idempotency-Key",
        "in": "header",
        "description": "Makes a repeated call safe: it gets the first answer, and does nothing "
        "twice. A UUID, for example. Answers are kept for a day. The key of a publishable token "
        "is ignored.",
        "schema": _TEXT
        | {
            "pattern": "^[!#-~]{1,255}$",
            "examples": ["0b8f6d5e-8f7a-4a3c-9d43-5a0f2f1f7c11"],
        },
    },
    "PassedIdempotencyKey": {
        "name": "Idempotency-Key",
        "in": "header",
        "description": "Makes a repeated call safe, also with a publishable token. No answer is "
        "kept: the operation says what the key does. A UUID, for example.",
        "schema": _TEXT
        | {
            "pattern": "^[!#-~]{1,255}$",
            "examples": ["8e03978e-40d5-43dd-bc93-6894a57f9324"],
        },
    },
    "Prefer": {
        "name": "Prefer",
        "in": "header",
        "description": "With `respond-async` the workflow runs in the background, and the answer "
        "is 202 with its run. This needs the scope `runs:write`, too. With "
        "`respond-async, wait=10` the answer waits up to ten seconds (20 at most) for the run, "
        "and is that of the workflow if the run has ended.",
        "schema": _TEXT | {"examples": ["respond-async", "respond-async, wait=10"]},
    },
    "IfNoneMatch": {
        "name": "If-None-Match",
        "in": "header",
        "description": "`ETag` of the version that the client has.",
        "schema": _TEXT,
    },
}
"""Headers of requests."""


def headers(*names: str) -> dict[str, Any]:
    """References to headers of an answer."""
    return {_VARIANT.sub("", name): {"$ref": f"#/components/headers/{name}"} for name in names}


def parameter(name: str) -> dict[str, str]:
    """Reference to a header of a request."""
    return {"$ref": f"#/components/parameters/{name}"}
