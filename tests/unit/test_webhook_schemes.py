"""Rules that hold for every signature scheme; each scheme has a file of its own."""

import subprocess
import sys
from collections.abc import Callable
from typing import cast

import pytest

from functions.api.webhooks.delivery import Received
from functions.api.webhooks.scheme import SchemeName, scheme
from functions.core.errors import MalformedBody, StaleDelivery, WrongSignature
from infra import sam
from tests.builders import deliveries
from tests.builders.deliveries import NOW, SOURCES, Source

MINUTES_5 = 300

each_source = pytest.mark.parametrize("source", SOURCES.values(), ids=SOURCES.keys())
each_source_that_signs_a_time = pytest.mark.parametrize(
    "source",
    [each for each in SOURCES.values() if each.signs_time],
    ids=[n for n, s in SOURCES.items() if s.signs_time],
)


@each_source
def test_a_signed_delivery_is_delivered(source: Source) -> None:
    assert source.verify(source.make(source.keys[0])).payload == source.payload


@each_source
def test_while_keys_rotate_either_is_right(source: Source) -> None:
    assert source.verify(source.make(source.keys[0]), *source.keys).payload == source.payload
    assert source.verify(source.make(source.keys[1]), *source.keys).payload == source.payload


@each_source
def test_another_key_is_wrong(source: Source) -> None:
    with pytest.raises(WrongSignature):
        source.verify(source.make(source.keys[1]))


@each_source
def test_a_body_that_was_changed_is_wrong(source: Source) -> None:
    arrived = source.make(source.keys[0])
    with pytest.raises(WrongSignature):
        source.verify(arrived._replace(body=arrived.body.replace(b"original", b"0riginal")))


@each_source
def test_without_any_header_of_the_signature_it_is_wrong(source: Source) -> None:
    arrived = source.make(source.keys[0])
    for missing in set(arrived.headers) - {"content-type"}:
        headers = {name: value for name, value in arrived.headers.items() if name != missing}
        with pytest.raises(WrongSignature):
            source.verify(arrived._replace(headers=headers))


@each_source
def test_nothing_at_all_is_wrong(source: Source) -> None:
    with pytest.raises(WrongSignature):
        source.verify(deliveries.received(b"", {}))


@each_source_that_signs_a_time
@pytest.mark.parametrize("seconds", [-MINUTES_5, MINUTES_5])
def test_within_5_minutes_it_is_delivered(source: Source, seconds: int) -> None:
    assert source.verify(source.make(source.keys[0], NOW + seconds))


@each_source_that_signs_a_time
@pytest.mark.parametrize("seconds", [-MINUTES_5 - 1, MINUTES_5 + 1])
def test_a_delivery_signed_earlier_or_later_is_stale(source: Source, seconds: int) -> None:
    with pytest.raises(StaleDelivery):
        source.verify(source.make(source.keys[0], NOW + seconds))


@each_source_that_signs_a_time
def test_a_forged_delivery_is_not_called_stale(source: Source) -> None:
    with pytest.raises(WrongSignature):
        source.verify(source.make(source.keys[1], NOW - MINUTES_5 - 1))


@each_source
def test_the_same_delivery_sent_again_has_the_same_key(source: Source) -> None:
    first, again = (
        source.verify(source.make(source.keys[0], NOW + seconds)) for seconds in (0, 60)
    )
    assert first.key == again.key


@each_source
def test_headers_that_are_not_signed_change_nothing(source: Source) -> None:
    arrived = source.make(source.keys[0])
    unsigned = {
        "content-type": "multipart/form-data; boundary=x",
        "x-github-delivery": "2",
        "idempotency-key": "2",
    }
    assert source.verify(
        arrived._replace(headers={**arrived.headers, **unsigned})
    ) == source.verify(arrived)


@each_source
def test_an_error_says_nothing_of_key_body_or_signature(source: Source) -> None:
    arrived = source.make(source.keys[1])
    with pytest.raises(WrongSignature) as caught:
        source.verify(arrived)
    told = str(caught.value)
    assert not any(
        secret in told for secret in (*source.keys, "original", *arrived.headers.values())
    )


NO_JSON = [
    b"",
    b"Hello",
    b'{"a":NaN}',
    b'{"a":1e999}',
    b'"\\ud800"',
    b"[" * 100_000,
    b'{"a":' * 100_000,
]


@pytest.mark.parametrize("body", NO_JSON)
@pytest.mark.parametrize(
    ("name", "make"),
    [
        ("standard", deliveries.standard),
        ("stripe", deliveries.stripe),
        ("github", deliveries.github),
        ("github form", lambda body, key: deliveries.github(b"payload=" + body, key)),
        ("twilio json", deliveries.twilio_json),
        ("usersnap", deliveries.usersnap),
    ],
)
def test_a_signed_body_that_is_no_json_is_malformed(
    name: str, make: Callable[..., Received], body: bytes
) -> None:
    source = SOURCES[name]
    with pytest.raises(MalformedBody):
        source.verify(make(body, source.keys[0]))


@pytest.mark.parametrize("name", ["standard", "stripe", "github", "twilio", "sns"])
def test_a_source_that_takes_any_2xx_is_told_202(name: str) -> None:
    assert scheme(cast("SchemeName", name)).accepted_status == 202


def test_usersnap_takes_nothing_but_200() -> None:
    assert scheme("usersnap").accepted_status == 200


def test_a_scheme_is_imported_when_it_is_first_used_and_with_it_what_it_needs() -> None:
    heavy = ["standardwebhooks", "twilio", "cryptography"]
    program = f"""
import sys
from functions.api.webhooks.delivery import Received
from functions.api.webhooks.scheme import scheme
scheme("github"), scheme("stripe"), scheme("usersnap")
print([name for name in {heavy} if name in sys.modules])
"""
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=sam.ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"
