import json

import pytest

from functions.api.webhooks.delivery import Received
from functions.api.webhooks.schemes import stripe
from functions.core.errors import WrongSignature
from tests.builders import deliveries
from tests.builders.deliveries import BODY, NOW

KEY = "whsec_test_secret"

SDK_BODY = b"""{
  "id": "evt_test_webhook",
  "object": "event",
  "data": { "object": { "id": "rdr_123", "object": "terminal.reader" } }
}"""
"""Payload of stripe-python's own tests."""


def signed(header: str) -> Received:
    return deliveries.received(BODY, {"stripe-signature": header})


def right() -> str:
    return deliveries.stripe(BODY, KEY).headers["stripe-signature"]


def test_an_event_as_stripes_sdk_signs_it_is_delivered_under_its_id() -> None:
    assert stripe.verify(deliveries.stripe(SDK_BODY, KEY), [KEY], NOW).key == "evt_test_webhook"


@pytest.mark.parametrize(
    "form",
    [
        "{},v1=bad_signature",  # as in stripe-python's tests
        "{},v0=6ffbb59b2300aae63f272406069a9788598b792a944a07aba816edb039989a39",
        "v0=1,{}",
        "{},,=,later=1",
    ],
)
def test_one_right_signature_of_several_is_enough(form: str) -> None:
    assert stripe.verify(signed(form.format(right())), [KEY], NOW)


@pytest.mark.parametrize(
    "header",
    [
        "i'm not even a real signature header",
        f"t={NOW}",
        f"t={NOW},v1=",
        f"t={NOW},v1=bad_signature",
        f"t={NOW},v1=é",
        right().replace("v1=", "v0="),
        right().partition(",")[2],
        right().replace("t=", f"t={NOW},t="),
        right().replace("t=", "t=0"),
        right().replace("t=", "t= "),
        right().replace(str(NOW), "nan"),
        right().replace(str(NOW), "-1"),
        right().replace(str(NOW), str(NOW + 1)),
        right().replace(str(NOW), "٣"),
        right().replace(str(NOW), "9" * 2000),
        right().upper(),
        right() + f",v1={'0' * 64}" * 1000,
    ],
)
def test_a_header_without_one_time_and_a_signature_over_it_is_wrong(header: str) -> None:
    with pytest.raises(WrongSignature):
        stripe.verify(signed(header), [KEY], NOW)


@pytest.mark.parametrize(
    "event_id", [None, 7, "", "evt_", "ch_1", "evt_1\n", "evt_é", "evt_" + "1" * 201, ["evt_1"]]
)
def test_without_an_id_of_an_event_the_body_is_what_makes_a_delivery(event_id: object) -> None:
    body = json.dumps({"id": event_id}).encode()
    first, again, other = (
        stripe.verify(deliveries.stripe(each, KEY, at), [KEY], NOW).key
        for each, at in [(body, NOW), (body, NOW + 1), (body + b" ", NOW)]
    )
    assert first == again != other


@pytest.mark.parametrize("body", [b"[]", b"1", b"null", b'"evt_1"'])
def test_a_payload_may_be_any_json(body: bytes) -> None:
    assert stripe.verify(deliveries.stripe(body, KEY), [KEY], NOW).payload == json.loads(body)
