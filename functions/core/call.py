"""Who calls, and how: what a workflow may ask about the call it answers."""

from collections.abc import Callable, Mapping
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from functions.core.errors import NotAuthenticated, NotPermitted

if TYPE_CHECKING:
    from functions.core.runs.steps import Steps

Door = Literal["http", "direct", "schedule", "run"]
TokenKind = Literal["secret", "publishable"]

PUBLISHABLE_SCOPES = frozenset({"workflow:verify_send", "workflow:verify_check"})
"""All that a publishable token can hold: anyone can read it out of a web page or an app."""


class Caller(msgspec.Struct, frozen=True):
    """The token behind a call, as `authorize` found it."""

    token_id: str
    kind: TokenKind
    scopes: frozenset[str]
    audience: str | None = None
    """Whom proofs of what this token verified are for; null: it gets none."""

    def require(self, scope: str) -> None:
        """Raises `NotPermitted` unless the token holds the scope (and may hold it at all)."""
        if scope not in self.scopes or (self.kind == "publishable" and scope not in PUBLISHABLE_SCOPES):
            raise NotPermitted(f"The token lacks the scope {scope}.")


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """One call of a workflow. `caller` is null where IAM let the caller in (direct invocation, schedules, runs), and where
    anybody may call.
    """

    request_id: str
    door: Door
    caller: Caller | None = None
    client_ip: str | None = None
    domain: str | None = None
    """That the request came in by."""
    item_id: str | None = None
    """Of an item of a run: the same at every delivery and every retry, also in a later run. Null elsewhere."""
    run_token_id: str | None = None
    """Of the token that asked for the run. Null elsewhere."""
    started_by: str | None = None
    """Of an item of a run: the code that started the run (`Execution.started_by`). No client can choose it.
    Null elsewhere, and where it is not known: what the platform alone may do is then refused.
    """
    steps: "Steps | None" = None
    """Of an item of a run: what it has done already."""

    @property
    def publishable(self) -> bool:
        """Whether a browser or an app calls, whose word cannot be trusted."""
        return self.caller is not None and self.caller.kind == "publishable"

    def once(self, step: str, do: Callable[[], str]) -> str:
        """What a step came to. In a run it is recorded, and another try at the item, also in a later run, does not repeat it.

        Args:
            step: its name, the same at each try.
            do: does it. What it raises is not recorded; if the process dies before the record is written, it is done again.
        """
        known = self.recall(step)
        if known is not None:
            return known
        value = do()
        if self.steps:
            self.steps.record(step, value)
        return value

    def recall(self, step: str) -> str | None:
        """What a step came to in an earlier try; null where it was not done."""
        return self.steps.recall(step) if self.steps else None


class Calling(msgspec.Struct):
    """The call that is under way, and which workflows its own may use (calling.py)."""

    call: Call
    workflow: str
    """Name of the workflow that answers it."""
    calls: frozenset[str]
    starts: frozenset[str]
    started: int = 0
    """Runs that it has started so far."""


current: ContextVar[Calling] = ContextVar("current")
"""Set by the platform around a workflow's function."""


def caller_of(authorizer: Mapping[str, Any] | None) -> Caller:
    """The caller from what `authorize` answered (`requestContext.authorizer.lambda`).

    Raises:
        NotAuthenticated: when no authorizer answered, which only a misconfigured API can cause.
    """
    context = authorizer or {}
    if not context.get("token_id"):
        raise NotAuthenticated("The request carries no authorized token.")
    scopes = frozenset(str(context.get("scopes", "")).split())
    kind: TokenKind = "secret" if context.get("kind") == "secret" else "publishable"
    audience = context.get("audience") or None
    return Caller(token_id=context["token_id"], kind=kind, scopes=scopes, audience=audience)
