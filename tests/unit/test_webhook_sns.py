import io
import json

import pytest

from functions.api.webhooks.delivery import Received, WebhookDelivery
from functions.api.webhooks.download import Download, DownloadRefused
from functions.api.webhooks.schemes import sns
from functions.core.config import SettingsError
from functions.core.errors import MalformedBody, StaleDelivery, Unavailable, WrongSignature
from tests.builders import deliveries
from tests.builders.deliveries import NOW, TOPIC, serves_certificate

HOST = "https://sns.us-east-1.amazonaws.com"
CONFIRM_URL = f"{HOST}/?Action=ConfirmSubscription&TopicArn={TOPIC}&Token=2336412f37"
PEM = "SimpleNotificationService-0123456789abcdef0123456789abcdef.pem"


def verify(
    arrived: Received, topic: str = TOPIC, now: float = NOW, fetch: Download = serves_certificate
) -> WebhookDelivery:
    return sns.verify(arrived, [topic], now, fetch)


def subscription(kind: str = "SubscriptionConfirmation", url: str = CONFIRM_URL) -> Received:
    return deliveries.sns(
        "You have chosen to subscribe.", Type=kind, Token="2336412f37", SubscribeURL=url
    )


def changed(arrived: Received, **fields: str | None) -> Received:
    """A message whose fields change after signing; None leaves one out."""
    values = {
        name: value
        for name, value in {**json.loads(arrived.body), **fields}.items()
        if value is not None
    }
    return arrived._replace(body=json.dumps(values).encode())


def nothing_is_fetched(url: str) -> bytes:
    raise AssertionError(url)


def test_the_key_of_a_delivery_is_its_id_which_is_signed() -> None:
    assert verify(deliveries.sns("Hello", MessageId="m-7")).key == "m-7"
    with pytest.raises(WrongSignature):
        verify(changed(deliveries.sns("Hello"), MessageId="m-7"))


@pytest.mark.parametrize(
    ("message", "payload"),
    [
        ('{"a": 1}', {"a": 1}),
        ("Hello\nyou", "Hello\nyou"),
        ("", ""),
        ('{"a": ', '{"a": '),
        ("[" * 99_999, "[" * 99_999),
    ],
)
def test_a_published_message_is_delivered_as_json_or_else_as_text(
    message: str, payload: object
) -> None:
    assert verify(deliveries.sns(message)).payload == payload


def test_a_subject_is_signed_where_there_is_one() -> None:
    assert verify(deliveries.sns("Hello", Subject="News")).payload == "Hello"
    assert verify(deliveries.sns("Hello", Subject=None)).payload == "Hello"
    with pytest.raises(WrongSignature):
        verify(changed(deliveries.sns("Hello", Subject="News"), Subject="Old"))


def test_a_subscription_that_begins_starts_no_run_and_says_where_to_confirm_it() -> None:
    delivery = verify(subscription())
    assert (delivery.starts_run, delivery.confirm_url) == (False, CONFIRM_URL)


def test_a_subscription_that_ended_starts_no_run_and_is_not_begun_again() -> None:
    delivery = verify(subscription("UnsubscribeConfirmation"))
    assert (delivery.starts_run, delivery.confirm_url) == (False, None)


def test_a_message_is_no_subscription() -> None:
    delivery = verify(deliveries.sns("Hello", SubscribeURL=None))
    assert (delivery.starts_run, delivery.confirm_url) == (True, None)


@pytest.mark.parametrize(
    "name", ["Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"]
)
def test_all_that_is_signed_of_a_subscription_must_be_there_unchanged(name: str) -> None:
    for value in (None, "", "other"):
        with pytest.raises(WrongSignature):
            verify(changed(subscription(), **{name: value}))


@pytest.mark.parametrize(
    "name",
    [
        "Message",
        "MessageId",
        "Timestamp",
        "TopicArn",
        "Type",
        "Signature",
        "SignatureVersion",
        "SigningCertURL",
    ],
)
def test_all_that_is_signed_of_a_message_must_be_there_unchanged(name: str) -> None:
    for value in (None, "", "é"):
        with pytest.raises(WrongSignature):
            verify(changed(deliveries.sns("Hello"), **{name: value}))


