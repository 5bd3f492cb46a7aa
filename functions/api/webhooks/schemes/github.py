"""GitHub: `X-Hub-Signature-256: sha256=…`, an HMAC-SHA-256 over the body. Neither a time nor the delivery's id is signed.

Source: https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries
"""

from collections.abc import Sequence
from urllib.parse import unquote_plus

from functions.api.webhooks.checks import (
    header,
    hmac_sha256,
    read_json,
    refuse_unless_signed,
    sha256,
)
from functions.api.webhooks.delivery import Delivery, Received
from functions.core.errors import MalformedBody

_FORM = b"payload="


def verify(received: Received, keys: Sequence[str], _now: float) -> Delivery:
    """The headers `X-GitHub-Event` and `X-GitHub-Delivery` are anybody's word, so nothing is made of them."""
    given = header(received, "x-hub-signature-256")
    refuse_unless_signed((f"sha256={hmac_sha256(key, received.body)}" for key in keys), [given])
    return Delivery(key=sha256(received.body), payload=read_json(_json_of(received.body)))


def _json_of(body: bytes) -> bytes | str:
    """The JSON, from a form where the webhook is set up so. The body itself says which, the content type is not signed."""
    if not body.startswith(_FORM):
        return body
    try:
        return unquote_plus(body.removeprefix(_FORM).decode("ascii"), errors="strict")
    except UnicodeDecodeError:
        raise MalformedBody("The body is signed but is not a form in UTF-8.") from None
