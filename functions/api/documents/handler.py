"""documents: public documents, served without a token: the keys that verify proofs, scripts,
openapi.json.
"""

from collections.abc import Callable
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


_OPENAPI = Path(__file__).with_name("openapi.json")
"""Made by `make build` and the local stack (infra/openapi)."""


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
    document = DOCUMENTS.get(event.get("routeKey", ""))
    if document is None:
        raise NotFound("This document does not exist.")
    return http.document_answer(
        event, document.text(), document.content_type, max_age=_MAX_AGE_SECONDS
    )


def _get_jwks() -> str:
    """Returns the public keys of proofs.

    A JWK set (RFC 7517 §5), which is empty if proofs are off.
    """
    keys = [key for arn in config.read(ProofSettings).proof_keys if (key := _public_key(arn))]
    return msgspec.json.encode({"keys": keys}).decode()


def _public_key(arn: str) -> jws.PublicKey | None:
    """Public key; None if it is disabled or gone, so that proofs of the others stay verifiable."""
    try:
        return jws.public_key(arn)
    except LookupError:
        logger.exception("a proof key is disabled or gone, so it is not published")
        return None


def _get_usersnap_js() -> str:
    """Returns the script that loads Usersnap's widget.

    It is empty unless update_usersnap switched the widget on.
    """
    from functions.api.documents.usersnap import script  # noqa: PLC0415 - only this one needs PynamoDB

    return script()


def _get_verify_js() -> str:
    """Returns the client that sends and checks codes.

    An ES module without dependencies, with the form `<verify-code>`.
    """
    return _file("verify.js")


def _get_verify_messages() -> str:
    """Returns verify.js with the texts of `<verify-code>` in all languages of the messages."""
    return _file("verify-messages.js")


def _get_verify_types() -> str:
    """Returns the TypeScript declarations of verify.js."""
    return _file("verify.d.ts")


def _file(name: str) -> str:
    return (Path(__file__).parent / name).read_text()


def _get_openapi() -> str:
    """Returns the description of this API.

    An OpenAPI 3.1 document, for generators of clients, API consoles and forms.

    Raises:
        NotFound
    """
    try:
        return _OPENAPI.read_text()
    except FileNotFoundError:
        raise NotFound("This deployment was built without its openapi.json.") from None


_SCRIPT = "text/javascript; charset=utf-8"

DOCUMENTS = {
    "GET /.well-known/jwks.json": Document("application/jwk-set+json", _get_jwks),
    "GET /openapi.json": Document("application/json", _get_openapi),
    "GET /usersnap.js": Document(_SCRIPT, _get_usersnap_js),
    "GET /verify-messages.js": Document(_SCRIPT, _get_verify_messages),
    "GET /verify.d.ts": Document("text/plain; charset=utf-8", _get_verify_types),
    "GET /verify.js": Document(_SCRIPT, _get_verify_js),
}
"""Documents by route, which unlike the path is the same under every domain and stage."""

if in_lambda() and config.read(ProofSettings).proof_keys:
    jws.prepare()
