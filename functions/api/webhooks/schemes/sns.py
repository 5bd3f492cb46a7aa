"""Amazon SNS over HTTPS: a JSON object that holds its own signature, by a certificate of SNS.

The keys of a source are its topics' exact ARNs, because SNS signs messages of any AWS account.
Source: https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message.html
"""

import base64
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from urllib.parse import parse_qs, urlsplit

import msgspec

from functions.api.webhooks.certificates import refuse_unless_signed_by_certificate
from functions.api.webhooks.checks import read_json, refuse_stale
from functions.api.webhooks.delivery import Received, WebhookDelivery
from functions.api.webhooks.download import Download, DownloadRefused, download
from functions.core.config import SettingsError
from functions.core.errors import MalformedBody, Unavailable, WrongSignature
from functions.core.observability import logger

_SUBSCRIPTION = ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type")
_SIGNED = {
    "Notification": ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"),
    "SubscriptionConfirmation": _SUBSCRIPTION,
    "UnsubscribeConfirmation": _SUBSCRIPTION,
}
"""Signed fields by type of message, in the order of signing. The subject is optional."""

_TOPIC = re.compile(
    r"arn:(aws|aws-cn|aws-us-gov):sns:([a-z0-9-]{1,30}):[0-9]{12}:[A-Za-z0-9_-]{1,256}"
)
_CERTIFICATE = re.compile(r"https://([a-z0-9.-]+)/SimpleNotificationService-[0-9a-f]{8,64}\.pem")
_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?Z")


def verify(
    received: Received, keys: Sequence[str], now: float, fetch: Download = download
) -> WebhookDelivery:
    """Verifies a message. `fetch` only gets URLs of SNS's host in the topic's region."""
    message = _read(received.body)
    host = _host(message["TopicArn"], keys)
    _refuse_sha1(message)
    url = _certificate_url(message, host)
    refuse_unless_signed_by_certificate(url, _signature(message), _signed(message), now, fetch)
    refuse_stale(_time(message), now)
    return _delivery(message, host)


def confirm(url: str, fetch: Download = download) -> None:
    """Confirms the subscription of a delivery with this `confirm_url`. Raises `Unavailable`."""
    try:
        fetch(url)
    except DownloadRefused:
        raise Unavailable("SNS does not confirm the subscription.") from None


def _read(body: bytes) -> dict[str, str]:
    """Text fields of a message, which has all signed fields of its type."""
    try:
        fields = msgspec.json.decode(body, type=dict[str, object])
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        fields = {}
    texts = {name: value for name, value in fields.items() if isinstance(value, str)}
    signed = _SIGNED.get(texts.get("Type", ""))
    if not signed or not _is_whole(texts, signed):
        raise WrongSignature(
            "The body is not a signed SNS message. Switch raw message delivery off for this topic."
        )
    return texts


def _is_whole(texts: Mapping[str, str], signed: Sequence[str]) -> bool:
    """Whether all signed fields are there, each on one line except the message, as SNS sends them.

    The signed text is lines. A line break in another field could pass a part of it off as the
    fields after it, such as another id.
    """
    needed = {*signed, "SignatureVersion", "Signature", "SigningCertURL"} - {"Subject"}
    one_line = (texts.get(name, "") for name in signed if name != "Message")
    return needed <= texts.keys() and not any("\n" in text for text in one_line)


def _host(topic: str, topics: Sequence[str]) -> str:
    """Host of SNS for a topic of the source."""
    arns = {each: _TOPIC.fullmatch(each) for each in topics}
    if not all(arns.values()):
        raise SettingsError("A key of an SNS source must be the ARN of a topic.")
    arn = arns.get(topic)
    if not arn:
        raise WrongSignature("The message is not from a topic of this source.")
    return f"sns.{arn[2]}.amazonaws.com" + (".cn" if arn[1] == "aws-cn" else "")


def _refuse_sha1(message: Mapping[str, str]) -> None:
    if message["SignatureVersion"] == "2":
        return
    if message["SignatureVersion"] == "1":
        logger.warning(
            "a topic signs with SHA-1; set its SignatureVersion to 2", topic=message["TopicArn"]
        )
    raise WrongSignature("Only SignatureVersion 2 is accepted. Set it on the topic.")


def _certificate_url(message: Mapping[str, str], host: str) -> str:
    url = _CERTIFICATE.fullmatch(message["SigningCertURL"])
    if not url or url[1] != host:
        raise WrongSignature("The certificate is not from SNS in the topic's region.")
    return url[0]


def _signature(message: Mapping[str, str]) -> bytes:
    try:
        return base64.b64decode(message["Signature"], validate=True)
    except ValueError:
        raise WrongSignature("The signature is not base64.") from None


def _signed(message: Mapping[str, str]) -> bytes:
    names = (name for name in _SIGNED[message["Type"]] if name in message)
    return "".join(f"{name}\n{message[name]}\n" for name in names).encode()


def _time(message: Mapping[str, str]) -> float:
    text = message["Timestamp"]
    try:
        return datetime.fromisoformat(text if _TIME.fullmatch(text) else "").timestamp()
    except ValueError:
        raise MalformedBody("The message is signed but its time cannot be read.") from None


def _delivery(message: Mapping[str, str], host: str) -> WebhookDelivery:
    key, kind = message["MessageId"], message["Type"]
    if kind == "Notification":
        return WebhookDelivery(key=key, payload=_payload(message["Message"]))
    url = _confirm_url(message, host) if kind == "SubscriptionConfirmation" else None
    return WebhookDelivery(key=key, payload=message["Message"], starts_run=False, confirm_url=url)


def _payload(text: str) -> object:
    """Published content: JSON, or a text."""
    try:
        return read_json(text)
    except MalformedBody:
        return text


def _confirm_url(message: Mapping[str, str], host: str) -> str:
    """URL that confirms this subscription and does nothing else. Raises `MalformedBody`."""
    url = message["SubscribeURL"]
    try:
        parts = urlsplit(url)
        query = parse_qs(parts.query, max_num_fields=10)
    except ValueError:
        parts, query = urlsplit(""), {}
    is_of_sns = (parts.scheme, parts.netloc, parts.path, parts.fragment) == ("https", host, "/", "")
    if (
        not is_of_sns
        or query.get("Action") != ["ConfirmSubscription"]
        or query.get("TopicArn") != [message["TopicArn"]]
    ):
        raise MalformedBody(
            "The message is signed but its SubscribeURL does not confirm this topic's subscription."
        )
    return url