def test_a_part_of_a_message_cannot_pose_as_the_fields_that_are_signed_after_it() -> None:
    """Otherwise a publisher could give one message any number of ids."""
    published = deliveries.sns("x\nMessageId\nm-2\nSubject\ny", MessageId="m-1")
    posing = changed(published, Message="x", MessageId="m-2", Subject="y\nMessageId\nm-1")
    with pytest.raises(WrongSignature):
        verify(posing)


@pytest.mark.parametrize(
    "topic",
    [
        f"{TOPIC}2",
        TOPIC.replace("123456789012", "210987654321"),
        TOPIC.replace("us-east-1", "us-east-2"),
        TOPIC.upper(),
        f" {TOPIC}",
    ],
)
def test_a_message_that_sns_signed_for_another_topic_is_wrong(topic: str) -> None:
    with pytest.raises(WrongSignature):
        verify(deliveries.sns("Hello", topic), fetch=nothing_is_fetched)


@pytest.mark.parametrize(
    "url",
    [
        f"http://sns.us-east-1.amazonaws.com/{PEM}",
        f"https://sns.us-east-2.amazonaws.com/{PEM}",
        f"https://sns.us-east-1.amazonaws.com.cn/{PEM}",
        f"https://sns.us-east-1.amazonaws.com.example.com/{PEM}",
        f"https://sns.us-east-1.amazonaws.com:444/{PEM}",
        f"https://sns.us-east-1.amazonaws.com@example.com/{PEM}",
        f"https://example.com/{PEM}?https://sns.us-east-1.amazonaws.com/{PEM}",
        f"https://example.com#sns.us-east-1.amazonaws.com/{PEM}",
        f"https://user@sns.us-east-1.amazonaws.com/{PEM}",
        f"https://snsxus-east-1.amazonaws.com/{PEM}",
        f"https://sns.us-east-1.amazonawsxcom/{PEM}",
        f"https://SNS.us-east-1.amazonaws.com/{PEM}",
        f"https://s3.us-east-1.amazonaws.com/{PEM}",
        f"{HOST}/bucket/{PEM}",
        f"{HOST}//{PEM}",
        f"{HOST}/../{PEM}",
        f"{HOST}/{PEM}?a=1",
        f"{HOST}/{PEM}#a",
        f"{HOST}/{PEM}\n",
        f"{HOST}/SimpleNotificationService-.pem",
        f"{HOST}/SimpleNotificationService-../0123456789abcdef.pem",
        f"{HOST}/SimpleNotificationService-0123456789abcdef.PEM",
        f"{HOST}/?Action=Publish&{PEM}",
        f"file:///{PEM}",
        "",
    ],
)
def test_a_certificate_from_anywhere_but_sns_in_the_topics_region_is_not_even_fetched(
    url: str,
) -> None:
    with pytest.raises(WrongSignature):
        verify(deliveries.sns("Hello", SigningCertURL=url), fetch=nothing_is_fetched)


@pytest.mark.parametrize(
    ("topic", "host"),
    [
        ("arn:aws:sns:eu-west-1:123456789012:a", "sns.eu-west-1.amazonaws.com"),
        ("arn:aws-us-gov:sns:us-gov-west-1:123456789012:a", "sns.us-gov-west-1.amazonaws.com"),
        ("arn:aws-cn:sns:cn-north-1:123456789012:a", "sns.cn-north-1.amazonaws.com.cn"),
    ],
)
def test_the_certificate_is_of_the_topics_region_and_partition(topic: str, host: str) -> None:
    url = f"https://{host}/{PEM}"
    assert verify(deliveries.sns("Hello", topic, SigningCertURL=url), topic).payload == "Hello"


def test_signature_version_1_is_refused_with_a_line_that_says_what_to_do(log: io.StringIO) -> None:
    with pytest.raises(WrongSignature, match="SignatureVersion 2"):
        verify(deliveries.sns("Hello", SignatureVersion="1"), fetch=nothing_is_fetched)
    (line,) = map(json.loads, log.getvalue().splitlines())
    assert (line["message"], line["topic"]) == (
        "a topic signs with SHA-1; set its SignatureVersion to 2",
        TOPIC,
    )


