"""Examples with realistic values, none of them null: Bubble and other tools learn the types of an
answer's fields from them.

A type's own `examples` come first. Then the field's name says what its value looks like.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from functions.core.messages import templates
from infra import sam
from infra.openapi.components.schemas import Schemas

EVENTS = sam.ROOT / "tests/events"

_TIME = "2026-12-01T09:00:00Z"
_PROBLEM = {
    "type": "urn:backend-workflows:problem:limit_exceeded",
    "title": "Too many requests",
    "status": 429,
    "detail": "Too many codes were sent to this destination. Try again in 47 s.",
    "code": "limit_exceeded",
    "request_id": "JKJaXmPLvHcESHA=",
    "retry_after_seconds": 47,
    "errors": [{"pointer": "/to", "detail": "is not a valid email address"}],
}

VALUES: dict[str, Any] = {
    "accept_url": "https://app.example.com/invitations/7f3a",
    "attempts": 1,
    "attempts_left": 4,
    "cancelled": 2,
    "channel": "email",
    "code_length": 6,
    "cursor": "eyJuIjo1MH0",
    "delivered": True,
    "delivery": "delivered",
    "detail": "It works.",
    "event_id": "evt_5f0c9ab2d1e84c57",
    "expires_in_seconds": 599,
    "expression": "cron(0 9 ? * MON-FRI *)",
    "failed": 1,
    "fields": {"key": "uploads/0f1e2d3c/list.csv", "policy": "eyJleHBpcmF0aW9uIjoi"},
    "finished_at": "2026-12-01T09:00:04Z",
    "given": "prod",
    "actual": "prod",
    "index": 0,
    "last_run_id": "verify_send.8984d8832ea2c6d95dec2c3e60",
    "local": "2026-12-02T09:00:00",
    "max_bytes": 100_000_000,
    "paused_because": "token_revoked",
    "clocks": "repeated",
    "meaning": "at 09:00 from Monday to Friday (Europe/Berlin)",
    "message_id": "0100019366f2a1b0-5c1d7a0e-3a43-4c1c-9a55-0d6d6c5f2f11-000000",
    "name": "email_sender",
    "next_at": "2026-12-02T08:00:00Z",
    "next_times": ["2026-12-02T08:00:00Z", "2026-12-03T08:00:00Z"],
    "parameters": {"channel": "email", "to": "ana@example.com"},
    "paused": False,
    "pending": 0,
    "portal_url": "https://portal.example.com/feedback",
    "problem": _PROBLEM,
    "proof": "eyJhbGciOiJFUzI1NiIsImtpZCI6IjEifQ.eyJzdWIiOiJhbmFAZXhhbXBsZS5jb20ifQ.c2lnbmF0dXJl",
    "purpose": "sign_in",
    "received_at": _TIME,
    "resend_at": "2026-12-01T09:01:00Z",
    "resend_in_seconds": 60,
    "result": {"sent": 1, "failed": 0},
    "run_id": "deliver_event.2d8ff5d23841bc11214e815999",
    "running": 0,
    "scopes": ["runs:read", "runs:write", "workflow:verify_check", "workflow:verify_send"],
    "sent": 1,
    "space_api_key": "01234567-89ab-4cde-8f01-23456789abcd",
    "started_at": _TIME,
    "status": "succeeded",
    "succeeded": 1,
    "timezone": "Europe/Berlin",
    "to": "a**@example.com",
    "token": "wf_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
    "token_id": "0f1e2d3c4b5a6978",
    "total": 2,
    "upload_id": "00112233445566778899aabbccddeeff.csv",
    "url": "https://api.example.com",
    "verification_id": "k1.d6AAAAAAAAAAAAAAAAAAAAAA",
    "workflow": "verify_send",
}
"""Values of fields by name, where they fit the field's schema."""

_SCHEDULE = {"run_id": "verify_send.2d8ff5d23841bc11214e815999"}

OF_TYPES: dict[str, dict[str, Any]] = {
    "AppLocation": {
        "region": {"given": "eu-central-1", "actual": "eu-central-1", "matches": True},
        "url": {
            "given": "https://api.example.com",
            "actual": "https://api.example.com",
            "matches": True,
        },
    },
    "RunSummary": {"workflow": "send_email_template"},
    "Run": {"workflow": "send_email_template"},
    "ListedSchedule": _SCHEDULE,
    "Schedule": _SCHEDULE,
    "EventDelivered": {"status": 204},
    "Delivery": {"status": "failed"},
    "DeliveryWithPayload": {
        "status": "failed",
        "payload": {"type": "order.paid", "data": {"id": 1042}},
        "query": {"verification_id": "k1.d6AAAAAAAAAAAAAAAAAAAAAA"},
    },
    "Export": {"url": "https://bucket.s3.eu-central-1.amazonaws.com/runs/…/export.csv?…"},
    "Item": {"row": 2},
    "Invalid": {"pointer": "/to", "detail": "is not a valid email address"},
    "MessageOutcome": {"problem": {"code": "provider_refused", "detail": "SES refused it."}},
    "NotSent": {"code": "provider_refused", "detail": "SES refused the message."},
    "Problem": _PROBLEM,
    "RegistrationRecorded": {"name": "registration"},
    "UploadForm": {"url": "https://bucket.s3.eu-central-1.amazonaws.com/"},
}
"""Values of fields that mean something else in one type."""

