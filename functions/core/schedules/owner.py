"""The token for which a schedule starts its runs, and why it may do so no more."""

from typing import Literal

from functions.core import clock
from functions.core.auth.lookup import read_token

Refusal = Literal["token_revoked", "token_expired", "token_scopes"]
"""The token is revoked (or gone), has expired, or has lost a scope that the schedule needs."""


def refusal_of(token_id: str | None, workflow: str) -> Refusal | None:
    """Why a token may not start a workflow; null where it may, and without a token.

    Raises `Unavailable`.
    """
    if token_id is None:
        return None
    token = read_token(token_id)
    if token is None or token.revoked_at is not None:
        return "token_revoked"
    if not token.is_active(clock.now()):
        return "token_expired"
    needed = {"runs:write", f"workflow:{workflow}"}
    return None if needed <= token.scopes else "token_scopes"
