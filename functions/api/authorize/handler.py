"""authorize: says who the token of a request is. API Gateway caches the answer by the Authorization header for 60 s, for
all routes, so it decides nothing by route; the workflow's own function decides scopes.
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
    """Answers API Gateway's simple response (HTTP API authorizer, payload 2.0)."""
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
        # An exception is API Gateway's 500, which is not cached; a refusal would be, for a token that may be good.
        logger.exception("tokens cannot be read")
        raise
