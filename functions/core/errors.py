"""Domain errors, raised by workflows and the platform. problems.py maps each to HTTP."""

from collections.abc import Mapping
from typing import Any, NamedTuple


class FieldError(NamedTuple):
    """Error in one parameter: a JSON pointer (RFC 6901) and a sentence."""

    pointer: str
    detail: str


class WorkflowError(Exception):
    """Base of all errors that callers see. The text is for clients: no secrets, no internals."""

    def __init__(self, detail: str, *, retry_after: int | None = None) -> None:
        """Takes the text, and in `retry_after` the seconds until the same call may succeed."""
        super().__init__(detail)
        self.detail = detail
        self.retry_after = retry_after
        self.errors: tuple[FieldError, ...] = ()


class MalformedBody(WorkflowError):
    """The body is not a JSON object."""


class UnsupportedMediaType(WorkflowError):
    """The body is declared as something other than JSON, or as compressed."""


class BodyTooLarge(WorkflowError):
    """The body is larger than the limit."""


def _sentence(error: FieldError) -> str:
    """An error with its pointer; that of the whole request has none."""
    return f"{error.pointer}: {error.detail}" if error.pointer else error.detail


class InvalidParameters(WorkflowError):
    """One or more parameters are missing, unknown or not valid."""

    def __init__(self, *errors: FieldError) -> None:
        super().__init__("; ".join(map(_sentence, errors)))
        self.errors = errors


class CountryNotAllowed(InvalidParameters):
    """The deployment sends no SMS to the number's country."""


class LineTypeNotSupported(InvalidParameters):
    """The number's line type cannot receive SMS, or charges the sender."""


class CaptchaFailed(InvalidParameters):
    """The token of a CAPTCHA is missing, or its provider refuses it."""

    def __init__(self, detail: str) -> None:
        super().__init__(FieldError("/captcha_token", detail))


class UnreadableItems(InvalidParameters):
    """An uploaded list is not in its declared format, or one of its items cannot be read."""


class NotInBackground(WorkflowError):
    """The workflow cannot run in the background."""


class OnlyInBackground(WorkflowError):
    """The workflow sleeps and waits, so no call can wait for its answer."""


class NotAuthenticated(WorkflowError):
    """The request carries no valid token."""


class TokenInUrl(NotAuthenticated):
    """The token was sent in the URL, which logs and browser histories keep."""


class WrongSignature(WorkflowError):
    """A webhook delivery is not signed by its source."""


class StaleDelivery(WorkflowError):
    """A webhook delivery was signed more than five minutes ago or ahead; it may be a replay."""


class NotPermitted(WorkflowError):
    """The token lacks a scope that the call needs."""


class TokenRevoked(NotPermitted):
    """The token that started the run is revoked, expired or deleted."""


class NotFound(WorkflowError):
    """The named resource does not exist."""


class Conflict(WorkflowError):
    """The call conflicts with the resource's current state."""


class TooDeep(Conflict):
    """Workflows start or call each other without an end."""


class Skipped(Conflict):
    """An item did not run, because another one with the same key was under way."""


class StillRunning(Conflict):
    """The first request with this idempotency key is still running."""


class IdempotencyKeyReused(WorkflowError):
    """The idempotency key was first used with different parameters."""


class InvalidIdempotencyKey(WorkflowError):
    """The `Idempotency-Key` header does not hold a valid key."""


class IdempotencyKeyRefused(WorkflowError):
    """The call does not accept an idempotency key, because its answer must not be stored."""


class AttemptsExhausted(Conflict):
    """The verification has no attempts left for a new code."""


class Policy(NamedTuple):
    """Rate limit policy, as the headers show it (draft-ietf-httpapi-ratelimit-headers-11)."""

    name: str
    quota: int
    window_seconds: int


class LimitExceeded(WorkflowError):
    """A limit is reached. `Retry-After` says when the next call may pass."""

    def __init__(self, detail: str, *, retry_after: int, policy: Policy) -> None:
        super().__init__(detail, retry_after=retry_after)
        self.policy = policy


class ProviderRefused(WorkflowError):
    """The email or SMS provider refused this message for good.

    `nothing_sent` is false when another provider, tried before, may have sent the message.
    """

    nothing_sent = True


class CallFailed(WorkflowError):
    """A workflow that this one called failed with a problem that is not retryable."""

    def __init__(
        self, problem: Mapping[str, Any], headers: Mapping[str, str] | None = None
    ) -> None:
        """Takes the fields of a `problems.Problem`, and headers of the answer over HTTP."""
        super().__init__(problem["detail"], retry_after=problem["retry_after_seconds"])
        self.problem = problem
        self.headers = headers or {}


class Unavailable(WorkflowError):
    """AWS or a provider is temporarily unavailable. The same call may succeed later."""

    def __init__(self, detail: str, *, retry_after: int = 5) -> None:
        super().__init__(detail, retry_after=retry_after)


class ProviderUnavailable(Unavailable):
    """Every provider is unreachable, throttled or failing.

    `connected` is false when it is certain that no request reached a provider.
    """

    def __init__(self, detail: str, *, connected: bool = True, retry_after: int = 5) -> None:
        super().__init__(detail, retry_after=retry_after)
        self.connected = connected

    @property
    def nothing_sent(self) -> bool:
        """Whether it is certain that the message was not sent."""
        return not self.connected


class NotDelivered(Unavailable):
    """The receiver of an event was unreachable or did not accept it. A retry may succeed."""


class DeliveryRefused(WorkflowError):
    """An event cannot be delivered: the URL is not allowed, or the receiver refused for good."""


class TooSlow(WorkflowError):
    """The call exceeded its deadline."""


class ResultTooLarge(WorkflowError):
    """The result is too large to answer, or to keep."""


class StepFailed(WorkflowError):
    """A step of an item has failed for good."""

    def __init__(self, name: str, attempts: int, cause: Any) -> None:  # noqa: ANN401 - a Problem
        """Takes the step's name, its attempts, and the problem of the last one."""
        detail = getattr(cause, "detail", "")
        super().__init__(f"The step {name} failed at attempt {attempts}: {detail}")
        self.step = name
        self.problem = cause


class Changed(WorkflowError):
    """The code of a workflow no longer fits the steps of an item that has begun."""


class ItemCrashed(WorkflowError):
    """The function of an item ended without an answer, at each of its attempts."""


class RunFailed(WorkflowError):
    """Step Functions ended a run before all its items were processed."""
