"""Problems (RFC 9457): the one table that maps the domain's errors to HTTP."""

from typing import NamedTuple

import msgspec

from functions.core import errors


class Kind(NamedTuple):
    """What an error is over HTTP.

    `code` is a wire contract: clients switch on it, so it is never renamed.
    """

    status: int
    code: str
    title: str


TABLE: dict[type[Exception], Kind] = {
    errors.MalformedBody: Kind(400, "malformed_body", "The body is not a JSON object"),
    errors.InvalidIdempotencyKey: Kind(400, "invalid_idempotency_key", "The header holds no key"),
    errors.IdempotencyKeyRefused: Kind(
        400, "idempotency_key_refused", "This call takes no idempotency key"
    ),
    errors.StaleDelivery: Kind(400, "stale_delivery", "The delivery was signed too long ago"),
    errors.NotAuthenticated: Kind(401, "not_authenticated", "A valid token is required"),
    errors.TokenInUrl: Kind(401, "token_in_url", "Tokens are not accepted in the URL"),
    errors.WrongSignature: Kind(401, "wrong_signature", "The signature is not the source's"),
    errors.NotPermitted: Kind(403, "not_permitted", "The token does not allow this"),
    errors.NotFound: Kind(404, "not_found", "There is nothing of that name"),
    errors.Conflict: Kind(409, "conflict", "The call does not fit the present state"),
    errors.AttemptsExhausted: Kind(
        409, "attempts_exhausted", "All attempts of that verification are used"
    ),
    errors.StillRunning: Kind(409, "still_running", "The first call with this key has not ended"),
    errors.BodyTooLarge: Kind(413, "body_too_large", "The body is too large"),
    errors.UnsupportedMediaType: Kind(415, "unsupported_media_type", "The body must be JSON"),
    errors.InvalidParameters: Kind(422, "invalid_parameters", "The parameters are not valid"),
    errors.CountryNotAllowed: Kind(422, "country_not_allowed", "No SMS is sent to this country"),
    errors.LineTypeNotSupported: Kind(422, "line_type_not_supported", "This number gets no SMS"),
    errors.IdempotencyKeyReused: Kind(
        422, "idempotency_key_reused", "The key was used with other parameters"
    ),
    errors.UnreadableItems: Kind(422, "unreadable_items", "The uploaded list cannot be read"),
    errors.NotInBackground: Kind(
        422, "not_in_background", "This workflow cannot run in the background"
    ),
    errors.LimitExceeded: Kind(429, "limit_exceeded", "Too many calls"),
    errors.ProviderRefused: Kind(502, "provider_refused", "The provider refused the message"),
    errors.DeliveryRefused: Kind(502, "delivery_refused", "The event cannot be delivered"),
    errors.CallFailed: Kind(502, "call_failed", "Another workflow failed"),
    errors.Unavailable: Kind(503, "unavailable", "Temporarily unavailable"),
    errors.ProviderUnavailable: Kind(503, "provider_unavailable", "No provider is available"),
    errors.NotDelivered: Kind(503, "not_delivered", "The event was not delivered"),
    errors.TooSlow: Kind(504, "too_slow", "The call took too long"),
    errors.ResultTooLarge: Kind(500, "result_too_large", "The result is too large to be kept"),
    errors.RunFailed: Kind(500, "run_failed", "The run failed"),
    Exception: Kind(500, "internal_error", "Something went wrong here"),
}


class Invalid(msgspec.Struct, frozen=True):
    """One wrong parameter."""

    pointer: str
    detail: str


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """The body of every error answer of ours (`application/problem+json`)."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    request_id: str
    retry_after_seconds: int | None = None
    errors: tuple[Invalid, ...] = ()


def problem(error: Exception, request_id: str) -> Problem:
    """What a client is told of an error: the nearest row of the table along the error's bases.

    Only the text of a `WorkflowError` travels; of any other exception the client learns nothing but
    the request id, by which the log has the rest.
    """
    if isinstance(error, errors.CallFailed):
        return msgspec.convert({**error.problem, "request_id": request_id}, Problem)
    kind = next(TABLE[base] for base in type(error).__mro__ if base in TABLE)
    known = error if isinstance(error, errors.WorkflowError) else None
    return Problem(
        type=f"urn:backend-workflows:problem:{kind.code}",
        title=kind.title,
        status=kind.status,
        detail=known.detail
        if known
        else f"An unexpected error; the log has it: make logs REQUEST={request_id}",
        code=kind.code,
        request_id=request_id,
        retry_after_seconds=known.retry_after if known else None,
        errors=tuple(Invalid(*each) for each in known.errors) if known else (),
    )


def headers(error: Exception) -> dict[str, str]:
    """The headers that belong to an error (RFC 9110 §10.2.3 and §11.6.1,
    draft-ietf-httpapi-ratelimit-headers-11).
    """
    found = {}
    if isinstance(error, errors.NotAuthenticated):
        found["www-authenticate"] = "Bearer"
    if isinstance(error, errors.WorkflowError) and error.retry_after is not None:
        found["retry-after"] = str(error.retry_after)
    if isinstance(error, errors.LimitExceeded):
        name, quota, window_seconds = error.policy
        found["ratelimit-policy"] = f'"{name}";q={quota};w={window_seconds}'
        found["ratelimit"] = f'"{name}";r=0;t={error.retry_after}'
    return found
