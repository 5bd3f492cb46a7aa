import base64
import hashlib
import io
import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from functions.core.integrations import usersnap
from functions.core.triggers.run_item import WillTryAgain
from functions.workflows.deliver_event.handler import lambda_handler as deliver_event
from infra import sam
from tests import fakes
from tests.builders import Context, Reply, call
from tests.builders.run_items import RUN_ID, delivery, outcome
from tests.documents import event_reader
from tests.workflows.conftest import Clock, Settings, admin

pytestmark = pytest.mark.usefixtures("cloud")

KEY = "c" * 44
ANOTHER_KEY = base64.b64encode(b"another key of 32 bytes in length").decode()
DATA = {"order": "1042", "lines": [{"sku": "a-1", "count": 2}], "note": "für Zoë"}
PARAMETERS = {"type": "order.shipped", "data": DATA}


class Received(NamedTuple):
    """A request as a receiver gets it."""

    headers: dict[str, str]
    body: bytes

    @property
    def event(self) -> dict[str, Any]:
        event: dict[str, Any] = json.loads(self.body)
        return event


@contextmanager
def receiving(settings: Settings, *answers: int, **headers: str) -> Iterator[list[Received]]:
    """A receiver of all events that gives these answers, and then repeats the last one."""
    received: list[Received] = []

    def script(request: Any, body: bytes) -> None:
        received.append(
            Received({name.lower(): value for name, value in request.headers.items()}, body)
        )
        fakes.reply(
            request,
            answers[min(len(received), len(answers)) - 1],
            b"words of the receiver",
            headers,
        )

    with fakes.server(script) as url:
        settings.set(EVENTS_URL=f"{url}/hook?token=of-the-receiver", LOCAL_RECEIVERS="true")
        yield received


@pytest.fixture
def received(settings: Settings) -> Iterator[list[Received]]:
    """Requests of a receiver that accepts everything."""
    with receiving(settings, 204) as requests:
        yield requests


def deliver(data: object = DATA, **parameters: object) -> Reply:
    return call(deliver_event, {"type": "order.shipped", "data": data} | parameters)


def set_keys(text: str) -> None:
    admin("secretsmanager").put_secret_value(SecretId="events-key", SecretString=text)


def test_an_event_is_delivered_as_json_with_its_id_type_time_and_data(
    received: list[Received],
) -> None:
    reply = deliver(event_id="order-1042", occurred_at="2026-11-24T09:00:00.5+01:00")
    assert (reply.status, reply.body) == (
        200,
        {"event_id": "order-1042", "delivered": True, "status": 204},
    )
    (request,) = received
    assert request.event == {
        "id": "order-1042",
        "type": "order.shipped",
        "timestamp": "2026-11-24T08:00:00.500000Z",
        "data": DATA,
    }
    assert request.headers["content-type"] == "application/json"
    assert request.headers["user-agent"] == "backend-workflows"


def test_a_receiver_verifies_it_with_the_code_of_the_documents(received: list[Received]) -> None:
    deliver()
    (request,) = received
    event = event_reader(f"whsec_{KEY}")(request.body, request.headers)
    assert (event["type"], event["data"]) == ("order.shipped", DATA)
    with pytest.raises(WebhookVerificationError):
        event_reader(f"whsec_{ANOTHER_KEY}")(request.body, request.headers)
    with pytest.raises(WebhookVerificationError):
        event_reader(f"whsec_{KEY}")(request.body.replace(b"1042", b"1043"), request.headers)
    with pytest.raises(ValueError, match="unpack"):
        event_reader(f"whsec_{KEY}")(request.body, request.headers | {"webhook-signature": "v1"})


def test_the_signature_is_of_the_attempt_and_not_of_the_event(
    received: list[Received], clock: Clock
) -> None:
    deliver(occurred_at="2020-01-01T00:00:00Z")
    (request,) = received
    assert abs(int(request.headers["webhook-timestamp"]) - clock()) < 60
    assert request.event["timestamp"] == "2020-01-01T00:00:00Z"


def test_while_the_key_rotates_both_sign_and_either_verifies(received: list[Received]) -> None:
    set_keys(json.dumps([ANOTHER_KEY, f"whsec_{KEY}"]))
    deliver()
    (request,) = received
    assert len(request.headers["webhook-signature"].split(" ")) == 2
    for key in (KEY, ANOTHER_KEY):
        assert Webhook(key).verify(request.body, request.headers)["type"] == "order.shipped"


