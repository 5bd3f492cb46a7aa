import json
from typing import Any

import pytest

from functions.api.webhooks.delivery import WebhookDelivery
from functions.api.webhooks.schemes import usersnap
from functions.core.errors import MalformedBody, WrongSignature
from tests.builders import deliveries
from tests.builders.deliveries import BODY, EVENT, MULTIPART, NOW, multipart

KEY = "the one key"
FILE = (
    b'Content-Disposition: form-data; name="file"; filename="s.png"\r\n'
    b"Content-Type: image/png\r\n\r\n"
    b"\x89PNG\xff\r\n--b2\r\n"
)

SAMPLE: dict[str, Any] = {
    "feedback_number": 1000,
    "link": "https://app.usersnap.com/l/feedback/45a5c97d-2a8f-46c0-90b6-d6089192b161",
    "client": {
        "url": "https://app.usersnap.com/",
        "user_agent": "Mozilla/5.0 (Windows NT 10.0; Win64; x64)",
        "screen_width": 1200,
        "screen_height": 1200,
        "client": "Chrome",
    },
    "comment": {"text": "This example feedback will show if your integration setup is correct"},
    "geo": {"ip_address": "123.123.123.123"},
    "fields": [
        {
            "order": 0,
            "label": "Title",
            "boolean_value": None,
            "text_value": "Sample feedback",
            "value": "Sample feedback",
        }
    ],
    "rating": {"value": 1},
    "request": {"text": "Sample feedback"},
    "state": {"identifier": "open"},
    "visitor": {"email": "ana@example.com"},
}
"""Feedback from Usersnap's documentation, as its button "test" sends it, shortened."""


def verify(body: bytes, at: float = NOW) -> WebhookDelivery:
    return usersnap.verify(deliveries.usersnap(body, KEY, at), [KEY], NOW)


def test_usersnaps_sample_feedback_is_delivered() -> None:
    assert verify(json.dumps(SAMPLE, indent=2).encode()).payload == SAMPLE


def test_a_signature_is_over_the_body_and_32_bytes_of_milliseconds_the_least_first() -> None:
    """The signature was made with OpenSSL.

    `(printf '{}'; printf 'cf2cab3193010000' | xxd -r -p; head -c 24 /dev/zero) | openssl dgst
    -sha256 -hmac k`
    """
    signature = "79f8a86b07f6d9cc579e3cc86f52c9fa15146bdb23fc3b4eb6c5811bd7c27705"
    headers = {"x-usersnap-signature": signature, "x-usersnap-timestamp": "1731705121999"}
    assert usersnap.verify(deliveries.received(b"{}", headers), ["k"], NOW).payload == {}


def test_another_time_than_the_signed_one_is_wrong() -> None:
    arrived = deliveries.usersnap(BODY, KEY)
    later = {**arrived.headers, "x-usersnap-timestamp": str(NOW * 1000 + 1)}
    with pytest.raises(WrongSignature):
        usersnap.verify(arrived._replace(headers=later), [KEY], NOW)


@pytest.mark.parametrize(
    "timestamp", ["", "nan", "1e12", "-1", "1731705121000.0", "٣", "9" * 15, "9" * 5000]
)
def test_a_time_that_is_no_whole_number_of_milliseconds_is_wrong(timestamp: str) -> None:
    arrived = deliveries.usersnap(BODY, KEY)
    with pytest.raises(WrongSignature):
        usersnap.verify(
            arrived._replace(headers={**arrived.headers, "x-usersnap-timestamp": timestamp}),
            [KEY],
            NOW,
        )


@pytest.mark.parametrize("signature", ["", "é" * 64, "0" * 63, "0" * 65, "0" * 10_000, "G" * 64])
def test_a_signature_of_another_form_is_wrong(signature: str) -> None:
    arrived = deliveries.usersnap(BODY, KEY)
    with pytest.raises(WrongSignature):
        usersnap.verify(
            arrived._replace(headers={**arrived.headers, "x-usersnap-signature": signature}),
            [KEY],
            NOW,
        )


def test_a_forms_feedback_is_delivered_without_its_files() -> None:
    body = multipart("feedback", '{"a": "schön, 日本"}'.encode(), b"b1", FILE)
    assert verify(body).payload == {"a": "schön, 日本"}


def test_feedback_is_read_whatever_type_its_part_has() -> None:
    for content_type in (
        b"application/json",
        b"application/json; charset=utf-8",
        b"text/plain; charset=latin-1",
    ):
        part = (
            b'Content-Type: %s\r\nContent-Disposition: form-data; name="feedback"\r\n\r\n'
            % content_type
        )
        body = b"--b1\r\n" + part + '{"a": "é"}'.encode() + b"\r\n--b1--\r\n"
        assert verify(body).payload == {"a": "é"}


def test_the_same_feedback_in_another_form_or_none_is_the_same_delivery() -> None:
    keys = {
        verify(body).key for body in (BODY, MULTIPART, multipart("feedback", BODY, b"b3", FILE))
    }
    assert len(keys) == 1
    assert verify(BODY + b" ").key not in keys


def test_the_boundary_is_the_bodys_own_because_the_content_type_is_not_signed() -> None:
    """Otherwise a signed body, sent again, could have a file in it read as the feedback.

    A stranger may have attached that file.
    """
    file = b'Content-Disposition: form-data; name="file"\r\n\r\n' + multipart(
        "feedback", b'{"forged": 1}', b"evil"
    )
    arrived = deliveries.usersnap(multipart("feedback", BODY, b"b1", file), KEY)
    headers = {**arrived.headers, "content-type": "multipart/form-data; boundary=evil"}
    assert usersnap.verify(arrived._replace(headers=headers), [KEY], NOW).payload == EVENT


@pytest.mark.parametrize(
    "body",
    [
        multipart("feedbacks", BODY),
        multipart(
            "feedback", BODY, b"b1", b'Content-Disposition: form-data; name="feedback"\r\n\r\n{}'
        ),
        multipart("feedback", b"no JSON"),
        multipart("feedback", b'"\xff"'),
        b"--b1\r\n",
        b"--b1\n" + BODY,
        b"--b1\r\n--b1--",
        b"--" + b"b" * 71 + b"\r\n",
        (
            b"--b1\r\nContent-Type: multipart/mixed; boundary=c\r\n"
            b'Content-Disposition: x; name="feedback"\r\n\r\n--c\r\n\r\n{}'
        ),
        b"--b1\r\nContent-Disposition: form-data; name*=utf-8''feedback%ff\r\n\r\n{}\r\n--b1--",
    ],
)
def test_a_form_without_one_part_of_feedback_is_malformed(body: bytes) -> None:
    with pytest.raises(MalformedBody):
        verify(body)


def test_parts_within_parts_a_thousand_deep_are_malformed() -> None:
    nested = b"".join(
        b"--b%d\r\nContent-Type: multipart/mixed; boundary=b%d\r\n\r\n" % (i, i + 1)
        for i in range(1000)
    )
    with pytest.raises(MalformedBody):
        verify(nested)
