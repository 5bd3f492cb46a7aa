"""The document: all operations, and the components that they share."""

from typing import Any

from msgspec import structs

from functions.core.http.problems import Problem
from functions.core.parameters import Result
from functions.core.runs.run import Run
from infra.openapi.components import examples
from infra.openapi.components.headers import HEADERS, PARAMETERS, headers, parameter
from infra.openapi.components.problems import complete_problem_schema, problem_responses
from infra.openapi.components.schemas import Schema, Schemas
from infra.openapi.components.security import SCHEMES
from infra.openapi.operations import GROUPS, Operation, is_required, operation_of
from infra.openapi.routes import template_routes

_JSON = "application/json"
_NOWHERE = {
    *("create_upload", "export_run", "receive_webhook", "replay_delivery"),
    *("send_to_run", "send_to_key"),
}
"""Operations that create something without a path of its own, or nothing."""
_ACCEPTED = {
    200: "The answer.",
    201: "It was created.",
    202: "A run was started.",
    304: "The client has this version.",
}
_DESCRIPTION = """\
Verify an email address or a phone number, send emails from templates, and run work later.

- Requests and answers are JSON in UTF-8. Times are RFC 3339 in UTC.
- Optional parameters may be absent, null or "". Unknown parameters are refused.
- An answer always has the same fields; absent values are null.
- Errors are problems (RFC 9457). Switch on `code`.
"""


class Refusal(Result):
    """Answer of API Gateway itself, which has no code. Go by its status."""

    message: str
    """Reason."""


def document(server: str = "/") -> Schema:
    """The document.

    Args:
        server: URL of the API. By default the one that serves the document.
    """
    operations = [operation_of(route) for route in template_routes()]
    schemas = Schemas(
        [kind for each in operations for kind in each.requests],
        [
            *(kind for each in operations for kind in each.answers.values() if kind),
            Problem,
            Refusal,
        ],
    )
    complete_problem_schema(schemas.components["Problem"])
    responses: dict[str, Any] = {}
    paths: dict[str, Any] = {}
    for each in sorted(operations, key=lambda each: list(GROUPS).index(each.tag)):
        operation = _operation(each, schemas, responses)
        paths.setdefault(each.route.path, {})[each.route.method.lower()] = operation
    for each in operations:
        if each.query:  # its fields are parameters
            schemas.components.pop(each.query.__name__, None)
    used = {each.tag for each in operations}
    return {
        "openapi": "3.1.0",
        "info": _info(),
        "servers": [{"url": server}],
        "tags": [
            {"name": name, "description": text} for name, text in GROUPS.items() if name in used
        ],
        "paths": paths,
        "components": {
            "schemas": schemas.components,
            "responses": dict(sorted(responses.items())),
            "parameters": PARAMETERS,
            "headers": HEADERS,
            "securitySchemes": SCHEMES,
        },
    }


def _info() -> Schema:
    return {
        "title": "Backend workflows",
        "version": "1",
        "description": _DESCRIPTION,
        "license": {"name": "MIT", "identifier": "MIT"},
    }


def _operation(operation: Operation, schemas: Schemas, responses: dict[str, Any]) -> Schema:
    about: Schema = {
        "operationId": operation.name,
        "tags": [operation.tag],
        "summary": operation.told.summary,
        "description": operation.told.description,
        "security": operation.security,
    }
    if parameters := _parameters(operation, schemas):
        about["parameters"] = parameters
    if body := _body(operation, schemas):
        about["requestBody"] = body
    about["responses"] = {
        str(status): _answer(operation, status, schemas) for status in operation.answers
    }
    token = any("token" in each for each in operation.security)
    for status, (name, response) in problem_responses(operation.errors, token=token).items():
        unique = name if token or status not in {401, 403} else f"{name}OfPublicCall"
        responses[unique] = response
        about["responses"][str(status)] = {"$ref": f"#/components/responses/{unique}"}
    return about


