"""Signs samples of webhooks as their sources do, with the keys of the local stack."""

import json
import secrets
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple
from urllib.parse import urlencode

from standardwebhooks.webhooks import Webhook
from twilio.request_validator import RequestValidator

from functions.api.webhooks.checks import hmac_sha256
from functions.core.signing.keys import standard_key

_FORM = "application/x-www-form-urlencoded"
_TIME_BYTES = 32


class Delivery(NamedTuple):
    """A signed request to a source."""

    headers: Mapping[str, str]
    body: str


class NotSignable(Exception):
    """The payload, or the key, does not fit the scheme; the text is a sentence."""


def sign(scheme: str, payload: object, key: str, url: str, now: float) -> Delivery:
    """Signs a payload.

    Args:
        scheme: of the source, not `sns`.
        payload: JSON; for `twilio` fields of a form.
        key: the source's current key.
        url: that the source calls.
        now: seconds since the epoch.

    Raises:
        NotSignable: as it says.
    """
    body = json.dumps(payload, ensure_ascii=False)
    if any("\ud800" <= letter <= "\udfff" for letter in body):
        raise NotSignable("The payload has half of a character, such as \\ud800.")
    if scheme == "twilio":
        return _twilio(payload, key, url)
    headers = _SIGNERS[scheme](body, key, now)
    return Delivery({"content-type": "application/json", **headers}, body)


def _standard(body: str, key: str, now: float) -> dict[str, str]:
    message_id, at = f"msg_{secrets.token_hex(12)}", datetime.fromtimestamp(int(now), UTC)
    try:
        signature = Webhook(standard_key(key)).sign(message_id, at, body)
    except ValueError as error:
        raise NotSignable(str(error)) from None
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(int(now)),
        "webhook-signature": signature,
    }


def _stripe(body: str, key: str, now: float) -> dict[str, str]:
    signature = hmac_sha256(key, f"{int(now)}.{body}".encode())
    return {"stripe-signature": f"t={int(now)},v1={signature}"}


def _github(body: str, key: str, _: float) -> dict[str, str]:
    return {"x-hub-signature-256": f"sha256={hmac_sha256(key, body.encode())}"}


def _usersnap(body: str, key: str, now: float) -> dict[str, str]:
    milliseconds = int(now * 1000)
    signed = body.encode() + milliseconds.to_bytes(_TIME_BYTES, "little")
    return {
        "x-usersnap-signature": hmac_sha256(key, signed),
        "x-usersnap-timestamp": str(milliseconds),
    }


def _twilio(payload: Any, key: str, url: str) -> Delivery:  # noqa: ANN401 - JSON
    if not isinstance(payload, dict) or not all(isinstance(each, str) for each in payload.values()):
        raise NotSignable("A payload of Twilio is an object whose values are texts.")
    signature = RequestValidator(key).compute_signature(url, payload)
    return Delivery({"content-type": _FORM, "x-twilio-signature": signature}, urlencode(payload))


_SIGNERS: dict[str, Callable[[str, str, float], dict[str, str]]] = {
    "standard": _standard,
    "stripe": _stripe,
    "github": _github,
    "usersnap": _usersnap,
}
