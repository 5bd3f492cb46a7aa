"""Ready sections of docs/reference/webhook-sources.md: each takes what its service signs.

Each delivery is signed here as the service documents it, not by the code under test.
"""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from functions.api.webhooks.delivery import Received, WebhookDelivery
from functions.api.webhooks.kept.taking import identified
from functions.api.webhooks.scheme import scheme
from functions.api.webhooks.sources import read_sources
from functions.core.errors import StaleDelivery, WrongSignature
from infra import sam
from tests.builders.deliveries import NOW, URL
from tests.documents import blocks

KEY = "the one key"
(SECTION,) = [
    block.code
    for block in blocks(sam.ROOT / "docs/reference/webhook-sources.md")
    if block.language == "toml"
]
SOURCES = read_sources(SECTION)


def digest(message: bytes, key: str, algorithm: str = "sha256") -> bytes:
    return hmac.new(key.encode(), message, algorithm).digest()


def b64(signature: bytes) -> str:
    return base64.b64encode(signature).decode()


Headers = Callable[[bytes, str, int], Mapping[str, str]]


def shopify(body: bytes, key: str, _: int) -> Mapping[str, str]:
    """https://shopify.dev/docs/apps/build/webhooks/verify-deliveries."""
    return {"x-shopify-hmac-sha256": b64(digest(body, key)), "x-shopify-webhook-id": "w-1"}


def slack(body: bytes, key: str, at: int) -> Mapping[str, str]:
    """https://api.slack.com/authentication/verifying-requests-from-slack."""
    signature = digest(f"v0:{at}:".encode() + body, key).hex()
    return {"x-slack-signature": f"v0={signature}", "x-slack-request-timestamp": str(at)}


def typeform(body: bytes, key: str, _: int) -> Mapping[str, str]:
    """https://www.typeform.com/developers/webhooks/secure-your-webhooks/."""
    return {"typeform-signature": "sha256=" + b64(digest(body, key))}


def hubspot(body: bytes, key: str, at: int) -> Mapping[str, str]:
    """https://developers.hubspot.com/docs/api/webhooks/validating-requests."""
    signed = b"POST" + URL.encode() + body + str(at * 1000).encode()
    return {
        "x-hubspot-signature-v3": b64(digest(signed, key)),
        "x-hubspot-request-timestamp": str(at * 1000),
    }


def meta(body: bytes, key: str, _: int) -> Mapping[str, str]:
    """https://developers.facebook.com/docs/graph-api/webhooks/getting-started."""
    return {"x-hub-signature-256": "sha256=" + digest(body, key).hex()}


def github(body: bytes, key: str, at: int) -> Mapping[str, str]:
    return {**meta(body, key, at), "x-github-delivery": "72d3162e-cc78-11e3-81ab-4c9367dc0958"}


def linear(body: bytes, key: str, _: int) -> Mapping[str, str]:
    """https://linear.app/developers/webhooks."""
    return {"linear-signature": digest(body, key).hex(), "linear-delivery": "234d1a4e"}


def zoom(body: bytes, key: str, at: int) -> Mapping[str, str]:
    """https://developers.zoom.us/docs/api/webhooks/#verify-webhook-events."""
    signature = digest(f"v0:{at}:".encode() + body, key).hex()
    return {"x-zm-signature": f"v0={signature}", "x-zm-request-timestamp": str(at)}


def gitlab(_: bytes, key: str, __: int) -> Mapping[str, str]:
    """https://docs.gitlab.com/user/project/integrations/webhooks/."""
    return {"x-gitlab-token": key, "idempotency-key": "f5e5f430"}


def telegram(_: bytes, key: str, __: int) -> Mapping[str, str]:
    """https://core.telegram.org/bots/api#setwebhook."""
    return {"x-telegram-bot-api-secret-token": key}


def intercom(body: bytes, key: str, _: int) -> Mapping[str, str]:
    """https://developers.intercom.com/docs/webhooks/webhook-notifications#signed-notifications."""
    return {"x-hub-signature": "sha1=" + digest(body, key, "sha1").hex()}


