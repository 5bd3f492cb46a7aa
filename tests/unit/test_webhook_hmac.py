"""The schemes `hmac` and `token`: what their settings mean, and what they refuse."""

import base64
from typing import Any

import pytest

from functions.api.webhooks.delivery import Received, WebhookDelivery
from functions.api.webhooks.scheme import Signature
from functions.api.webhooks.schemes import hmac, token
from functions.api.webhooks.sources import read_sources
from functions.core.config import SettingsError
from functions.core.errors import MalformedBody, StaleDelivery, WrongSignature
from tests.builders.deliveries import BODY, EVENT, NOW, URL, digest

KEY = "the one key"


def verify(of: Signature, body: bytes = BODY, query: str = "", **headers: str) -> WebhookDelivery:
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    return hmac.verify(of, Received(body, sent, query, URL), [KEY], NOW)


@pytest.mark.parametrize("algorithm", ["sha1", "sha256", "sha512"])
def test_a_digest_is_written_as_its_settings_say(algorithm: Any) -> None:
    made = digest(KEY.encode(), BODY, algorithm)
    for encoding, text in {
        "hex": made.hex(),
        "base64": base64.b64encode(made).decode(),
        "base64url": base64.urlsafe_b64encode(made).decode().rstrip("="),
    }.items():
        of = Signature(header="X-Sig", algorithm=algorithm, encoding=encoding)  # type: ignore[arg-type]
        assert verify(of, x_sig=text).payload == EVENT
        with pytest.raises(WrongSignature):
            verify(of, x_sig="A" + text[1:] if text[0] != "A" else "B" + text[1:])
    padded = base64.urlsafe_b64encode(made).decode()
    of = Signature(header="X-Sig", algorithm=algorithm, encoding="base64url")
    assert verify(of, x_sig=padded).payload == EVENT


def test_one_right_signature_of_several_is_enough() -> None:
    """PagerDuty: `X-PagerDuty-Signature: v1=…,v1=…` while a secret rotates."""
    of = Signature(header="X-Sig", separator=",", prefix="v1=")
    right = digest(KEY.encode(), BODY).hex()
    assert verify(of, x_sig=f"v1={'0' * 64},v1={right}")
    for wrong in (f"v1={'0' * 64}", right, f"v0={right}", f"v1={right}0", ""):
        with pytest.raises(WrongSignature):
            verify(of, x_sig=wrong)


def test_without_a_separator_a_header_is_one_signature() -> None:
    of = Signature(header="X-Sig", prefix="v1=")
    right = digest(KEY.encode(), BODY).hex()
    with pytest.raises(WrongSignature):
        verify(of, x_sig=f"v1={right},v1={right}")


def test_the_url_is_signed_with_its_query_which_expressions_then_see() -> None:
    """Square signs the URL and the body."""
    of = Signature(header="X-Sig", encoding="base64", signed="{url}{body}")
    signed = f"{URL}?shop=a%20b&n=1".encode() + BODY
    text = base64.b64encode(digest(KEY.encode(), signed)).decode()
    delivery = verify(of, query="shop=a%20b&n=1", x_sig=text)
    assert delivery.query == {"shop": "a b", "n": "1"}
    with pytest.raises(WrongSignature):
        verify(of, query="shop=a%20b&n=2", x_sig=text)


def test_a_query_that_is_not_signed_is_not_passed_on() -> None:
    of = Signature(header="X-Sig")
    assert verify(of, query="a=1", x_sig=digest(KEY.encode(), BODY).hex()).query == {}


def test_a_signed_id_is_the_key_of_a_delivery_and_cannot_be_changed() -> None:
    of = Signature(header="X-Sig", signed="{id}.{body}", id_header="X-Id")
    text = digest(KEY.encode(), b"m1." + BODY).hex()
    assert verify(of, x_sig=text, x_id="m1").key == "m1"
    for other in ("m2", "", "m 1", "m" * 256):
        with pytest.raises(WrongSignature):
            verify(of, x_sig=text, x_id=other)


@pytest.mark.parametrize("time", ["", "nan", "-1", "1e9", " 1", "٣", "9" * 12, "1.0"])
def test_a_time_of_another_form_is_wrong(time: str) -> None:
    of = Signature(header="X-Sig", signed="{timestamp}{body}", timestamp_header="X-Time")
    text = digest(KEY.encode(), time.encode() + BODY).hex()
    with pytest.raises(WrongSignature):
        verify(of, x_sig=text, x_time=time)


@pytest.mark.parametrize(
    "time", ["2024-13-01T00:00:00Z", "2024-11-15T21:12:01", "now", "1731705121"]
)
def test_a_time_that_is_not_of_rfc_3339_is_wrong(time: str) -> None:
    of = Signature(
        header="X-Sig", signed="{timestamp}{body}", timestamp_header="X-T", timestamp_unit="iso"
    )
    with pytest.raises(WrongSignature):
        verify(of, x_sig=digest(KEY.encode(), time.encode() + BODY).hex(), x_t=time)


