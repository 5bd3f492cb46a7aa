"""Problems (RFC 9457): the one table that maps the domain's errors to HTTP."""

from typing import NamedTuple

import msgspec

from functions.core import errors


class Kind(NamedTuple):
    """HTTP form of an error. Clients switch on `code`: it is a wire contract and never changes."""

    status: int
    code: str
    title: str


TABLE: dict[type[Exception], Kind] = {
    errors.MalformedBody: Kind(400, "malformed_body", "The body is not a JSON object"),
    errors.InvalidIdempotencyKey: Kind(
        400, "invalid_idempotency_key", "The Idempotency-Key header is not valid"
    ),
    errors.IdempotencyKeyRefused: Kind(
        400, "idempotency_key_refused", "This call does not accept an idempotency key"
    ),
    errors.StaleDelivery: Kind(
        400, "stale_delivery", "The signature's time is too old or in the future"
    ),
    errors.NotAuthenticated: Kind(401, "not_authenticated", "A valid token is required"),
    errors.TokenInUrl: Kind(401, "token_in_url", "Tokens are not accepted in the URL"),
    errors.WrongSignature: Kind(401, "wrong_signature", "The signature is not valid"),
    errors.NotPermitted: Kind(403, "not_permitted", "The token does not allow this"),
    errors.TokenRevoked: Kind(403, "token_revoked", "The run's token is no longer active"),
    errors.NotFound: Kind(404, "not_found", "Not found"),
    errors.Conflict: Kind(409, "conflict", "The call conflicts with the current state"),
    errors.AttemptsExhausted: Kind(
        409, "attempts_exhausted", "The verification has no attempts left"
    ),
    errors.TooDeep: Kind(409, "too_deep", "Workflows start each other without an end"),
    errors.Skipped: Kind(409, "skipped", "Another run with the same key was under way"),
    errors.StillRunning: Kind(
        409, "still_running", "The first request with this key is still running"
    ),
    errors.BodyTooLarge: Kind(413, "body_too_large", "The body is too large"),
    errors.UnsupportedMediaType: Kind(415, "unsupported_media_type", "The body must be plain JSON"),
    errors.InvalidParameters: Kind(422, "invalid_parameters", "The parameters are not valid"),
    errors.CountryNotAllowed: Kind(422, "country_not_allowed", "No SMS is sent to this country"),
    errors.LineTypeNotSupported: Kind(
        422, "line_type_not_supported", "This type of number is not supported"
    ),
    errors.CaptchaFailed: Kind(422, "captcha_failed", "The CAPTCHA was not solved"),
    errors.IdempotencyKeyReused: Kind(
        422, "idempotency_key_reused", "The key was used with different parameters"
    ),
    errors.UnreadableItems: Kind(422, "unreadable_items", "The uploaded list cannot be read"),
    errors.NotInBackground: Kind(
        422, "not_in_background", "This workflow cannot run in the background"
    ),
    errors.LimitExceeded: Kind(429, "limit_exceeded", "Too many requests"),
    errors.ProviderRefused: Kind(502, "provider_refused", "The provider refused the message"),
    errors.DeliveryRefused: Kind(502, "delivery_refused", "The event cannot be delivered"),
    errors.CallFailed: Kind(502, "call_failed", "A called workflow failed"),
    errors.Unavailable: Kind(503, "unavailable", "Temporarily unavailable"),
    errors.ProviderUnavailable: Kind(503, "provider_unavailable", "No provider is available"),
    errors.NotDelivered: Kind(503, "not_delivered", "The event was not delivered"),
    errors.TooSlow: Kind(504, "too_slow", "The call took too long"),
    errors.ResultTooLarge: Kind(500, "result_too_large", "The result is too large"),
    errors.OnlyInBackground: Kind(
        422, "only_in_background", "The workflow only runs in the background"
    ),
    errors.StepFailed: Kind(500, "step_failed", "A step of the item failed"),
    errors.Changed: Kind(500, "workflow_changed", "The workflow has changed while it ran"),
    errors.ItemCrashed: Kind(500, "item_crashed", "The item's function crashed"),
    errors.RunFailed: Kind(500, "run_failed", "The run failed"),
    Exception: Kind(500, "internal_error", "Internal error"),
}


ITEM_CRASHED = "item_crashed"
"""Code of an item's problem that only the state machine writes (infra/run_workflow.asl.yaml)."""


class Invalid(msgspec.Struct, frozen=True):
    """One wrong parameter."""

    pointer: str
    """JSON pointer (RFC 6901) to the parameter, or to its item."""
    detail: str
    """Explanation."""


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """Body of every error answer (`application/problem+json`)."""

    type: str
    """URN of the kind of problem, which ends in its code."""
    title: str
    """Name of the kind of problem."""
    status: int
    """HTTP status."""
    detail: str
    """Explanation of this problem, and what to do next."""
    code: str
    """Kind of problem. Switch on it: codes are never renamed."""
    request_id: str
    """Id of the request, also in the log (`make logs REQUEST=…`)."""
    retry_after_seconds: int | None = None
    """Seconds until the same call may succeed."""
    errors: tuple[Invalid, ...] = ()
    """Wrong parameters."""


def problem(error: Exception, request_id: str) -> Problem:
    """Problem for an error, from the table's nearest row along the error's base classes.

    Only the text of a `WorkflowError` reaches the client. Any other exception is reduced to the
    request id, which finds the details in the log.
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
        else "An unexpected error occurred. "
        f"The log has the details: make logs REQUEST={request_id}",
        code=kind.code,
        request_id=request_id,
        retry_after_seconds=known.retry_after if known else None,
        errors=tuple(Invalid(*each) for each in known.errors) if known else (),
    )


def headers(error: Exception) -> dict[str, str]:
    """Response headers for an error.

    Source: RFC 9110 §10.2.3, §11.6.1 and §12.5.3, draft-ietf-httpapi-ratelimit-headers-11.
    """
    fields: dict[str, str] = {}
    if isinstance(error, errors.CallFailed):
        fields.update(error.headers)
    if isinstance(error, errors.UnsupportedMediaType):
        fields["accept-encoding"] = "identity"
    if isinstance(error, errors.NotAuthenticated):
        fields["www-authenticate"] = "Bearer"
    if isinstance(error, errors.WorkflowError) and error.retry_after is not None:
        fields["retry-after"] = str(error.retry_after)
    if isinstance(error, errors.LimitExceeded):
        name, quota, window_seconds = error.policy
        fields["ratelimit-policy"] = f'"{name}";q={quota};w={window_seconds}'
        fields["ratelimit"] = f'"{name}";r=0;t={error.retry_after}'
    return fields