def stripe(body: bytes, key: str, at: int) -> Mapping[str, str]:
    signature = digest(f"{at}.".encode() + body, key).hex()
    return {"stripe-signature": f"t={at},v1={signature},v0=00"}


def paddle(body: bytes, key: str, at: int) -> Mapping[str, str]:
    """https://developer.paddle.com/webhooks/signature-verification."""
    return {"paddle-signature": f"ts={at};h1={digest(f'{at}:'.encode() + body, key).hex()}"}


def twitch(body: bytes, key: str, at: int) -> Mapping[str, str]:
    """https://dev.twitch.tv/docs/eventsub/handling-webhook-events/."""
    time = datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%S.123456789Z")
    signed = b"e76c6bd4" + time.encode() + body
    return {
        "twitch-eventsub-message-id": "e76c6bd4",
        "twitch-eventsub-message-timestamp": time,
        "twitch-eventsub-message-signature": "sha256=" + digest(signed, key).hex(),
    }


SERVICES: dict[str, tuple[Headers, Any, Any]] = {
    "shopify": (
        shopify,
        {"name": "#1001", "email": "ana@example.com", "total_price": "49.00"},
        {"order": "#1001", "email": "ana@example.com", "total": "49.00"},
    ),
    "slack": (
        slack,
        {
            "type": "event_callback",
            "event_id": "Ev1",
            "event": {"type": "app_mention", "text": "hi"},
        },
        {"text": "hi"},
    ),
    "typeform": (
        typeform,
        {"event_id": "01G", "form_response": {"answers": [{"type": "text", "text": "yes"}]}},
        {"answers": [{"type": "text", "text": "yes"}]},
    ),
    "hubspot": (
        hubspot,
        [
            {
                "eventId": 1,
                "subscriptionId": 12345,
                "occurredAt": 1564113600000,
                "subscriptionType": "contact.creation",
                "attemptNumber": 0,
                "objectId": 123,
            }
        ],
        {"contact": "123"},
    ),
    "meta": (
        meta,
        {"object": "page", "entry": [{"changes": [{"field": "feed", "value": {"item": "post"}}]}]},
        {"field": "feed", "value": {"item": "post"}},
    ),
    "github": (github, {"action": "opened", "issue": {"number": 7}}, {"number": 7}),
    "linear": (
        linear,
        {
            "type": "Issue",
            "action": "create",
            "data": {"id": "2174add1"},
            "webhookTimestamp": NOW * 1000,
        },
        {"issue": "2174add1", "action": "create"},
    ),
    "zoom": (
        zoom,
        {"event": "meeting.ended", "payload": {"object": {"uuid": "4444AAAiAAAAAiAiAiiAii=="}}},
        {"meeting": "4444AAAiAAAAAiAiAiiAii=="},
    ),
    "gitlab": (
        gitlab,
        {"object_kind": "merge_request", "object_attributes": {"iid": 1}},
        {"id": 1},
    ),
    "telegram": (
        telegram,
        {"update_id": 10000, "message": {"chat": {"id": 1111111}, "text": "/start"}},
        {"chat": 1111111, "text": "/start"},
    ),
    "intercom": (
        intercom,
        {
            "id": "notif_78c122d0",
            "topic": "conversation.user.created",
            "data": {"item": {"id": "530370b477ad7120001d"}},
        },
        {"id": "530370b477ad7120001d"},
    ),
    "stripe": (
        stripe,
        {
            "id": "evt_1",
            "type": "checkout.session.completed",
            "data": {
                "object": {
                    "customer_details": {"email": "ana@example.com"},
                    "amount_total": 1999,
                    "currency": "eur",
                }
            },
        },
        {"to": "ana@example.com", "total": "19.99", "currency": "eur"},
    ),
    "paddle": (
        paddle,
        {"event_id": "evt_01", "event_type": "transaction.completed", "data": {"id": "txn_01"}},
        {"transaction": "txn_01"},
    ),
    "twitch": (
        twitch,
        {"event": {"broadcaster_user_login": "cooler_user"}},
        {"channel": "cooler_user"},
    ),
}
each_service = pytest.mark.parametrize("name", SERVICES)
NO_TIME = {"shopify", "typeform", "meta", "github", "gitlab", "telegram", "intercom"}
"""Services that sign no time."""


