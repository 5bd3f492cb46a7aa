"""Who calls, and how: what a workflow may ask about the call it answers."""

from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from functions.core.errors import NotAuthenticated, NotPermitted

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
    """One call of a workflow. `caller` is null where IAM let the caller in (direct invocation, schedules, runs)."""

    request_id: str
    door: Door
    caller: Caller | None = None
    client_ip: str | None = None
    domain: str | None = None
    """That the request came in by."""
    item_id: str | None = None
    """Of an item of a run: the same at every delivery and every retry, also in a later run. Null elsewhere."""

    @property
    def publishable(self) -> bool:
        """Whether a browser or an app calls, whose word cannot be trusted."""
        return self.caller is not None and self.caller.kind == "publishable"


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
