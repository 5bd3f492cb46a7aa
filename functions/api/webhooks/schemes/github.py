"""GitHub: `X-Hub-Signature-256: sha256=…`, an HMAC-SHA-256 over the body.

Neither a time nor the delivery's id is signed.
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
from functions.api.webhooks.delivery import Received, WebhookDelivery
from functions.core.errors import MalformedBody

_FORM = b"payload="


def verify(received: Received, keys: Sequence[str], _now: float) -> WebhookDelivery:
    """Verifies a delivery. `X-GitHub-Event` and `X-GitHub-Delivery` are not signed, so not used."""
    signature = header(received, "x-hub-signature-256")
    expected = (f"sha256={hmac_sha256(key, received.body)}" for key in keys)
    refuse_unless_signed(expected, [signature])
    return WebhookDelivery(key=sha256(received.body), payload=read_json(_json_of(received.body)))


def _json_of(body: bytes) -> bytes | str:
    """JSON of the body, or of a form's field `payload`. The content type is not signed."""
    if not body.startswith(_FORM):
        return body
    try:
        return unquote_plus(body.removeprefix(_FORM).decode("ascii"), errors="strict")
    except UnicodeDecodeError:
        raise MalformedBody("The body is signed but is not a valid UTF-8 form.") from None
