"""API Gateway: its events (HTTP API, payload format 2.0) and the answers that it takes."""

import base64
import binascii
import hashlib
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote_plus

import msgspec

from functions.core import config
from functions.core.errors import (
    BodyTooLarge,
    FieldError,
    IdempotencyKeyRefused,
    InvalidIdempotencyKey,
    InvalidParameters,
    MalformedBody,
    ResultTooLarge,
    TokenInUrl,
    UnsupportedMediaType,
)

if TYPE_CHECKING:
    from functions.core.http.problems import Problem
from functions.core.parameters import NOT_A_PARAMETER, encode_validated

MAX_BODY_BYTES = 3_000_000
"""Below Lambda's 6 MB, because JSON grows when it travels inside an event."""
MAX_ANSWER_BYTES = 5_000_000
_MAX_ESCAPED_BYTES = 6_000_000
"""Lambda's 6 MB (6,291,556 bytes) for an answer, in which the body is an escaped text."""
_SURELY_FITS = 1_000_000
"""Characters of a body that is not measured: each has at most 4 bytes."""

Request = Mapping[str, Any]
Response = dict[str, Any]

_TOKEN_IN_QUERY = re.compile(
    r"(?:^|&)(?:access_token|authorization|token)=|wf_[A-Za-z0-9_-]{43}", re.IGNORECASE
)
_IDEMPOTENCY_KEY = re.compile(r'"?([!#-~]{1,255})"?')
"""A structured field's string (RFC 9651 §3.3.3). Most clients send it without its quotes."""
_JSON_MEDIA_TYPE = re.compile(r"application/(?:[\w.+-]+\+)?json\s*(?:;|$)", re.IGNORECASE)
_UTF8_MARK = b"\xef\xbb\xbf"
"""Byte order mark, which a parser may ignore (RFC 8259 §8.1)."""
_PREFERENCE = re.compile(r'(?:[^,"]|"(?:[^"\\]|\\.)*"|")+')
_BEFORE_PARAMETERS = re.compile(r'(?:[^;"]|"(?:[^"\\]|\\.)*"|")*')
_LONGEST_PREFER = 1000
"""Characters of `Prefer` that are read: an unclosed quote costs their square."""


@config.settings()
class ApiSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Settings of the API."""

    public_url: config.PublicUrl = ""
    """The API's URL where it has a domain of its own: the issuer of proofs, and what some webhook
    schemes sign. Never taken from a request."""


def public_url() -> str:
    """The API's URL where it has a domain of its own; empty elsewhere."""
    return config.read(ApiSettings).public_url


def is_http(event: Request) -> bool:
    """Whether the event is API Gateway's.

    Only API Gateway and IAM principals choose an event's top level.
    """
    return "http" in event.get("requestContext", {})


def request_id_of(event: Request) -> str:
    """API Gateway's id of the request; also in its access log."""
    return str(event["requestContext"].get("requestId", ""))


def refuse_token_in_url(event: Request) -> None:
    """Raises `TokenInUrl` for a token in the URL: URLs end up in logs and histories."""
    query = event.get("rawQueryString") or ""
    if _TOKEN_IN_QUERY.search(query) or _TOKEN_IN_QUERY.search(unquote_plus(query)):
        raise TokenInUrl(
            "Send the token in the Authorization header only, and revoke this one: "
            "URLs are written to logs."
        )


def refuse_query(event: Request) -> None:
    """Raises `InvalidParameters` for a query: the parameters of this call are in its body."""
    query = parse_qsl(event.get("rawQueryString") or "", keep_blank_values=True)
    if query:
        names = dict.fromkeys(name.replace("~", "~0").replace("/", "~1") for name, _ in query)
        sentence = f"{NOT_A_PARAMETER}; those of a POST or PATCH stand in the body"
        raise InvalidParameters(*(FieldError(f"/{name}", sentence) for name in names))


def preferences(event: Request) -> dict[str, str]:
    """Preferences of the `Prefer` header by name, in lower case; "" for one without a value.

    Of a repeated preference the first counts (RFC 7240 §2).
    """
    found: dict[str, str] = {}
    for each in _PREFERENCE.findall(_header(event, "prefer")[:_LONGEST_PREFER]):
        about = _BEFORE_PARAMETERS.match(each)
        name, _, value = (about[0] if about else "").partition("=")
        found.setdefault(name.strip().lower(), value.strip().strip('"'))
    return found


def prefers(event: Request, preference: str) -> bool:
    """Whether a `Prefer` header has this preference, one without a value."""
    return preferences(event).get(preference) == ""


def read_body(event: Request) -> dict[str, Any]:
    """The JSON object in the body; no body is an empty object.

    Raises:
        UnsupportedMediaType, BodyTooLarge, MalformedBody
    """
    body = _decoded(event).removeprefix(_UTF8_MARK)
    if not body:
        return {}
    _refuse_encoded(event)
    content_type = _header(event, "content-type")
    if content_type and not _JSON_MEDIA_TYPE.match(content_type):
        raise UnsupportedMediaType(
            "Send the parameters as JSON, with content-type application/json."
        )
    _refuse_too_large(body)
    return _json_object(body)


def raw_body(event: Request) -> bytes:
    """The body's bytes, as they were sent.

    Raises:
        BodyTooLarge, MalformedBody
    """
    body = _decoded(event)
    _refuse_too_large(body)
    return body


def headers_of(event: Request) -> dict[str, str]:
    """All headers, their names in lower case."""
    return {name.lower(): value for name, value in (event.get("headers") or {}).items()}


def has_idempotency_key(event: Request) -> bool:
    """Whether the request has an `Idempotency-Key`, be it an empty one."""
    return "idempotency-key" in headers_of(event)


