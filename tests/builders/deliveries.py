"""Webhook deliveries, signed as each source documents it and not by the code under test."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import cache, partial
from typing import Any, NamedTuple, Protocol
from urllib.parse import quote_plus, urlencode

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from functions.api.webhooks.delivery import Received, WebhookDelivery
from functions.api.webhooks.scheme import SchemeName, scheme
from functions.api.webhooks.schemes import sns as sns_scheme

NOW = 1_731_705_121
URL = "https://api.example.com/webhooks/tests"
TOPIC = "arn:aws:sns:us-east-1:123456789012:orders"
CERTIFICATE_URL = "https://sns.us-east-1.amazonaws.com/SimpleNotificationService-0123456789abcdef0123456789abcdef.pem"
SES_EVENT: dict[str, Any] = {
    "eventType": "Bounce",
    "mail": {
        "messageId": "m-1",
        "destination": ["ana@example.com"],
        "commonHeaders": {"subject": "Your code is 918273"},
        "headers": [{"name": "Subject", "value": "Your code is 918273"}],
        "tags": {"verification_id": ["k1-AAAA"], "ses:configuration-set": ["codes"]},
    },
    "bounce": {
        "bounceType": "Permanent",
        "bounceSubType": "General",
        "timestamp": "2026-11-24T12:00:00.000Z",
    },
}
"""Bounce as SES publishes it, shortened.

Source: SES Developer Guide, "Contents of event data that Amazon SES publishes to Amazon SNS".
"""


def received(body: bytes, headers: Mapping[str, str], query: str = "") -> Received:
    return Received(body, headers, query, URL)


def digest(key: bytes, message: bytes, algorithm: str = "sha256") -> bytes:
    return hmac.new(key, message, algorithm).digest()


def standard(
    body: bytes, key: str, at: int = NOW, message_id: str = "msg_1", prefix: str = "webhook"
) -> Received:
    signature = digest(
        base64.b64decode(key.removeprefix("whsec_")), f"{message_id}.{at}.".encode() + body
    )
    names = {
        "id": message_id,
        "timestamp": str(at),
        "signature": f"v1,{base64.b64encode(signature).decode()}",
    }
    return received(body, {f"{prefix}-{name}": value for name, value in names.items()})


def stripe(body: bytes, key: str, at: int = NOW) -> Received:
    signature = digest(key.encode(), f"{at}.".encode() + body).hex()
    return received(body, {"stripe-signature": f"t={at},v1={signature}"})


def github(body: bytes, key: str) -> Received:
    return received(body, {"x-hub-signature-256": f"sha256={digest(key.encode(), body).hex()}"})


def usersnap(body: bytes, key: str, at: float = NOW) -> Received:
    milliseconds = int(at * 1000)
    signature = digest(key.encode(), body + milliseconds.to_bytes(32, "little")).hex()
    return received(
        body, {"x-usersnap-signature": signature, "x-usersnap-timestamp": str(milliseconds)}
    )


def twilio(
    fields: Sequence[tuple[str, str]], key: str, query: str = "", url: str = URL
) -> Received:
    """Signed form in which no field is repeated."""
    signed = (f"{url}?{query}" if query else url) + "".join(
        name + value for name, value in sorted(fields)
    )
    signature = base64.b64encode(digest(key.encode(), signed.encode(), "sha1")).decode()
    return received(urlencode(fields).encode(), {"x-twilio-signature": signature}, query)


def twilio_json(body: bytes, key: str) -> Received:
    signed = twilio([], key, f"bodySHA256={hashlib.sha256(body).hexdigest()}")
    return signed._replace(body=body)


def sns(message: str, topic: str = TOPIC, at: float = NOW, **fields: str | None) -> Received:
    """Message as SNS sends it. `fields` replace the usual ones, and the signature covers them."""
    values = {
        "Type": "Notification",
        "MessageId": "5c9c3b5e-0000-4000-8000-000000000001",
        "TopicArn": topic,
        "Message": message,
        "Timestamp": datetime.fromtimestamp(at, UTC)
        .isoformat(timespec="milliseconds")
        .replace("+00:00", "Z"),
        "SignatureVersion": "2",
        "SigningCertURL": CERTIFICATE_URL,
        **fields,
    }
    order = [
        "Message",
        "MessageId",
        "Subject",
        "SubscribeURL",
        "Timestamp",
        "Token",
        "TopicArn",
        "Type",
    ]
    signed = "".join(f"{name}\n{values[name]}\n" for name in order if values.get(name) is not None)
    signature = sns_key().sign(signed.encode(), PKCS1v15(), SHA256())
    body = {"Signature": base64.b64encode(signature).decode()} | values
    return received(json.dumps(body).encode(), {"content-type": "text/plain; charset=UTF-8"})


def multipart(name: str, content: bytes, boundary: bytes = b"b1", *more: bytes) -> bytes:
    """Multipart form that ends with this part; `more` parts stand before it."""
    part = f'Content-Disposition: form-data; name="{name}"\r\n\r\n'.encode() + content
    return (
        b"".join(b"--" + boundary + b"\r\n" + each + b"\r\n" for each in (*more, part))
        + b"--"
        + boundary
        + b"--\r\n"
    )


@cache
def sns_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


def certificate(
    key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey,
    *,
    since: float = NOW - 86_400,
    until: float = NOW + 86_400,
) -> bytes:
    """Self-signed certificate of a key, in PEM."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sns.amazonaws.com")])
    made = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    made = made.not_valid_before(datetime.fromtimestamp(since, UTC)).not_valid_after(
        datetime.fromtimestamp(until, UTC)
    )
    return made.sign(key, SHA256()).public_bytes(Encoding.PEM)