DOCUMENTS: dict[str, Any] = {
    "/.well-known/jwks.json": {
        "keys": [
            {
                "kty": "EC",
                "crv": "P-256",
                "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
                "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
                "alg": "ES256",
                "use": "sig",
                "kid": "1b9b1f5c",
            }
        ]
    },
    "/openapi.json": {"openapi": "3.1.0", "info": {"title": "Backend workflows", "version": "1"}},
}
"""Public documents by path."""

BODIES: dict[str, dict[str, Any]] = {
    "POST /runs": {
        "workflow": "send_email_template",
        "items": [
            {"to": "ana@example.com", "data": {"first_name": "Ana"}},
            {"to": "bo@example.com", "data": {"first_name": "Bo"}},
        ],
        "parameters": {"template": "welcome"},
    },
    "POST /runs/uploads": {"format": "csv"},
    "POST /runs/{run_id}/export": {},
    "POST /runs/{run_id}/retry": {},
    "POST /runs/{run_id}/events": {"type": "order.approved", "data": {"by": "ana"}},
    "POST /events": {"type": "user.activated", "key": "user-1042", "data": {"features": ["a"]}},
    "POST /webhooks/{source}/deliveries/{delivery_id}/replay": {},
    "POST /schedules": {
        "workflow": "verify_send",
        "parameters": {"channel": "email", "to": "ana@example.com"},
        "cron": "0 9 * * MON-FRI",
        "timezone": "Europe/Berlin",
        "group": "order-1234",
    },
    "PATCH /schedules/{schedule_id}": {"cron": "0 10 * * MON-FRI", "paused": False},
}
"""Bodies of the platform's own routes."""


def answer_example(schema: Mapping[str, Any], schemas: Schemas, name: str = "") -> Any:  # noqa: ANN401 - JSON
    """Value that fits a schema of an answer.

    Args:
        schema: of the value.
        schemas: all schemas, for references.
        name: of the field that has the value.
    """
    known = OF_TYPES.get(schema.get("$ref", "").rpartition("/")[2], {})
    schema = schemas.resolved(schema)
    if "examples" in schema:
        return schema["examples"][0]
    if name in VALUES and _fits(VALUES[name], schema):
        return VALUES[name]
    if schema.get("enum"):
        return schema["enum"][0]
    if "anyOf" in schema:
        return answer_example(schema["anyOf"][0], schemas, name)
    if schema.get("properties"):
        return {
            field: known[field] if field in known else answer_example(each, schemas, field)
            for field, each in schema["properties"].items()
        }
    return _plain(schema, schemas, name)


def _plain(schema: Mapping[str, Any], schemas: Schemas, name: str) -> Any:  # noqa: ANN401 - JSON
    """Value of a type without fields."""
    kind = _kinds(schema)[0]
    if kind == "array":
        return [answer_example(schema.get("items", {}), schemas, name.removesuffix("s"))]
    if schema.get("format") == "date-time":
        return _TIME
    if kind == "integer":
        return schema.get("minimum", 1)
    if kind == "number":
        return schema.get("minimum", 1.5)
    text = name.replace("_", " ") or "text"
    return {"boolean": True, "object": {}}.get(kind, text)


def _fits(value: object, schema: Mapping[str, Any]) -> bool:
    if "$ref" in schema or "anyOf" in schema or "properties" in schema:
        return False
    if "enum" in schema:
        return value in schema["enum"]
    types = {bool: "boolean", int: "integer", str: "string", list: "array", dict: "object"}
    kinds = _kinds(schema)
    return kinds == [""] or types[type(value)] in kinds


def _kinds(schema: Mapping[str, Any]) -> list[str]:
    kind = schema.get("type", "")
    return kind if isinstance(kind, list) else [kind]


def run_example(workflow: str, example: Mapping[str, Any]) -> dict[str, Any]:
    """Example of the run that one call of a workflow has started."""
    run_id = f"{workflow}.8984d8832ea2c6d95dec2c3e60"
    counts = {"total": 1, "succeeded": 1, "failed": 0}
    return {**example, "run_id": run_id, "workflow": workflow, **counts}


def request_examples(workflow: str, fields: set[str]) -> dict[str, Any]:
    """Parameters of a workflow's sample event, and of each template that it may be given."""
    found = {}
    if (parameters := _sample(EVENTS / f"{workflow}.json")) is not None:
        found["sample"] = parameters
    if {"to", "template", "data"} <= fields:
        found |= {name: _email(name, data) for name, data in _templates()}
    return found


def _sample(path: Path) -> Any:  # noqa: ANN401 - JSON
    event = json.loads(path.read_text()) if path.exists() else {}
    return json.loads(event["body"]) if "body" in event else event.get("parameters")


def _templates() -> Iterator[tuple[str, Any]]:
    for path in sorted(Path(templates.__path__[0]).glob("*/sample.json")):
        yield path.parent.name, json.loads(path.read_text())


def _email(template: str, data: object) -> dict[str, Any]:
    return {"to": "ana@example.com", "template": template, "data": data}
