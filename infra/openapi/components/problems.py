"""Problems as answers of operations: one response for each status, with its codes."""

from collections.abc import Iterable
from typing import Any

from functions.core import errors
from functions.core.http.problems import ITEM_CRASHED, TABLE
from infra.openapi.components.docstrings import class_text
from infra.openapi.components.headers import RETRY, headers

Errors = Iterable[type[Exception]]

ALWAYS: Errors = (errors.TokenInUrl, Exception, errors.Unavailable, errors.TooSlow)
"""Problems of every call."""
WITH_TOKEN: Errors = (errors.NotAuthenticated, errors.NotPermitted)
WITH_BODY: Errors = (
    errors.MalformedBody,
    errors.BodyTooLarge,
    errors.UnsupportedMediaType,
    errors.InvalidParameters,
)
WITH_KEY: Errors = (
    errors.InvalidIdempotencyKey,
    errors.IdempotencyKeyReused,
    errors.StillRunning,
    errors.ResultTooLarge,
)
"""Problems of a call that heeds `Idempotency-Key`."""

CODES = [*{kind.code for kind in TABLE.values()} - {"call_failed"}, ITEM_CRASHED]
"""All codes. A called workflow's failure is told as its own problem."""

_JSON = "application/problem+json"
_GATEWAY = {401, 403, 413, 429, 500, 503}
"""Statuses that API Gateway also answers by itself."""
_REF = {"$ref": "#/components/schemas/Problem"}


def problem_responses(raised: Errors, *, token: bool) -> dict[int, tuple[str, dict[str, Any]]]:
    """Name and response by status.

    Args:
        raised: errors of the operation.
        token: whether API Gateway authorizes it.
    """
    by_status: dict[int, list[type[Exception]]] = {429: []}
    for error in sorted(set(raised), key=lambda each: TABLE[each].code):
        by_status.setdefault(TABLE[error].status, []).append(error)
    gateway = _GATEWAY if token else _GATEWAY - {401, 403}
    return {
        status: _response(status, found, gateway=status in gateway)
        for status, found in sorted(by_status.items())
    }


def complete_problem_schema(schema: dict[str, Any]) -> None:
    """Adds all codes to the schema of a problem."""
    schema["properties"]["code"]["enum"] = sorted(CODES)


def _response(
    status: int, found: list[type[Exception]], *, gateway: bool
) -> tuple[str, dict[str, Any]]:
    codes = [TABLE[error].code for error in found]
    name = "Or".join("".join(map(str.capitalize, code.split("_"))) for code in codes)
    content: dict[str, Any] = {}
    if codes:
        narrowed = {"properties": {"status": {"const": status}, "code": {"enum": codes}}}
        content[_JSON] = {"schema": {"allOf": [_REF, narrowed]}}
    if gateway:
        content["application/json"] = {"schema": {"$ref": "#/components/schemas/Refusal"}}
    retry = RETRY if status in {429, 503} else ()
    limits = ("RateLimit", "RateLimit-Policy") if errors.LimitExceeded in found else ()
    asked = ("WWW-Authenticate",) if status == 401 else ()  # noqa: PLR2004 - RFC 9110 §15.5.2
    lines = [f"`{TABLE[error].code}`: {_sentence(error)}" for error in found]
    if gateway and not codes:
        lines = ["API Gateway's own refusal: more requests than the stack accepts."]
    return name or "TooManyRequests", {
        "description": "\n".join(f"- {line}" for line in lines) if len(lines) > 1 else lines[0],
        "headers": headers(f"X-Request-Id{'-Of-Code' * gateway}", *retry, *limits, *asked),
        "content": content,
    }


def _sentence(error: type[Exception]) -> str:
    """Explanation of an error for clients."""
    if error is Exception:
        return "An unexpected error. The log has it under the request's id."
    return class_text(error).partition("\n\n")[0]
