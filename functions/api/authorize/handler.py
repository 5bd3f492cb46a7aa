"""authorize: identifies the token of a request.

API Gateway caches the answer for 60 s, by the Authorization header and for all routes. So nothing
is decided by route here; each workflow's own function checks the scopes.
"""

import re
from typing import Any

from functions.core import clock
from functions.core.auth.lookup import StoredToken, find_token
from functions.core.aws import direct, snapstart
from functions.core.config import in_lambda
from functions.core.errors import Unavailable

_BEARER = re.compile(r"Bearer +(\S+) *", re.IGNORECASE)

if in_lambda():
    snapstart.in_init(direct.connect)


def lambda_handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Returns API Gateway's simple response (HTTP API authorizer, payload 2.0)."""
    try:
        token = _token(event)
    except Unavailable:
        # API Gateway does not cache the 500 that it makes of an exception. It would cache a
        # refusal, although the token may be good.
        _log(event, "tokens cannot be read", failed=True)
        raise
    if token is None or not token.is_active(clock.now()):
        token_id = token.token_id if token else None
        _log(event, "token refused", known=token is not None, token_id=token_id)
        return {"isAuthorized": False}
    return _authorization(token)


def _authorization(token: StoredToken) -> dict[str, Any]:
    context = {
        "token_id": token.token_id,
        "kind": token.kind,
        "scopes": " ".join(sorted(token.scopes)),
    }
    if token.audience:
        context["audience"] = token.audience
    return {"isAuthorized": True, "context": context}


def _token(event: dict[str, Any]) -> StoredToken | None:
    headers = {name.lower(): value for name, value in (event.get("headers") or {}).items()}
    bearer = _BEARER.fullmatch(headers.get("authorization", ""))
    return find_token(bearer[1]) if bearer else None


def _log(event: dict[str, Any], message: str, *, failed: bool = False, **keys: object) -> None:
    """Logs what is not the usual answer, of which API Gateway's access log has a line."""
    from functions.core.observability import logged, logger  # noqa: PLC0415 - most starts log nothing

    request_id = event.get("requestContext", {}).get("requestId")
    with logged(trigger="http", request_id=request_id, route=event.get("routeKey")):
        (logger.exception if failed else logger.info)(message, extra=keys)
