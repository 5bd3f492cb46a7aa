"""The domain's errors: what a workflow or the platform raises. problems.py says what each is over HTTP."""

from collections.abc import Mapping
from typing import Any, NamedTuple


class FieldError(NamedTuple):
    """What is wrong with one parameter: a JSON pointer (RFC 6901) and a sentence."""

    pointer: str
    detail: str


class WorkflowError(Exception):
    """An error that the caller is told about. Its text must be fit for clients: no secrets, no internals."""

    def __init__(self, detail: str, *, retry_after: int | None = None) -> None:
        """`retry_after`: seconds after which the same call may succeed."""
        super().__init__(detail)
        self.detail = detail
        self.retry_after = retry_after
        self.errors: tuple[FieldError, ...] = ()


class MalformedBody(WorkflowError):
    """The body is not a JSON object."""


class UnsupportedMediaType(WorkflowError):
    """The body is declared as something other than JSON."""


class BodyTooLarge(WorkflowError):
    """The body is over the limit."""


class InvalidParameters(WorkflowError):
    """One or more parameters are missing, unknown or wrong."""

    def __init__(self, *errors: FieldError) -> None:
        super().__init__("; ".join(f"{error.pointer}: {error.detail}" for error in errors))
        self.errors = errors


class CountryNotAllowed(InvalidParameters):
    """The deployment sends no SMS to the number's country."""


class LineTypeNotSupported(InvalidParameters):
    """The number is of a kind that gets no SMS, or that costs whoever sends to it."""


class UnreadableItems(InvalidParameters):
    """A list that was uploaded is not what its form says, or an item of it is none."""


class NotInBackground(WorkflowError):
    """The workflow can only be called now."""


class NotAuthenticated(WorkflowError):
    """Nobody is known to be calling."""


class TokenInUrl(NotAuthenticated):
    """A token was sent in the URL, where logs and browser histories keep it."""


class WrongSignature(WorkflowError):
    """What came to a webhook is not signed by its source."""


class StaleDelivery(WorkflowError):
    """What came to a webhook was signed too long ago, or in the future: it may be a replay."""


class NotPermitted(WorkflowError):
    """The token lacks the scope."""


class NotFound(WorkflowError):
    """There is nothing of that name."""


class Conflict(WorkflowError):
    """The call does not fit the present state."""


class StillRunning(Conflict):
    """The first call with an idempotency key has not been answered yet."""


class IdempotencyKeyReused(WorkflowError):
    """An idempotency key came with other parameters than before."""


class InvalidIdempotencyKey(WorkflowError):
    """The header `Idempotency-Key` holds no key."""


class IdempotencyKeyRefused(WorkflowError):
    """An idempotency key came with a call whose answer cannot be kept."""


class AttemptsExhausted(Conflict):
    """A verification has no attempts left that a new code could take over."""


class Policy(NamedTuple):
    """A limit as clients are told of it (draft-ietf-httpapi-ratelimit-headers-11)."""

    name: str
    quota: int
    window_seconds: int


class LimitExceeded(WorkflowError):
    """A limit is reached; `retry_after` says when it opens again."""

    def __init__(self, detail: str, *, retry_after: int, policy: Policy) -> None:
        super().__init__(detail, retry_after=retry_after)
        self.policy = policy


class ProviderRefused(WorkflowError):
    """The email or SMS provider definitely refused this message; another try would be refused too.

    `nothing_sent` is false when another provider, tried before, may have sent it all the same.
    """

    nothing_sent = True


class CallFailed(WorkflowError):
    """Another workflow, that this one called, ended with a problem that another try would not cure."""

    def __init__(self, problem: Mapping[str, Any]) -> None:
        """`problem`: the fields of `problems.Problem`."""
        super().__init__(problem["detail"], retry_after=problem["retry_after_seconds"])
        self.problem = problem


class Unavailable(WorkflowError):
    """AWS or a provider cannot do it now; the same call may succeed later."""

    def __init__(self, detail: str, *, retry_after: int = 5) -> None:
        super().__init__(detail, retry_after=retry_after)


class ProviderUnavailable(Unavailable):
    """No provider could be reached, or each is throttled or failing.

    `connected` is false when it is certain that no request reached the provider.
    """

    def __init__(self, detail: str, *, connected: bool = True, retry_after: int = 5) -> None:
        super().__init__(detail, retry_after=retry_after)
        self.connected = connected

    @property
    def nothing_sent(self) -> bool:
        """Whether it is certain that the message was not sent."""
        return not self.connected


class NotDelivered(Unavailable):
    """The receiver of an event could not be reached, or did not take it; it may do so later."""


class DeliveryRefused(WorkflowError):
    """An event cannot be delivered: its URL is not allowed, or the receiver wants no more of these."""


class TooSlow(WorkflowError):
    """The call ran into its deadline."""


class ResultTooLarge(WorkflowError):
    """The workflow's result is larger than a run keeps."""


class RunFailed(WorkflowError):
    """Step Functions ended a run before its items had their turn."""
