"""authorize: identifies the token of a request.

API Gateway caches the answer for 60 s, by the Authorization header and for all routes. So nothing
is decided by route here; each workflow's own function checks the scopes.
"""

import re
from typing import Any

from functions.core import clock
from functions.core.auth.tokens import Token, find_token
from functions.core.aws import dynamodb
from functions.core.config import in_lambda
from functions.core.errors import Unavailable
from functions.core.observability import logged, logger

_BEARER = re.compile(r"Bearer +(\S+) *", re.IGNORECASE)

if in_lambda():
    dynamodb.connect()


def lambda_handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Returns API Gateway's simple response (HTTP API authorizer, payload 2.0)."""
    request_id = event.get("requestContext", {}).get("requestId")
    with logged(trigger="http", request_id=request_id, route=event.get("routeKey")):
        return _authorization(_token(event))


def _authorization(token: Token | None) -> dict[str, Any]:
    if token is None or not token.is_active(clock.now()):
        logger.info(
            "token refused", known=token is not None, token_id=token.token_id if token else None
        )
        return {"isAuthorized": False}
    context = {
        "token_id": token.token_id,
        "kind": token.kind,
        "scopes": " ".join(sorted(token.scopes)),
    }
    if token.audience:
        context["audience"] = token.audience
    return {"isAuthorized": True, "context": context}


def _token(event: dict[str, Any]) -> Token | None:
    headers = {name.lower(): value for name, value in (event.get("headers") or {}).items()}
    bearer = _BEARER.fullmatch(headers.get("authorization", ""))
    try:
        return find_token(bearer[1]) if bearer else None
    except Unavailable:
        # API Gateway does not cache the 500 that it makes of an exception. It would cache a
        # refusal, although the token may be good.
        logger.exception("tokens cannot be read")
        raise
