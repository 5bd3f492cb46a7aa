import base64
import io

import pytest

from functions.api.webhooks.delivery import Received
from functions.api.webhooks.schemes import standard
from functions.core.config import SettingsError
from functions.core.errors import WrongSignature
from tests.builders import deliveries
from tests.builders.deliveries import BASE64_KEYS, BODY, NOW

KEY = BASE64_KEYS[0]


def signed(**headers: str) -> Received:
    """A valid delivery, with some headers replaced."""
    arrived = deliveries.standard(BODY, KEY)
    return arrived._replace(
        headers={**arrived.headers, **{f"webhook-{n}": value for n, value in headers.items()}}
    )


@pytest.mark.parametrize("prefix", ["webhook", "svix"])
@pytest.mark.parametrize(
    ("secret", "message_id", "at", "body", "signature"),
    [
        (
            "whsec_plJ3nmyCDGBKInavdOK15jsl",
            "msg_loFOjxBNrRLzqYUf",
            1731705121,
            b'{"event_type":"ping","data":{"success":true}}',
            "v1,rAvfW3dJ/X/qxhsaXPOyyCGmRKsaKWcsNccKXlIktD0=",
        ),
        (
            "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            1614265330,
            b'{"test": 2432232314}',
            "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
        ),
    ],
)
def test_signed_examples_of_svix_and_the_standards_libraries_are_delivered(  # noqa: PLR0917 - the parts of a vector
    prefix: str, secret: str, message_id: str, at: int, body: bytes, signature: str
) -> None:
    names = {"id": message_id, "timestamp": str(at), "signature": signature}
    arrived = deliveries.received(
        body, {f"{prefix}-{name}": value for name, value in names.items()}
    )
    assert standard.verify(arrived, [secret], at).key == message_id


def test_the_key_of_a_delivery_is_its_id_which_is_signed() -> None:
    assert (
        standard.verify(deliveries.standard(BODY, KEY, message_id="msg_7"), [KEY], NOW).key
        == "msg_7"
    )
    with pytest.raises(WrongSignature):
        standard.verify(signed(id="msg_7"), [KEY], NOW)


def test_another_time_than_the_signed_one_is_wrong() -> None:
    with pytest.raises(WrongSignature):
        standard.verify(signed(timestamp=str(NOW + 1)), [KEY], NOW)


def test_one_right_signature_of_several_is_enough() -> None:
    right = deliveries.standard(BODY, KEY).headers["webhook-signature"]
    several = f"v1a,{'A' * 88} v1,{'A' * 44} v1 {right}"
    assert standard.verify(signed(signature=several), [KEY], NOW)


@pytest.mark.parametrize("version", ["v1a", "v2", "V1", "", "v1,v1"])
def test_a_signature_of_another_version_is_wrong(version: str) -> None:
    right = deliveries.standard(BODY, KEY).headers["webhook-signature"].removeprefix("v1")
    with pytest.raises(WrongSignature):
        standard.verify(signed(signature=version + right), [KEY], NOW)


def test_an_id_cannot_take_the_time_for_a_part_of_itself() -> None:
    """The same text could be signed for two deliveries.

    With id "msg_1", a time and the body "7.{…}"; or with id "msg_1.<time>", the time 7 and the body
    "{…}".
    """
    arrived = deliveries.standard(f"{NOW}.".encode() + BODY, KEY, at=1)
    shifted = {**arrived.headers, "webhook-id": "msg_1.1", "webhook-timestamp": str(NOW)}
    with pytest.raises(WrongSignature):
        standard.verify(arrived._replace(headers=shifted, body=BODY), [KEY], NOW)


@pytest.mark.parametrize(
    "timestamp",
    [
        "",
        "nan",
        "inf",
        "-1",
        "1e9",
        "1731705121.0",
        " 1731705121",
        "٣",
        "9" * 12,
        "9" * 5000,
        "0x1",
    ],
)
def test_a_time_that_is_no_whole_number_of_seconds_is_wrong(timestamp: str) -> None:
    with pytest.raises(WrongSignature):
        standard.verify(signed(timestamp=timestamp), [KEY], NOW)


@pytest.mark.parametrize("message_id", ["", "é", "a b", "m" * 256, "msg\n1"])
def test_an_id_of_another_form_is_wrong(message_id: str) -> None:
    with pytest.raises(WrongSignature):
        standard.verify(deliveries.standard(BODY, KEY, message_id=message_id), [KEY], NOW)


def test_a_header_of_thousands_of_signatures_is_not_read() -> None:
    right = deliveries.standard(BODY, KEY).headers["webhook-signature"]
    with pytest.raises(WrongSignature):
        standard.verify(signed(signature=" ".join([right] * 1000)), [KEY], NOW)


def test_a_body_that_is_no_utf_8_is_wrong() -> None:
    with pytest.raises(WrongSignature):
        standard.verify(deliveries.standard(b'"\xff"', KEY), [KEY], NOW)


@pytest.mark.parametrize("form", ["whsec_{}", "{}"])
@pytest.mark.parametrize("size", [24, 25, 26, 64])
def test_a_key_is_base64_with_or_without_its_prefix_and_padding(form: str, size: int) -> None:
    padded = base64.b64encode(bytes(range(size))).decode()
    arrived = deliveries.standard(BODY, padded)
    assert standard.verify(arrived, [form.format(padded)], NOW)
    assert standard.verify(arrived, [form.format(padded.rstrip("="))], NOW)


@pytest.mark.parametrize(
    "key", ["whsec_", "whsec_====", "whsec_not base64!", "kéy=", "whsec_A", "whsec_!!!!AAAA"]
)
def test_a_key_that_is_no_base64_is_a_wrong_setting(key: str) -> None:
    with pytest.raises(SettingsError, match=r"No key of this source is base64"):
        standard.verify(deliveries.standard(BODY, KEY), [key], NOW)


def test_a_slip_in_a_new_key_does_not_stop_the_one_before(log: io.StringIO) -> None:
    assert standard.verify(deliveries.standard(BODY, KEY), ["whsec_not base64!", KEY], NOW)
    with pytest.raises(WrongSignature):
        standard.verify(deliveries.standard(BODY, "c3RyYW5nZXI="), ["whsec_not base64!", KEY], NOW)
    assert "is not base64" in log.getvalue()
    assert "not base64!" not in log.getvalue()