def arrived(name: str, payload: object = None, key: str = KEY, at: int = NOW) -> Received:
    headers, sample, _ = SERVICES[name]
    body = json.dumps(sample if payload is None else payload, indent=1).encode()
    return Received(body, headers(body, key, at), "", URL)


def verified(name: str, received: Received, *keys: str, now: float = NOW) -> WebhookDelivery:
    source = SOURCES[name]
    delivery = scheme(source.scheme, source).verify(received, keys or (KEY,), now)
    return identified(source, received, delivery)


def test_every_ready_section_is_tried() -> None:
    assert SOURCES.keys() == SERVICES.keys()


@each_service
def test_a_signed_delivery_becomes_parameters(name: str) -> None:
    delivery = verified(name, arrived(name))
    assert SOURCES[name].items_of(delivery.payload, delivery.query) == [SERVICES[name][2]]


@each_service
def test_either_of_two_keys_is_right_and_another_is_not(name: str) -> None:
    assert verified(name, arrived(name), "new", KEY)
    with pytest.raises(WrongSignature):
        verified(name, arrived(name), "new", "another")


@pytest.mark.parametrize("name", sorted(SERVICES.keys() - {"gitlab", "telegram"}))
def test_a_body_that_was_changed_is_wrong(name: str) -> None:
    received = arrived(name)
    with pytest.raises(WrongSignature):
        verified(name, received._replace(body=received.body + b" "))


@each_service
def test_without_its_headers_it_is_wrong(name: str) -> None:
    with pytest.raises(WrongSignature):
        verified(name, arrived(name)._replace(headers={}))


@pytest.mark.parametrize("name", sorted(SERVICES.keys() - NO_TIME))
def test_a_delivery_that_was_signed_earlier_or_later_is_stale(name: str) -> None:
    assert verified(name, arrived(name), now=NOW + 299)
    for now in (NOW + 302, NOW - 302):
        with pytest.raises(StaleDelivery):
            verified(name, arrived(name), now=now)


@each_service
def test_a_repetition_is_the_same_delivery(name: str) -> None:
    first = verified(name, arrived(name)).key
    again = verified(name, arrived(name, at=NOW + 60), now=NOW + 60).key
    assert first == again


@pytest.mark.parametrize("name", ["shopify", "github", "linear", "gitlab"])
def test_two_events_with_equal_bodies_and_another_id_are_two_deliveries(name: str) -> None:
    received = arrived(name)
    header = str(SOURCES[name].unsigned_id_header)
    other = received._replace(headers={**received.headers, header: "another"})
    assert verified(name, received).key != verified(name, other).key
    without = {key: value for key, value in received.headers.items() if key != header}
    bare = received._replace(headers=without)
    assert verified(name, bare).key == hashlib.sha256(received.body).hexdigest()


def test_hubspots_next_try_has_another_body_and_is_the_same_delivery() -> None:
    sample = SERVICES["hubspot"][1]
    again = [sample[0] | {"attemptNumber": 1}]
    other = [sample[0] | {"eventId": 2}]
    first, second, third = (
        verified("hubspot", arrived("hubspot", each)).key for each in (sample, again, other)
    )
    assert first == second != third


def test_slacks_documented_example_is_rightly_signed() -> None:
    """A slash command: api.slack.com/authentication/verifying-requests-from-slack."""
    body = (
        b"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow"
        b"&channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner"
        b"&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands"
        b"%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015"
        b".47445629121.803a0bc887a14d10d2c447fce8b6703c"
    )
    headers = {
        "x-slack-signature": "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503",
        "x-slack-request-timestamp": "1531420618",
    }
    text = SECTION.partition("[slack]")[2].partition("[typeform]")[0]
    source = read_sources(f'[slack]{text}\nbody = "form"')["slack"]
    delivery = scheme("hmac", source).verify(
        Received(body, headers, "", URL), ("8f742231b10e8888abcd99yyyzzz85a5",), 1531420618
    )
    assert delivery.payload["command"] == "/webhook-collect"