def _parameters(operation: Operation, schemas: Schemas) -> list[Schema]:
    path = [
        {
            "name": name,
            "in": "path",
            "required": True,
            "description": text,
            "schema": schemas.reference(kind),
        }
        for name, kind, text in operation.path_parameters()
    ]
    query = [_query(field, operation, schemas) for field in _fields(operation.query)]
    return [*path, *query, *map(parameter, operation.headers)]


def _fields(kind: Any) -> tuple[structs.FieldInfo, ...]:  # noqa: ANN401 - a struct
    return structs.fields(kind) if kind else ()


def _query(field: structs.FieldInfo, operation: Operation, schemas: Schemas) -> Schema:
    whole = schemas.components[operation.query.__name__]
    schema = dict(whole["properties"][field.encode_name])
    found = {
        "name": field.encode_name,
        "in": "query",
        "required": field.required,
        "description": schema.pop("description", field.encode_name),
    }
    return found | {"schema": _without_null(schema)}


def _without_null(schema: Schema) -> Schema:
    """Schema of a query parameter, which is absent rather than null."""
    if isinstance(schema.get("type"), list):
        schema["type"] = schema["type"][0]
    if "enum" in schema:
        schema["enum"] = [each for each in schema["enum"] if each is not None]
    return schema


def _body(operation: Operation, schemas: Schemas) -> Schema | None:
    if operation.name == "receive_webhook":
        anything = {"description": "Whatever the source sends."}
        form = {"type": "object"} | anything
        return {
            "required": True,
            "content": {
                _JSON: {
                    "schema": anything,
                    "example": {"type": "order.paid", "data": {"id": 1042}},
                },
                "application/x-www-form-urlencoded": {"schema": form},
            },
        }
    if operation.body is None:
        return None
    media: Schema = {"schema": schemas.reference(operation.body)}
    if operation.workflow:
        names = {each.encode_name for each in _fields(operation.body)}
        found = examples.request_examples(operation.workflow, names)
    else:
        found = {"sample": examples.BODIES[operation.route.key]}
    if found:
        media["examples"] = {name: {"value": value} for name, value in found.items()}
    return {"required": is_required(operation.body), "content": {_JSON: media}}


def _answer(operation: Operation, status: int, schemas: Schemas) -> Schema:
    kind = operation.answers[status]
    response: Schema = {"description": _ACCEPTED[status], "headers": _headers(operation, status)}
    if kind:
        schema = schemas.reference(kind)
        response["description"] = _described(schema, schemas) or _ACCEPTED[status]
        example = examples.answer_example(schema, schemas)
        if operation.workflow and kind is Run:
            example = examples.run_example(operation.workflow, example)
        response["content"] = {_JSON: {"schema": schema, "example": example}}
    elif status == 200:  # noqa: PLR2004 - a 304 has no content
        response["content"] = {operation.content_type: _public_document(operation)}
    return response


def _described(schema: Schema, schemas: Schemas) -> str:
    return str(schemas.resolved(schema).get("description", ""))


def _headers(operation: Operation, status: int) -> Schema:
    if operation.tag == "Documents":
        return headers("X-Request-Id", "Cache-Control", "ETag")
    names = ["X-Request-Id", "Cache-Control"]
    if status in {201, 202} and operation.name not in _NOWHERE:
        names.append("Location")
    if status == 202 and operation.workflow:  # noqa: PLR2004 - RFC 7240 §4.1
        names.append("Preference-Applied")
    if status == 200 and "Prefer" in operation.headers:  # noqa: PLR2004 - of a run that has ended
        names += ["Location-Of-Run", "Preference-Applied-Of-Run"]
    return headers(*names)


def _public_document(operation: Operation) -> Schema:
    if operation.content_type == "text/plain":
        return {"schema": {"type": "string"}, "example": "1158201444"}
    if "json" not in operation.content_type:
        return {"schema": {"type": "string"}, "example": "(function () { /* … */ })();"}
    return {"schema": {"type": "object"}, "example": examples.DOCUMENTS[operation.route.path]}
