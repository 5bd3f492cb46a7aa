"""documents: public documents, served without a token: the keys that verify proofs, and scripts."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from functions.core import config, http
from functions.core.config import in_lambda
from functions.core.errors import NotFound
from functions.core.http.endpoint import http_endpoint, logged_call
from functions.core.observability import logger
from functions.core.signing import jws
from functions.core.verification.settings import ProofSettings

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

_MAX_AGE_SECONDS = 300
"""Cache lifetime in browsers and backends.

A new key must be published this long before it signs (docs/how-to/rotate-keys.md). A widget that
was switched off may still be loaded for as long.
"""


class Document(NamedTuple):
    """Document with its content type."""

    content_type: str
    text: Callable[[], str]


def lambda_handler(event: http.Request, context: "LambdaContext") -> http.Response:
    """Returns the route's document, or a problem."""
    with logged_call(event, context):
        return http_endpoint(event, context, lambda _: _answer(event))


def _answer(event: http.Request) -> http.Response:
    http.refuse_token_in_url(event)
    document = _DOCUMENTS.get(event.get("routeKey", ""))
    if document is None:
        raise NotFound("This document does not exist.")
    return http.document_answer(
        event, document.text(), document.content_type, max_age=_MAX_AGE_SECONDS
    )


def _jwks() -> str:
    """Public keys of proofs as a JWK set (RFC 7517 §5); empty if proofs are off."""
    keys = [key for arn in config.read(ProofSettings).proof_keys if (key := _public_key(arn))]
    return msgspec.json.encode({"keys": keys}).decode()


def _public_key(arn: str) -> jws.PublicKey | None:
    """Public key; None if it is disabled or gone, so that proofs of the others stay verifiable."""
    try:
        return jws.public_key(arn)
    except LookupError:
        logger.exception("a proof key is disabled or gone, so it is not published")
        return None


def _usersnap_js() -> str:
    from functions.api.documents.usersnap import script  # noqa: PLC0415 - only this one needs PynamoDB

    return script()


def _file(name: str) -> str:
    return (Path(__file__).parent / name).read_text()


_SCRIPT = "text/javascript; charset=utf-8"

_DOCUMENTS = {
    "GET /.well-known/jwks.json": Document("application/jwk-set+json", _jwks),
    "GET /usersnap.js": Document(_SCRIPT, _usersnap_js),
    "GET /verify.js": Document(_SCRIPT, partial(_file, "verify.js")),
    "GET /verify-messages.js": Document(_SCRIPT, partial(_file, "verify-messages.js")),
    "GET /verify.d.ts": Document("text/plain; charset=utf-8", partial(_file, "verify.d.ts")),
}
"""Documents by route, which unlike the path is the same under every domain and stage."""

if in_lambda() and config.read(ProofSettings).proof_keys:
    jws.prepare()