def test_the_tolerance_is_the_sources() -> None:
    of = Signature(
        header="X-Sig", signed="{timestamp}{body}", timestamp_header="X-T", tolerance_seconds=10
    )
    for seconds in (10, -10):
        at = str(NOW + seconds)
        assert verify(of, x_sig=digest(KEY.encode(), at.encode() + BODY).hex(), x_t=at)
    late = str(NOW - 11)
    with pytest.raises(StaleDelivery, match="more than 10 seconds ago"):
        verify(of, x_sig=digest(KEY.encode(), late.encode() + BODY).hex(), x_t=late)


@pytest.mark.parametrize("body", [b"{}", b'{"at":true}', b'{"at":"x"}', b'{"at":null}', b"[]"])
def test_a_body_without_the_time_that_should_be_in_it_is_wrong(body: bytes) -> None:
    of = Signature(header="X-Sig", timestamp_path="payload.at")
    with pytest.raises(WrongSignature):
        verify(of, body, x_sig=digest(KEY.encode(), body).hex())


def test_a_form_is_read_where_the_source_says_so_whatever_the_content_type_says() -> None:
    body, of = b"a=1&b=x+y&b=%C3%A9", Signature(header="X-Sig", body="form")
    sent = digest(KEY.encode(), body).hex()
    assert verify(of, body, x_sig=sent, content_type="application/json").payload == {
        "a": "1",
        "b": ["x y", "é"],
    }
    for bad in (b"a=%ff", b"\xff", b"&".join([b"a=1"] * 1001)):
        with pytest.raises(MalformedBody):
            verify(of, bad, x_sig=digest(KEY.encode(), bad).hex())


def verify_token(of: Signature, *keys: str, **headers: str) -> WebhookDelivery:
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    return token.verify(of, Received(BODY, sent, "token=the%20one%20key", URL), keys or (KEY,), NOW)


def test_a_token_is_compared_whole() -> None:
    of = Signature(header="X-Token")
    assert verify_token(of, x_token=KEY).payload == EVENT
    assert verify_token(of, "new", KEY, x_token=KEY)
    for wrong in ("", KEY[:-1], KEY + " ", KEY.upper(), "é"):
        with pytest.raises(WrongSignature):
            verify_token(of, x_token=wrong)


def test_a_token_in_the_url_does_not_count() -> None:
    with pytest.raises(WrongSignature):
        verify_token(Signature(header="X-Token"))


def test_a_bearer_token_has_its_prefix() -> None:
    of = Signature(header="Authorization", prefix="Bearer ")
    assert verify_token(of, authorization=f"Bearer {KEY}")
    with pytest.raises(WrongSignature):
        verify_token(of, authorization=KEY)


def basic(text: str) -> str:
    return "Basic " + base64.b64encode(text.encode()).decode()


def test_without_a_header_the_token_is_basics_password() -> None:
    """RFC 7617: a password may have colons, a user name may not."""
    assert verify_token(Signature(), authorization=basic(f"anybody:{KEY}"))
    assert verify_token(Signature(), "a:b", authorization=basic("anybody:a:b").replace("B", "b", 1))
    for wrong in (
        basic(f"{KEY}:"),
        basic(KEY),
        "Basic !",
        f"Basic {KEY}",
        f"Bearer {KEY}",
        "Basic",
    ):
        with pytest.raises(WrongSignature):
            verify_token(Signature(), authorization=wrong)


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ("", "header is missing"),
        ('header = "A b"', "matching regex"),
        ('header = "A"\nsigned = "{timestamp}"', "no {body}"),
        ('header = "A"\nsigned = "{body}{time}"', "unknown place"),
        ('header = "A"\nsigned = "{timestamp}{body}"', "set timestamp_header"),
        ('header = "A"\ntimestamp_header = "B"', "proves nothing"),
        ('header = "A"\nsigned = "{timestamp}{body}"\ntimestamp_prefix = "t="', "a separator"),
        ('header = "A"\nsigned = "{id}{body}"', "set id_header"),
        ('header = "A"\nalgorithm = "md5"', "Invalid enum value 'md5'"),
        ('header = "A"\ntolerance_seconds = 0', ">= 1"),
        ('header = "A"\nwindow_seconds = 9999999', "<= 7776000"),
        ('header = "A"\nid_path = "payload."', "id_path is not a JMESPath expression"),
        ('header = "A"\nverify_token_query = "t"', "needs a challenge_query"),
        ('header = "A"\nkeep = false\nwindow_seconds = 60', "not keep = false"),
        ('header = "A"\nparameters = "{a: hmac(payload.a)}"', "no function hmac"),
    ],
)
def test_settings_that_do_not_fit_each_other_are_told(settings: str, sentence: str) -> None:
    about = 'scheme = "hmac"\nsecret = "a"\nworkflow = "x"\n'
    parameters = "" if "parameters" in settings else '\nparameters = "payload"'
    with pytest.raises(SettingsError) as refused:
        read_sources(f"[a]\n{about}{settings}{parameters}")
    assert sentence in str(refused.value)


@pytest.mark.parametrize("name", ["standard", "github", "stripe", "twilio", "usersnap", "token"])
def test_settings_of_hmac_belong_to_no_other_scheme(name: str) -> None:
    about = f'scheme = "{name}"\nsecret = "a"\nworkflow = "x"\nparameters = "payload"\n'
    assert read_sources(f'[a]\n{about}id_header = "X-Id"')
    with pytest.raises(SettingsError, match=f"signed is no setting of the scheme {name}"):
        read_sources(f'[a]\n{about}signed = "x{{body}}"')