def refuse_idempotency_key(event: Request) -> None:
    """Raises `IdempotencyKeyRefused` for a request with an `Idempotency-Key`."""
    if has_idempotency_key(event):
        raise IdempotencyKeyRefused(
            "Send this call without Idempotency-Key: its answer holds a secret, and is not kept."
        )


def idempotency_key(event: Request, token_id: str) -> str:
    """The request's `Idempotency-Key`, scoped to its token and route.

    Raises `InvalidIdempotencyKey`.
    """
    return f"{token_id}\n{event['routeKey']}\n{read_idempotency_key(event)}"


def read_idempotency_key(event: Request) -> str:
    """The request's `Idempotency-Key`, as its client made it. Raises `InvalidIdempotencyKey`."""
    found = _IDEMPOTENCY_KEY.fullmatch(_header(event, "idempotency-key").strip())
    if not found:
        raise InvalidIdempotencyKey(
            "Idempotency-Key is 1 to 255 printable ASCII characters, such as a UUID."
        )
    return found[1]


def run_seed(event: Request, token_id: str) -> str | None:
    """Seed of a run's id; a repeated request gets the same run.

    Null without an `Idempotency-Key`.
    """
    if not has_idempotency_key(event):
        return None
    return "\n".join(
        [idempotency_key(event, token_id), *(event.get("pathParameters") or {}).values()]
    )


def answer(result: object, request_id: str, *, status: int = 200) -> Response:
    """200 with the result, or another status of success. Raises `ResultTooLarge`."""
    reply = _answer(status, "application/json", result, request_id)
    _refuse_too_large_result(reply["body"])
    return reply


def text_answer(text: str, request_id: str) -> Response:
    """200 with a plain text, which no browser takes for a page."""
    reply = _answer(200, "text/plain; charset=utf-8", None, request_id)
    reply["headers"]["x-content-type-options"] = "nosniff"
    return reply | {"body": text}


def accepted(run: Any, request_id: str, *, preference: str = "") -> Response:  # noqa: ANN401 - a Run, of the background only
    """202 with a run that was started.

    `preference`: the preference that was applied (RFC 7240 §3 and §4.1).
    """
    reply = _answer(202, "application/json", run, request_id)
    reply["headers"] |= {"location": f"/runs/{run.run_id}"} | (
        {"preference-applied": preference} if preference else {}
    )
    return reply


def result_too_large(size: int) -> ResultTooLarge:
    """The error of a result of this many bytes, which Lambda would not take as an answer."""
    return ResultTooLarge(
        f"The result has {size:,} bytes; at most {MAX_ANSWER_BYTES:,} are answered, and fewer "
        "where many of them are quotes or line breaks. Ask for less at once."
    )


def document_answer(event: Request, document: str, content_type: str, *, max_age: int) -> Response:
    """200 with a public document; 304 for a client that has it already (RFC 9110 §13.1.2).

    Any page may read it and keep it for `max_age` seconds.
    """
    tag = f'"{hashlib.sha256(document.encode()).hexdigest()[:32]}"'
    headers = {
        "content-type": content_type,
        "cache-control": f"public, max-age={max_age}",
        "etag": tag,
        "cross-origin-resource-policy": "cross-origin",
        "x-content-type-options": "nosniff",
        "x-request-id": request_id_of(event),
    }
    known = {each.strip().removeprefix("W/") for each in _header(event, "if-none-match").split(",")}
    if known & {tag, "*"}:
        return {"statusCode": 304, "headers": headers, "body": ""}
    return {"statusCode": 200, "headers": headers, "body": document}


def problem_answer(problem: "Problem", headers: Mapping[str, str]) -> Response:
    """A problem, with the headers that belong to it."""
    reply = _answer(problem.status, "application/problem+json", problem, problem.request_id)
    reply["headers"].update(headers)
    return reply


def _answer(status: int, content_type: str, body: object, request_id: str) -> Response:
    headers = {
        "content-type": content_type,
        "cache-control": "no-store",
        "x-request-id": request_id,
    }
    return {
        "statusCode": status,
        "headers": headers,
        "body": msgspec.json.encode(body, enc_hook=encode_validated).decode(),
    }


def _refuse_encoded(event: Request) -> None:
    """Refuses a compressed body (RFC 9110 §15.5.16)."""
    if _header(event, "content-encoding").strip().lower() not in {"", "identity"}:
        raise UnsupportedMediaType("Send the body as it is, without content-encoding.")


def _refuse_too_large(body: bytes) -> None:
    if len(body) > MAX_BODY_BYTES:
        raise BodyTooLarge(
            f"The body has {len(body):,} bytes; at most {MAX_BODY_BYTES:,} are allowed."
        )


def _refuse_too_large_result(body: str) -> None:
    if len(body) < _SURELY_FITS:
        return
    size = len(body.encode())
    if size > MAX_ANSWER_BYTES or len(msgspec.json.encode(body)) > _MAX_ESCAPED_BYTES:
        raise result_too_large(size)


def _decoded(event: Request) -> bytes:
    body = event.get("body") or ""
    if not event.get("isBase64Encoded"):
        return str(body).encode()
    try:
        return base64.b64decode(body, validate=True)
    except binascii.Error:
        raise MalformedBody("The body is not valid base64.") from None


def _json_object(body: bytes) -> dict[str, Any]:
    try:
        values = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise MalformedBody("The body is not valid JSON.") from None
    if not isinstance(values, dict):
        raise MalformedBody("The body must be a JSON object.")
    return values


def _header(event: Request, name: str) -> str:
    """A header's value. API Gateway sends names in lower case; emulators and tests may not."""
    headers = event.get("headers") or {}
    return next((value for key, value in headers.items() if key.lower() == name), "")