def test_a_foreign_topic_causes_no_log_line(log: io.StringIO) -> None:
    for topic, version in ((f"{TOPIC}2", "1"), (TOPIC, "3")):
        with pytest.raises(WrongSignature):
            verify(deliveries.sns("Hello", topic, SignatureVersion=version))
    assert log.getvalue() == ""


@pytest.mark.parametrize("signature", ["AAAA", "é", "=", "A" * 344, "A" * 100_000])
def test_any_other_signature_is_wrong(signature: str) -> None:
    with pytest.raises(WrongSignature):
        verify(changed(deliveries.sns("Hello"), Signature=signature))


def test_a_signature_with_more_in_it_is_wrong() -> None:
    arrived = deliveries.sns("Hello")
    with pytest.raises(WrongSignature):
        verify(changed(arrived, Signature="!" + json.loads(arrived.body)["Signature"]))


@pytest.mark.parametrize(
    "time", ["now", "2024-11-15T21:12:01", "2024-11-15T21:12:01+00:00", "2024-13-15T21:12:01Z"]
)
def test_a_time_of_another_form_is_malformed(time: str) -> None:
    with pytest.raises(MalformedBody):
        verify(deliveries.sns("Hello", Timestamp=time))


@pytest.mark.parametrize("time", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999Z"])
def test_the_first_and_the_last_year_are_stale(time: str) -> None:
    with pytest.raises(StaleDelivery):
        verify(deliveries.sns("Hello", Timestamp=time))


@pytest.mark.parametrize(
    "url",
    [
        CONFIRM_URL.replace("https", "http"),
        CONFIRM_URL.replace("us-east-1.", "us-east-2."),
        CONFIRM_URL.replace("amazonaws.com", "amazonaws.com.example.com"),
        CONFIRM_URL.replace("amazonaws.com", "amazonaws.com:443"),
        CONFIRM_URL.replace("sns.", "user@sns."),
        CONFIRM_URL.replace("ConfirmSubscription", "Unsubscribe"),
        CONFIRM_URL.replace("?", "?Action=Publish&"),
        CONFIRM_URL.replace("orders", "invoices"),
        CONFIRM_URL.replace("/?", "/path?"),
        CONFIRM_URL + "#a",
        CONFIRM_URL + "&a=1" * 20,
        "https://[",
        "",
    ],
)
def test_a_subscription_is_confirmed_nowhere_else_and_nothing_else_is_done(url: str) -> None:
    with pytest.raises(MalformedBody):
        verify(subscription(url=url))


@pytest.mark.parametrize(
    "key",
    ["a key", "arn:aws:sns:us-east-1:123456789012", "arn:aws:sqs:us-east-1:123456789012:a", "*"],
)
def test_a_key_that_is_no_topics_arn_is_a_wrong_setting(key: str) -> None:
    with pytest.raises(SettingsError):
        sns.verify(deliveries.sns("Hello"), [TOPIC, key], NOW, nothing_is_fetched)


@pytest.mark.parametrize(
    "body",
    [b"Hello", b"[]", b"{}", b"\xff", b"[" * 100_000, b'{"Type": 1}', b'{"Type": "Notification"}'],
)
def test_raw_message_delivery_and_whatever_else_is_no_message_is_wrong(body: bytes) -> None:
    with pytest.raises(WrongSignature):
        verify(deliveries.received(body, {}), fetch=nothing_is_fetched)


def test_a_subscription_is_confirmed_by_fetching_its_url() -> None:
    fetched = []

    def confirms(url: str) -> bytes:
        fetched.append(url)
        return b"<ConfirmSubscriptionResponse/>"

    sns.confirm(CONFIRM_URL, confirms)
    assert fetched == [CONFIRM_URL]


def test_a_subscription_that_sns_does_not_confirm_is_tried_again() -> None:
    def refuses(_: str) -> bytes:
        raise DownloadRefused

    with pytest.raises(Unavailable):
        sns.confirm(CONFIRM_URL, refuses)
