"""Callers: the token behind a request, as `authorize` found it."""

from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from functions.core.errors import NotAuthenticated, NotPermitted

TokenKind = Literal["secret", "publishable"]


class Caller(msgspec.Struct, frozen=True):
    """The token behind a request."""

    token_id: str
    kind: TokenKind
    scopes: frozenset[str]
    audience: str | None = None
    """Audience of the proofs of what this token sends and checks; null: it gets no proofs."""

    def require(self, *scopes: str, publishable: bool = False) -> None:
        """Raises `NotPermitted` unless the token holds one of the scopes.

        Args:
            scopes: `<kind>:<name>`, such as `workflow:verify_send`.
            publishable: whether a publishable token, which anyone can read out of a page, may use
                it.
        """
        held = not self.scopes.isdisjoint(scopes)
        if not held or (self.kind == "publishable" and not publishable):
            raise NotPermitted(f"The token lacks the scope {' or '.join(scopes)}.")


def caller_of(authorizer: Mapping[str, Any] | None) -> Caller:
    """The caller from the answer of `authorize` (`requestContext.authorizer.lambda`).

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
