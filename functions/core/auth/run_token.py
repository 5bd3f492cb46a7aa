"""The token behind a run. The run's items stop once it is revoked or expired, or lost its scopes.

API Gateway keeps the answer of `authorize` for 60 s. So a process keeps a token as long: an item
costs no request to DynamoDB while the process has the token.
"""

import re
from collections.abc import Iterable

from functions.core import clock, config
from functions.core.auth.lookup import StoredToken, read_token
from functions.core.errors import NotPermitted, TokenRevoked

_KEPT_SECONDS = 60
_MOST_TOKENS = 100
_ID = re.compile(r"[0-9a-f]{16}")
"""Runs of webhooks and events name their source instead, which no token stands behind."""
_BY_CLIENTS = frozenset({"api", "schedule"})


def require_active(token_id: str | None, started_by: str | None, scopes: Iterable[str]) -> None:
    """Raises an error unless the token that asked for a run may still do so.

    Args:
        token_id: of the run; null without a token.
        started_by: as in `Execution`. A run that a workflow started needs none of the scopes: the
            token need not hold those of the workflows behind the one that it called.
        scopes: of the run's workflow, of which the token needs one.

    Raises:
        TokenRevoked: it is revoked, expired or deleted.
        NotPermitted: it has lost the scopes.
        Unavailable
    """
    if not _ID.fullmatch(token_id or ""):
        return
    now = clock.now()
    token = _read(str(token_id), int(now // _KEPT_SECONDS))
    if token is None or not token.is_active(now):
        raise TokenRevoked("The token that started this run is no longer active.")
    if started_by in _BY_CLIENTS and not _may_run(token.scopes, scopes):
        raise NotPermitted("The token that started this run has lost the scopes that it needs.")


def _may_run(held: Iterable[str], scopes: Iterable[str]) -> bool:
    return "runs:write" in held and not set(held).isdisjoint(scopes)


@config.cached(most=_MOST_TOKENS)
def _read(token_id: str, _period: int) -> StoredToken | None:
    """A token, read once in each period."""
    return read_token(token_id)