def private_pem(key: rsa.RSAPrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


@cache
def sns_certificate() -> bytes:
    return certificate(sns_key())


def serves_certificate(_: str) -> bytes:
    return sns_certificate()


class Make(Protocol):
    def __call__(self, key: str, at: int = NOW) -> Received: ...


class Source(NamedTuple):
    """Source that signs one payload, for any time and with any key.

    The payload has the word "original".
    """

    name: SchemeName
    make: Make  # takes a key and a time
    payload: Any
    keys: tuple[str, str] = ("the one key", "the other key")
    signs_time: bool = True

    def verify(self, arrived: Received, *keys: str, now: float = NOW) -> WebhookDelivery:
        verify: Callable[..., WebhookDelivery] = scheme(self.name).verify
        if self.name == "sns":
            verify = partial(sns_scheme.verify, fetch=serves_certificate)
        return verify(arrived, keys or self.keys[:1], now)


EVENT = {"id": "evt_1", "note": "original", "data": [1, 2.5, None, "é"]}
BODY = json.dumps(EVENT).encode()
FORM_OF_JSON = b"payload=" + quote_plus(BODY).encode()
FORM = (("MessageSid", "SM1"), ("Note", "original"))
MULTIPART = multipart("feedback", BODY)
BASE64_KEYS = (
    "whsec_" + base64.b64encode(bytes(range(32))).decode(),
    base64.b64encode(bytes(24)).decode(),
)
TOPICS = (TOPIC, "arn:aws:sns:us-east-1:123456789012:invoices")


def whenever(make: Callable[[str], Received]) -> Make:
    """Adapts the builder of a source that signs no time."""
    return lambda key, at=NOW: make(key)  # noqa: ARG005


SOURCES = {
    "standard": Source("standard", partial(standard, BODY), EVENT, BASE64_KEYS),
    "stripe": Source("stripe", partial(stripe, BODY), EVENT),
    "github": Source("github", whenever(partial(github, BODY)), EVENT, signs_time=False),
    "github form": Source(
        "github", whenever(partial(github, FORM_OF_JSON)), EVENT, signs_time=False
    ),
    "twilio": Source("twilio", whenever(partial(twilio, FORM)), dict(FORM), signs_time=False),
    "twilio json": Source("twilio", whenever(partial(twilio_json, BODY)), EVENT, signs_time=False),
    "usersnap": Source("usersnap", partial(usersnap, BODY), EVENT),
    "usersnap form": Source("usersnap", partial(usersnap, MULTIPART), EVENT),
    "sns": Source("sns", partial(sns, json.dumps(EVENT)), EVENT, TOPICS),
}
"""One source for each form of delivery."""
