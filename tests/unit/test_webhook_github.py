import json

import pytest

from functions.api.webhooks.delivery import Received
from functions.api.webhooks.schemes import github
from functions.core.errors import MalformedBody, WrongSignature
from tests.builders import deliveries
from tests.builders.deliveries import BODY, EVENT, FORM_OF_JSON, NOW

KEY = "the one key"


def signed(header: str, body: bytes = BODY) -> Received:
    return deliveries.received(body, {"x-hub-signature-256": header})


def right() -> str:
    return deliveries.github(BODY, KEY).headers["x-hub-signature-256"]


def test_githubs_documented_example_is_rightly_signed_although_it_is_no_json() -> None:
    """https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries."""
    signature = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
    with pytest.raises(MalformedBody):
        github.verify(signed(signature, b"Hello, World!"), ["It's a Secret to Everybody"], NOW)


@pytest.mark.parametrize(
    "header",
    [
        "",
        "sha256=",
        right().removeprefix("sha256="),
        right().replace("sha256", "sha1"),
        right() + " ",
        right() + "," + right(),
        right().upper(),
        right()[:-1],
        "sha256=" + "é" * 64,
        "sha256=" + "0" * 10_000,
    ],
)
def test_a_header_of_another_form_is_wrong(header: str) -> None:
    with pytest.raises(WrongSignature):
        github.verify(signed(header), [KEY], NOW)


def test_a_delivery_is_what_its_body_is() -> None:
    key = github.verify(deliveries.github(BODY, KEY), [KEY], NOW).key
    assert key != github.verify(deliveries.github(BODY + b" ", KEY), [KEY], NOW).key


def test_the_body_decides_whether_it_is_a_form_because_the_content_type_is_not_signed() -> None:
    """Otherwise a signed body, sent again, could have another part of it read.

    Such a part could be a commit's message, which a stranger wrote.
    """
    event = {"message": "&payload=%7B%22forged%22%3A1%7D"}
    arrived = deliveries.github(json.dumps(event).encode(), KEY)
    as_form = {**arrived.headers, "content-type": "application/x-www-form-urlencoded"}
    assert github.verify(arrived._replace(headers=as_form), [KEY], NOW).payload == event
    as_json = {**deliveries.github(FORM_OF_JSON, KEY).headers, "content-type": "application/json"}
    assert github.verify(deliveries.received(FORM_OF_JSON, as_json), [KEY], NOW).payload == EVENT


@pytest.mark.parametrize(
    "form",
    [
        b"payload=%22%ff%22",
        b"payload=\xff",
        b"payload=",
        b"payload=1&payload=2",
        b"payload=%7B%7D&a=1",
    ],
)
def test_a_form_that_holds_something_else_is_malformed(form: bytes) -> None:
    with pytest.raises(MalformedBody):
        github.verify(deliveries.github(form, KEY), [KEY], NOW)
