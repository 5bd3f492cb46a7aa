"""Signs samples of webhooks as their sources do, with the keys of the local stack."""

import base64
import hmac
import json
import secrets
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple
from urllib.parse import urlencode

from standardwebhooks.webhooks import Webhook
from twilio.request_validator import RequestValidator

from functions.api.webhooks.checks import hmac_sha256
from functions.api.webhooks.declared.expressions import encoded
from functions.api.webhooks.scheme import PLACES, Signature
from functions.core.signing.keys import standard_key

_JSON, _FORM = "application/json", "application/x-www-form-urlencoded"
_TYPES = {"json": _JSON, "form": _FORM}
_TIME_BYTES = 32


class Delivery(NamedTuple):
    """A signed request to a source."""

    headers: Mapping[str, str]
    body: str


class NotSignable(Exception):
    """The payload, or the key, does not fit the scheme; the text is a sentence."""


def sign(  # noqa: PLR0913 - all that a signature is made of
    scheme: str,
    payload: object,
    key: str,
    url: str,
    now: float,
    *,
    of: Signature | None = None,
) -> Delivery:
    """Signs a payload.

    Args:
        scheme: of the source, not `sns`.
        payload: JSON; for `twilio` fields of a form.
        key: the source's current key.
        url: that the source calls.
        now: seconds since the epoch.
        of: settings of the schemes `hmac` and `token`.

    Raises:
        NotSignable: as it says.
    """
    body = json.dumps(payload, ensure_ascii=False)
    if any("\ud800" <= letter <= "\udfff" for letter in body):
        raise NotSignable("The payload has half of a character, such as \\ud800.")
    if scheme == "twilio":
        return _twilio(payload, key, url)
    if scheme in {"hmac", "token"}:
        made = of or Signature()
        if made.body == "form":
            body = urlencode(_fields(payload))
        signed = _hmac(made, body, key, url, now) if scheme == "hmac" else _token(made, key)
        return Delivery({"content-type": _TYPES[made.body], **signed}, body)
    headers = _SIGNERS[scheme](body, key, now)
    return Delivery({"content-type": _JSON, **headers}, body)


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


def _fields(payload: Any) -> dict[str, str]:  # noqa: ANN401 - JSON
    if not isinstance(payload, dict) or not all(isinstance(each, str) for each in payload.values()):
        raise NotSignable("The payload of a form is an object whose values are texts.")
    return payload


def _hmac(of: Signature, body: str, key: str, url: str, now: float) -> dict[str, str]:
    values = {
        "body": body,
        "timestamp": _time(of.timestamp_unit, now),
        "id": f"msg_{secrets.token_hex(12)}",
        "method": "POST",
        "url": url,
    }
    message = PLACES.sub(lambda place: values[place[1]], of.signed)
    digest = hmac.digest(key.encode(), message.encode(), of.algorithm)
    parts = [(of.prefix or "") + encoded(digest, of.encoding)]
    if of.timestamp_prefix:
        parts.insert(0, of.timestamp_prefix + values["timestamp"])
    headers = {
        of.header: (of.separator or "").join(parts),
        of.timestamp_header: values["timestamp"],
        of.id_header: values["id"],
    }
    return {name.lower(): value for name, value in headers.items() if name}


def _time(unit: str, now: float) -> str:
    if unit == "iso":
        return datetime.fromtimestamp(int(now), UTC).isoformat()
    return str(int(now * (1000 if unit == "ms" else 1)))


def _token(of: Signature, key: str) -> dict[str, str]:
    if of.header:
        return {of.header.lower(): (of.prefix or "") + key}
    return {"authorization": f"Basic {base64.b64encode(f'console:{key}'.encode()).decode()}"}


def _twilio(payload: Any, key: str, url: str) -> Delivery:  # noqa: ANN401 - JSON
    fields = _fields(payload)
    signature = RequestValidator(key).compute_signature(url, fields)
    return Delivery({"content-type": _FORM, "x-twilio-signature": signature}, urlencode(fields))


_SIGNERS: dict[str, Callable[[str, str, float], dict[str, str]]] = {
    "standard": _standard,
    "stripe": _stripe,
    "github": _github,
    "usersnap": _usersnap,
}