@pytest.mark.parametrize(
    "text",
    ["not base64 of anything at all, whatever", "c" * 43, base64.b64encode(b"short").decode()],
)
def test_an_invalid_key_is_an_error_and_is_not_revealed(
    text: str, received: list[Received], log: io.StringIO
) -> None:
    set_keys(text)
    reply = deliver()
    assert (reply.status, reply.body["code"]) == (500, "internal_error")
    assert "base64 of 24 to 64 bytes" in log.getvalue()
    assert text not in log.getvalue() + json.dumps(reply.body)
    assert received == []


def test_without_configuration_the_sample_event_is_answered() -> None:
    sample = json.loads((sam.ROOT / "tests/events/deliver_event.json").read_text())
    answer = deliver_event(sample, Context())
    assert (answer["result"]["delivered"], answer["problem"]) == (False, None)


def test_without_configuration_it_says_so_and_succeeds() -> None:
    reply = deliver(event_id="e-1")
    assert (reply.status, reply.body) == (
        200,
        {"event_id": "e-1", "delivered": False, "status": None},
    )


@pytest.mark.parametrize(
    ("types", "delivered"),
    [
        ("*", True),
        ("order.shipped", True),
        ("order.*", True),
        ("email.bounced,order.shipped", True),
        ("order.shipped.late", False),
        ("order.ship,email.*", False),
        ("ord.*", False),
    ],
)
def test_only_types_that_are_wanted_go_out(
    types: str, received: list[Received], settings: Settings, *, delivered: bool
) -> None:
    settings.set(EVENT_TYPES=types)
    assert deliver().body["delivered"] is delivered
    assert bool(received) is delivered


@pytest.mark.parametrize("status", [301, 302, 307, 400, 401, 404, 409, 429, 500, 502, 503])
def test_a_delivery_that_the_receiver_refuses_is_retryable(
    status: int, settings: Settings, log: io.StringIO
) -> None:
    with receiving(settings, status, location="https://elsewhere.example.com/") as received:
        reply = deliver()
    assert (reply.status, reply.body["code"]) == (503, "not_delivered")
    assert reply.body["detail"] == f"The receiver answered {status}."
    assert reply.headers["retry-after"] == "5"
    assert len(received) == 1
    assert "words of the receiver" not in log.getvalue()


@pytest.mark.parametrize(("said", "told"), [("120", "120"), ("86400", "5")])
def test_when_the_receiver_wants_it_again_is_told(said: str, told: str, settings: Settings) -> None:
    with receiving(settings, 503, retry_after=said):
        assert deliver().headers["retry-after"] == told


def test_a_receiver_that_is_gone_gets_nothing_more(settings: Settings) -> None:
    with receiving(settings, 410):
        reply = deliver()
    assert (reply.status, reply.body["code"], reply.body["retry_after_seconds"]) == (
        502,
        "delivery_refused",
        None,
    )


def test_an_unreachable_receiver_is_retryable(settings: Settings) -> None:
    settings.set(EVENTS_URL=fakes.nobody(), LOCAL_RECEIVERS="true")
    reply = deliver()
    assert (reply.status, reply.body["code"]) == (503, "not_delivered")


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:9000/",
        "https://127.0.0.1/",
        "https://169.254.169.254/",
        "https://ana:pw@example.com/",
    ],
)
def test_a_url_that_is_not_allowed_is_refused_for_good(url: str, settings: Settings) -> None:
    settings.set(EVENTS_URL=url)
    reply = deliver()
    assert (reply.status, reply.body["code"]) == (502, "delivery_refused")


def test_every_try_at_an_item_and_every_retry_of_it_sends_the_same_event(
    settings: Settings, clock: Clock
) -> None:
    retry = {"run_id": "deliver_event.retry", "origin_run_id": RUN_ID}
    with receiving(settings, 500, 500, 204) as received:
        for _ in range(2):
            with pytest.raises(WillTryAgain, match="not_delivered"):
                deliver_event(delivery(PARAMETERS), Context())
            clock.advance(60)
        assert deliver_event(delivery(PARAMETERS, **retry), Context()) == {"status": "succeeded"}
    first, second, third = received
    expected = f"evt_{hashlib.sha256(f'{RUN_ID}/1'.encode()).hexdigest()[:32]}"
    assert {each.headers["webhook-id"] for each in received} == {expected}
    assert first.body == second.body == third.body
    assert len({each.headers["webhook-timestamp"] for each in received}) == 3


def test_items_have_ids_of_their_own_and_so_have_calls(received: list[Received]) -> None:
    for index in (0, 1):
        deliver_event(delivery(PARAMETERS, index=index), Context())
    deliver()
    deliver()
    assert len({each.event["id"] for each in received}) == 4


