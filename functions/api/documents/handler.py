"""documents: what anybody may read, without a token: the keys with which backends verify proofs, and usersnap.js."""

from collections.abc import Callable
from typing import Any, NamedTuple

import msgspec

from functions.core import config, http
from functions.core.config import in_lambda
from functions.core.errors import NotFound
from functions.core.http.endpoint import http_endpoint, logged_call
from functions.core.observability import logger
from functions.core.signing import jws
from functions.core.verification.settings import ProofSettings

_MAX_AGE_SECONDS = 300
"""How long a browser or a backend may go on with what it has read: a new key has to be published for that long before it
signs (docs/how-to/rotate-keys.md), and a widget that is switched off may still be loaded."""


class Document(NamedTuple):
    """What is served, and as what."""

    content_type: str
    text: Callable[[], str]


def lambda_handler(event: http.Request, context: Any) -> http.Response:  # noqa: ANN401 - Lambda's context has no type
    """Answers the document of the route, or a problem."""
    with logged_call(event, context):
        return http_endpoint(event, context, lambda _: _answer(event))


def _answer(event: http.Request) -> http.Response:
    http.refuse_token_in_url(event)
    document = _DOCUMENTS.get(event.get("routeKey", ""))
    if document is None:
        raise NotFound("There is no such document.")
    return http.document_answer(
        event, document.text(), document.content_type, max_age=_MAX_AGE_SECONDS
    )


def _jwks() -> str:
    """The public keys of proofs, as a JWK set (RFC 7517 §5); an empty one where proofs are off."""
    keys = [key for arn in config.read(ProofSettings).proof_keys if (key := _public_key(arn))]
    return msgspec.json.encode({"keys": keys}).decode()


def _public_key(arn: str) -> jws.PublicKey | None:
    """Null for a key that is disabled or gone: proofs of the others must still be verifiable."""
    try:
        return jws.public_key(arn)
    except LookupError:
        logger.exception("a proof key is disabled or gone, and not published")
        return None


def _usersnap_js() -> str:
    from functions.api.documents.usersnap import script  # noqa: PLC0415 - PynamoDB, for which no other document pays

    return script()


_DOCUMENTS = {
    "GET /.well-known/jwks.json": Document("application/jwk-set+json", _jwks),
    "GET /usersnap.js": Document("text/javascript; charset=utf-8", _usersnap_js),
}
"""By route, which unlike the path is the same under every domain and stage."""

if in_lambda() and config.read(ProofSettings).proof_keys:
    jws.prepare()
