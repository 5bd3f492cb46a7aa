"""Amazon SNS over HTTPS: the body is a JSON object that holds its own signature, by a certificate of SNS.

The keys of a source are its topics' exact ARNs: whoever has an AWS account can have SNS sign a message of theirs.
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
from functions.api.webhooks.delivery import Delivery, Received
from functions.api.webhooks.download import Download, Refused, download
from functions.core.config import SettingsError
from functions.core.errors import MalformedBody, Unavailable, WrongSignature
from functions.core.observability import logger

_SUBSCRIPTION = ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type")
_SIGNED = {
    "Notification": ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"),
    "SubscriptionConfirmation": _SUBSCRIPTION,
    "UnsubscribeConfirmation": _SUBSCRIPTION,
}
"""The fields that are signed, in their order; a message may have no subject."""

_TOPIC = re.compile(
    r"arn:(aws|aws-cn|aws-us-gov):sns:([a-z0-9-]{1,30}):[0-9]{12}:[A-Za-z0-9_-]{1,256}"
)
_CERTIFICATE = re.compile(r"https://([a-z0-9.-]+)/SimpleNotificationService-[0-9a-f]{8,64}\.pem")
_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?Z")


def verify(
    received: Received, keys: Sequence[str], now: float, fetch: Download = download
) -> Delivery:
    """`fetch` gets the certificate, from SNS's host in the topic's region and from nowhere else."""
    message = _read(received.body)
    host = _host(message["TopicArn"], keys)
    _refuse_sha1(message)
    url = _certificate_url(message, host)
    refuse_unless_signed_by_certificate(url, _signature(message), _signed(message), now, fetch)
    refuse_stale(_time(message), now)
    return _delivery(message, host)


def confirm(url: str, fetch: Download = download) -> None:
    """Confirms the subscription whose delivery had this `confirm_url`. Raises `Unavailable`."""
    try:
        fetch(url)
    except Refused:
        raise Unavailable("SNS does not confirm the subscription.") from None


def _read(body: bytes) -> dict[str, str]:
    """The texts of a message, which has all that is signed of its type."""
    try:
        fields = msgspec.json.decode(body, type=dict[str, object])
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        fields = {}
    texts = {name: value for name, value in fields.items() if isinstance(value, str)}
    signed = _SIGNED.get(texts.get("Type", ""))
    if not signed or not _is_whole(texts, signed):
        raise WrongSignature(
            "The body is no message of SNS with its signature, which raw message delivery leaves out."
        )
    return texts


def _is_whole(texts: Mapping[str, str], signed: Sequence[str]) -> bool:
    """What is signed is lines, so each field but the message is one line, which SNS sees to as well: with more of them, a
    part of a message could be passed off as the fields after it, such as another id.
    """
    needed = {*signed, "SignatureVersion", "Signature", "SigningCertURL"} - {"Subject"}
    one_line = (texts.get(name, "") for name in signed if name != "Message")
    return needed <= texts.keys() and not any("\n" in text for text in one_line)


def _host(topic: str, topics: Sequence[str]) -> str:
    """SNS's host for a topic that is one of the source's."""
    arns = {each: _TOPIC.fullmatch(each) for each in topics}
    if not all(arns.values()):
        raise SettingsError("A key of an SNS source must be the ARN of a topic.")
    arn = arns.get(topic)
    if not arn:
        raise WrongSignature("The message is not of a topic of this source.")
    return f"sns.{arn[2]}.amazonaws.com" + (".cn" if arn[1] == "aws-cn" else "")


def _refuse_sha1(message: Mapping[str, str]) -> None:
    if message["SignatureVersion"] == "2":
        return
    if message["SignatureVersion"] == "1":
        logger.warning(
            "a topic signs with SHA-1; set its SignatureVersion to 2", topic=message["TopicArn"]
        )
    raise WrongSignature("Only messages with SignatureVersion 2 are accepted.")


def _certificate_url(message: Mapping[str, str], host: str) -> str:
    url = _CERTIFICATE.fullmatch(message["SigningCertURL"])
    if not url or url[1] != host:
        raise WrongSignature("The certificate is not of SNS in the topic's region.")
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


def _delivery(message: Mapping[str, str], host: str) -> Delivery:
    key, kind = message["MessageId"], message["Type"]
    if kind == "Notification":
        return Delivery(key=key, payload=_payload(message["Message"]))
    url = _confirm_url(message, host) if kind == "SubscriptionConfirmation" else None
    return Delivery(key=key, payload=message["Message"], starts_run=False, confirm_url=url)


def _payload(text: str) -> object:
    """What was published: JSON, or a text."""
    try:
        return read_json(text)
    except MalformedBody:
        return text


def _confirm_url(message: Mapping[str, str], host: str) -> str:
    """Where this subscription can be confirmed, and nothing else can be done."""
    url = message["SubscribeURL"]
    try:
        parts = urlsplit(url)
        asked = parse_qs(parts.query, max_num_fields=10)
    except ValueError:
        parts, asked = urlsplit(""), {}
    is_ours = (parts.scheme, parts.netloc, parts.path, parts.fragment) == ("https", host, "/", "")
    if (
        not is_ours
        or asked.get("Action") != ["ConfirmSubscription"]
        or asked.get("TopicArn") != [message["TopicArn"]]
    ):
        raise MalformedBody(
            "The message is signed but its SubscribeURL confirms no subscription of this topic."
        )
    return url