@pytest.mark.parametrize(
    ("parameters", "pointer"),
    [
        ({"type": "order"}, "/type"),
        ({"type": "Order.shipped"}, "/type"),
        ({"type": "order.shipped\n"}, "/type"),
        ({"type": "order..shipped"}, "/type"),
        ({"type": "order." + "x" * 59}, "/type"),
        ({"data": "text"}, "/data"),
        ({"data": [1]}, "/data"),
        ({"event_id": "a.1700000000"}, "/event_id"),
        ({"event_id": "a\r\nx: y"}, "/event_id"),
        ({"event_id": "x" * 65}, "/event_id"),
        ({"occurred_at": "2026-11-24T09:00:00"}, "/occurred_at"),
        ({"occurred_at": "yesterday"}, "/occurred_at"),
        ({"occurred_at": "0001-01-01T00:00:00+23:00"}, "/occurred_at"),
        ({"url": "https://example.com"}, "/url"),
    ],
)
def test_invalid_parameters_are_named_and_nothing_is_sent(
    parameters: dict[str, Any], pointer: str, received: list[Received]
) -> None:
    reply = deliver(**parameters)
    assert (reply.status, reply.body["errors"][0]["pointer"]) == (422, pointer), reply.body
    assert received == []


def test_a_publishable_token_cannot_send_events(received: list[Received]) -> None:
    reply = call(deliver_event, PARAMETERS, kind="publishable")
    assert (reply.status, reply.body["code"]) == (403, "not_permitted")
    assert received == []


@pytest.mark.parametrize("status", [204, 500, 410])
def test_the_log_names_type_id_and_status_and_nothing_of_url_data_or_key(
    status: int, settings: Settings, log: io.StringIO
) -> None:
    with receiving(settings, status):
        deliver(event_id="e-1")
    (line,) = [json.loads(text) for text in log.getvalue().splitlines()]
    assert (line["event_type"], line["event_id"]) == ("order.shipped", "e-1")
    assert str(status) in json.dumps(line.get("receiver_status", line.get("exception")))
    assert not re.search("1042|of-the-receiver|/hook|words|cccc", log.getvalue())


@pytest.mark.parametrize(
    ("status", "metric"), [(200, "EventDelivered"), (500, "EventNotDelivered")]
)
def test_the_outcome_is_counted(
    status: int, metric: str, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    with receiving(settings, status):
        deliver()
    counted = [
        json.loads(text)
        for text in capsys.readouterr().out.splitlines()
        if "CloudWatchMetrics" in text
    ]
    assert [each[metric] for each in counted] == [[1.0]]


# --- the client portal ----------------------------------------------------------------------------

FEEDBACK = {"type": "usersnap.feedback", "data": {"feedback_number": 1000}}


def deliver_feedback() -> dict[str, Any]:
    """Delivers it as the run does that Usersnap's webhook starts.

    Clients may not send this type (test_reserved_events.py).
    """
    event = delivery(FEEDBACK, started_by="webhook:usersnap:usersnap")
    assert deliver_event(event, Context()) == {"status": "succeeded"}
    result: dict[str, Any] = outcome().result
    return result


def switch(url: str | None = None, *, enabled: bool = True) -> None:
    key = "4e8e2b1c-7d09-4a3f-9c55-0d6a8f3b2e71"
    usersnap.update(enabled=enabled, space_api_key=key, portal_url=url)


def test_feedback_goes_to_the_portal_alone_signed_with_both_of_its_keys(settings: Settings) -> None:
    portal_keys = ("whsec_" + ANOTHER_KEY, KEY)
    admin("secretsmanager").put_secret_value(
        SecretId="usersnap-portal-key", SecretString=json.dumps(portal_keys)
    )
    with receiving(settings, 204) as received:
        settings.set(EVENT_TYPES="verification.*")
        portal = os.environ["EVENTS_URL"].replace("/hook?token=of-the-receiver", "/portal")
        switch(portal)
        assert deliver_feedback()["delivered"] is True
    (request,) = received
    assert request.event["data"] == FEEDBACK["data"]
    for key in portal_keys:
        assert Webhook(key).verify(request.body, request.headers)


@pytest.mark.parametrize(("url", "enabled"), [(None, True), ("https://portal.example.com", False)])
def test_feedback_goes_nowhere_without_a_portal_or_while_usersnap_is_off(
    url: str | None, received: list[Received], *, enabled: bool
) -> None:
    switch(url, enabled=enabled)
    assert (deliver_feedback()["delivered"], received) == (False, [])
