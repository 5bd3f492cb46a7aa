import base64
import hashlib
from collections.abc import Sequence
from urllib.parse import urlencode

import pytest

from functions.api.webhooks.delivery import Received, WebhookDelivery
from functions.api.webhooks.schemes import twilio
from functions.core.errors import WrongSignature
from tests.builders import deliveries
from tests.builders.deliveries import BODY, FORM, NOW, URL

KEY = "the one key"

# Examples from Twilio's documentation and from its SDKs' tests, all with the token 12345.
DOCUMENTED_URL = "https://mycompany.com/myapp.php"
DOCUMENTED = {
    "CallSid": "CA1234567890ABCDE",
    "Caller": "+14158675309",
    "Digits": "1234",
    "From": "+14158675309",
    "To": "+18005551212",
}
DOCUMENTED_JSON = b'{"property": "value", "boolean": true}'
DOCUMENTED_HASH = "0a1ff7634d9ab3b95db5c9a2dfe9416e41502b283a80c7cf19632632f96e6620"


def documented(body: bytes, signature: str, query: str = "foo=1&bar=2") -> WebhookDelivery:
    return twilio.verify(
        Received(body, {"x-twilio-signature": signature}, query, DOCUMENTED_URL), ["12345"], NOW
    )


def signed(
    text: str, body: bytes, query: str = "", algorithm: str = "sha1", **headers: str
) -> Received:
    """A request whose signature is over this text, regardless of its other parts."""
    signature = base64.b64encode(deliveries.digest(KEY.encode(), text.encode(), algorithm)).decode()
    return deliveries.received(body, {"x-twilio-signature": signature, **headers}, query)


def verify(arrived: Received, keys: Sequence[str] = (KEY,)) -> WebhookDelivery:
    return twilio.verify(arrived, keys, NOW)


def test_twilios_documented_form_is_delivered_with_the_query_that_is_signed_too() -> None:
    delivery = documented(urlencode(DOCUMENTED).encode(), "RSOYDt4T1cUTdK1PDd93/VVr8B8=")
    assert (delivery.payload, delivery.query) == (DOCUMENTED, {"foo": "1", "bar": "2"})


def test_twilios_documented_json_is_delivered() -> None:
    delivery = documented(
        DOCUMENTED_JSON, "a9nBmqA0ju/hNViExpshrM61xv4=", f"foo=1&bar=2&bodySHA256={DOCUMENTED_HASH}"
    )
    assert delivery.payload == {"property": "value", "boolean": True}


def test_each_value_of_a_repeated_field_is_delivered_once_because_its_number_is_not_signed() -> (
    None
):
    body = b"Sid=CA123&SidAccount=AC123&Digits=5678&Digits=1234&Digits=1234"
    delivery = documented(body, "IK+Dwps556ElfBT0I3Rgjkr1wJU=")
    assert delivery.payload == {"Sid": "CA123", "SidAccount": "AC123", "Digits": ["1234", "5678"]}


def test_a_url_may_be_signed_with_its_port() -> None:
    text = URL.replace(".com", ".com:443") + "a1"
    assert verify(signed(text, b"a=1")).payload == {"a": "1"}


def test_a_shared_key_signs_with_sha_256() -> None:
    settings = {
        "x-twilio-webhooks-signature-settings": "key=webhooks_sharedkey_1,algorithm=HMAC_SHA256"
    }
    assert verify(signed(f"{URL}a1", b"a=1", algorithm="sha256", **settings)).payload == {"a": "1"}


@pytest.mark.parametrize("algorithm", ["HMAC_MD5", "NONE", "é", "SHA1"])
def test_any_other_algorithm_is_wrong(algorithm: str) -> None:
    settings = {"x-twilio-webhooks-signature-settings": f"algorithm={algorithm}"}
    with pytest.raises(WrongSignature):
        verify(signed(f"{URL}a1", b"a=1", **settings))


def test_a_hash_of_the_body_in_the_url_does_not_let_a_form_through_that_is_not_that_body() -> None:
    """Twilio's validator, given the fields of a form, signs them and ignores the hash."""
    query = f"bodySHA256={hashlib.sha256(BODY).hexdigest()}"
    with pytest.raises(WrongSignature):
        verify(signed(f"{URL}?{query}", b"a=1", query))
    with pytest.raises(WrongSignature):
        verify(signed(f"{URL}?{query}a1", b"a=1", query))


@pytest.mark.parametrize(
    "query", ["bodySHA256", "bodySHA256=", "bodySHA256=%C3%A9", "bodySHA256=0"]
)
def test_a_hash_that_is_none_is_wrong(query: str) -> None:
    with pytest.raises(WrongSignature):
        verify(signed(f"{URL}?{query}", b"", query))


def test_json_whose_hash_is_not_in_the_url_is_not_signed() -> None:
    with pytest.raises(WrongSignature):
        verify(signed(URL, BODY, **{"content-type": "application/json"}))


def test_another_query_or_url_is_wrong() -> None:
    arrived = deliveries.twilio(FORM, KEY, "tenant=1")
    assert verify(arrived).query == {"tenant": "1"}
    for other in (
        arrived._replace(query="tenant=2"),
        arrived._replace(query=""),
        arrived._replace(url=URL + "2"),
    ):
        with pytest.raises(WrongSignature):
            verify(other)


def test_empty_fields_are_delivered_because_they_are_signed() -> None:
    assert verify(signed(f"{URL}ab1", b"a=&b=1")).payload == {"a": "", "b": "1"}


def test_ambiguous_readings_of_one_signed_form_are_one_delivery() -> None:
    """The signature covers no boundary between the names and values of fields.

    Nor does it cover one between the query and the fields.
    """
    one, other = (
        verify(signed(f"{URL}?t=1ab1", b"ab=1", "t=1")),
        verify(signed(f"{URL}?t=1ab1", b"a=b1", "t=1")),
    )
    query = verify(signed(f"{URL}?t=1ab1", b"", "t=1ab1"))
    assert one.payload != other.payload
    assert one.key == other.key == query.key


def test_other_fields_are_another_delivery() -> None:
    assert verify(signed(f"{URL}a1", b"a=1")).key != verify(signed(f"{URL}a2", b"a=2")).key


@pytest.mark.parametrize(
    ("body", "text"), [(b"\xff=1", "\ufffd1"), (b"a=\xff", "a\ufffd"), (b"a=%ff", "a\ufffd")]
)
def test_a_form_that_is_no_utf_8_is_wrong_however_it_is_signed(body: bytes, text: str) -> None:
    with pytest.raises(WrongSignature):
        verify(signed(URL + text, body))


def test_a_form_has_a_thousand_fields_at_most() -> None:
    names = sorted(f"a{i}" for i in range(1000))
    assert verify(
        signed(URL + "".join(names), "=&".join(names).encode() + b"=")
    ).payload == dict.fromkeys(names, "")
    with pytest.raises(WrongSignature):
        verify(signed(URL + "".join([*names, "b"]), "=&".join([*names, "b="]).encode()))


@pytest.mark.parametrize("signature", ["", "é", "=" * 28, "a" * 10_000])
def test_a_header_of_another_form_is_wrong(signature: str) -> None:
    with pytest.raises(WrongSignature):
        verify(deliveries.received(b"a=1", {"x-twilio-signature": signature}))
