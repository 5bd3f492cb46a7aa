"""Any input, from anyone, is a delivery or one of three errors, never an internal error."""

from contextlib import suppress

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from functions.api.webhooks.delivery import Received
from functions.core.errors import MalformedBody, StaleDelivery, WrongSignature
from tests.builders import deliveries
from tests.builders.deliveries import BODY, FORM, MULTIPART, NOW, SOURCES, Source

KEY = "the one key"
SIGNED_BY_ITSELF = deliveries.sns("Hello").body
"""Body that carries its own signature, as SNS's messages do."""
NAMES = sorted(
    {name for source in SOURCES.values() for name in source.make(source.keys[0]).headers}
)
NAMES += ["svix-id", "svix-timestamp", "svix-signature", "x-twilio-webhooks-signature-settings"]

any_text = st.text(st.characters(exclude_categories=()), max_size=40)
near_headers = st.sampled_from(
    [str(NOW), f"{NOW}000", "msg_1", f"t={NOW},v1=", "v1,", "sha256=", "0" * 64, "nan", ","]
)
any_header = st.one_of(any_text, near_headers, st.tuples(near_headers, any_text).map("".join))
near_bodies = st.sampled_from([BODY, MULTIPART, b"payload=%7B", b"a=1&b=%ff", SIGNED_BY_ITSELF])
cuts = st.tuples(near_bodies, st.integers(0, 400), st.binary(max_size=20)).map(
    lambda cut: cut[0][: cut[1]] + cut[2]
)
any_body = st.one_of(st.binary(max_size=200), near_bodies, cuts)
lines = st.sampled_from(
    [
        b"--b1",
        b"--b1--",
        b"",
        BODY,
        b'Content-Disposition: form-data; name="feedback"',
        b"Content-Disposition: form-data; name*0*=utf-8''feed; name*1=back",
        b"Content-Type: multipart/mixed; boundary=b1",
        b"Content-Type: message/rfc822",
        b"Content-Transfer-Encoding: base64",
        b"Content-Transfer-Encoding: x-uuencode",
    ]
)
any_form = st.lists(st.one_of(lines, st.binary(max_size=20)), max_size=12).map(
    lambda each: b"--b1\r\n" + b"\r\n".join(each)
)


@settings(deadline=None)
@given(
    st.sampled_from(list(SOURCES.values())),
    any_body,
    st.dictionaries(st.sampled_from(NAMES), any_header),
    any_text,
)
def test_an_unsigned_delivery_is_refused(
    source: Source, body: bytes, headers: dict[str, str], query: str
) -> None:
    assume(body != SIGNED_BY_ITSELF)
    with pytest.raises(WrongSignature):
        source.verify(Received(body, headers, query, deliveries.URL))


@settings(deadline=None)
@given(st.sampled_from(list(SOURCES.values())), st.sampled_from(NAMES), any_header, any_text)
def test_one_strange_header_or_query_beside_what_is_right_is_no_fault(
    source: Source, name: str, value: str, query: str
) -> None:
    arrived = source.make(source.keys[0])
    for strange in (
        arrived._replace(headers={**arrived.headers, name: value}),
        arrived._replace(query=query),
    ):
        with suppress(MalformedBody, StaleDelivery, WrongSignature):
            source.verify(strange)


@settings(deadline=None)
@given(st.one_of(any_body, any_form))
def test_anything_that_a_source_signs_is_delivered_or_malformed(body: bytes) -> None:
    for name, arrived in {
        "stripe": deliveries.stripe(body, KEY),
        "github": deliveries.github(body, KEY),
        "twilio json": deliveries.twilio_json(body, KEY),
        "usersnap": deliveries.usersnap(body, KEY),
    }.items():
        with suppress(MalformedBody):
            assert SOURCES[name].verify(arrived).key


@settings(deadline=None)
@given(st.text(max_size=100))
def test_anything_that_sns_signs_is_delivered(message: str) -> None:
    assert SOURCES["sns"].verify(deliveries.sns(message)).key


@settings(deadline=None)
@given(
    st.dictionaries(st.text(max_size=10), st.text(max_size=10), max_size=5),
    st.dictionaries(st.text(), st.text()),
)
def test_anything_that_twilio_signs_is_delivered_unchanged(
    fields: dict[str, str], more: dict[str, str]
) -> None:
    form = {**dict(FORM), **fields, **more}
    assert SOURCES["twilio"].verify(deliveries.twilio(list(form.items()), KEY)).payload == form
