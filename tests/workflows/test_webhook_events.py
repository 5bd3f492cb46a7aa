"""Sources that send events: a delivery wakes the items that wait for it with its key, once."""

import json
from typing import Any

import pytest

from functions.api.webhooks import handler, sources
from functions.core.aws import step_functions
from functions.core.runs.items import event_box
from functions.core.runs.items.event_box import KeyedEvent, StoredEvent, key_address
from infra import sam
from tests.builders import Context, Reply, deliveries, http_event
from tests.documents import blocks
from tests.workflows.conftest import Clock, Settings, admin

pytestmark = pytest.mark.usefixtures("cloud", "source")

KEY = "the-apps-secret"
SCOPES = ("runs:read", "runs:write", "events:write")
UNTIL = 2_000_000_000.0
APP = """
[app]
scheme = "github"
secret = "app"
event = "user.activated"
key = "payload.user.id"
"""
ACTIVE = key_address("user.activated", "u1")


@pytest.fixture
def source(cloud: None, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:  # noqa: ARG001 - is there first
    admin("secretsmanager").create_secret(Name="local-webhook-app", SecretString=KEY)
    settings.set(WEBHOOK_SECRETS="local-webhook-")
    declare(monkeypatch)
    return monkeypatch


@pytest.fixture
def woken(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Task tokens that were sent, each to a task that waited."""
    tokens: list[str] = []

    def succeed(token: str) -> bool:
        tokens.append(token)
        return True

    monkeypatch.setattr(step_functions, "succeed_task", succeed)
    return tokens


def declare(monkeypatch: pytest.MonkeyPatch, **fields: str) -> None:
    """Makes sources.toml have the source with these fields more."""
    lines = [f"{name} = {json.dumps(text)}" for name, text in fields.items()]
    kept = [each for each in APP.splitlines() if each.split(" ")[0] not in fields]
    made = sources.read_sources("\n".join([*kept, *lines]))
    monkeypatch.setattr(sources, "sources", lambda: made)


def answered(event: dict[str, Any]) -> Reply:
    answer = handler.lambda_handler(event, Context())
    return Reply(answer["statusCode"], answer["headers"], json.loads(answer["body"]))


def deliver(payload: object) -> Reply:
    body = json.dumps(payload)
    sent = deliveries.github(body.encode(), KEY).headers
    event = http_event(body, authorized=False, headers=sent)
    event |= {"routeKey": "POST /webhooks/{source}", "pathParameters": {"source": "app"}}
    return answered(event)


def call(
    route: str, delivery_id: str = "", *, scopes: tuple[str, ...] = SCOPES, **sent: Any
) -> Reply:
    headers = {name.replace("_", "-"): value for name, value in sent.items()}
    path = {"source": "app"} | ({"delivery_id": delivery_id} if delivery_id else {})
    event = http_event(scopes=scopes, headers=headers)
    return answered(event | {"routeKey": route, "pathParameters": path})


def listed() -> Any:
    return call("GET /webhooks/{source}/deliveries").body["deliveries"]


def replay(delivery_id: str, **sent: Any) -> Reply:
    return call("POST /webhooks/{source}/deliveries/{delivery_id}/replay", delivery_id, **sent)


def stored(address: str = ACTIVE) -> list[StoredEvent]:
    """Events of an address, the oldest first."""
    found, since = list[StoredEvent](), 0.0
    while event := event_box.find([address], since):
        found.append(event)
        since = event.received_at + 0.000_002
    return found


def test_a_delivery_wakes_the_item_that_waits_with_its_key(woken: list[str]) -> None:
    event_box.listen([ACTIVE], 0.0, "onboard.a/0", "token-1", UNTIL)
    payload = {"user": {"id": "u1"}, "plan": "pro"}
    reply = deliver(payload)
    assert (reply.status, reply.body) == (202, {"run_id": None, "woken": 1})
    assert woken == ["token-1"]
    assert [each.data for each in stored()] == [payload]
    (found,) = listed()
    assert (found["status"], found["woken"], found["run_id"]) == ("sent", 1, None)


def test_an_item_that_listens_later_finds_the_event(woken: list[str]) -> None:
    assert deliver({"user": {"id": "u1"}}).body["woken"] == 0
    event_box.listen([ACTIVE], 0.0, "onboard.a/0", "token-1", UNTIL)
    assert woken == ["token-1"]


@pytest.mark.usefixtures("woken")
def test_a_repeated_delivery_sends_its_event_once() -> None:
    assert deliver({"user": {"id": "u1"}}).body == deliver({"user": {"id": "u1"}}).body
    assert len(stored()) == 1


@pytest.mark.usefixtures("woken")
def test_a_delivery_whose_outcome_was_lost_sends_the_same_event_again(
    source: pytest.MonkeyPatch,
) -> None:
    def dies(*_: object) -> None:
        raise RuntimeError

    with source.context() as patch:
        patch.setattr("functions.api.webhooks.kept.record.conclude", dies)
        assert deliver({"user": {"id": "u1"}}).status == 500
    assert deliver({"user": {"id": "u1"}}).status == 202
    assert len(stored()) == 1


@pytest.mark.usefixtures("woken")
def test_two_deliveries_of_one_millisecond_are_two_events(clock: Clock) -> None:
    clock.advance(0)
    deliver({"user": {"id": "u1"}, "n": 1})
    deliver({"user": {"id": "u1"}, "n": 2})
    assert sorted(each.data["n"] for each in stored()) == [1, 2]


@pytest.mark.usefixtures("woken")
def test_data_are_what_the_section_says(source: pytest.MonkeyPatch) -> None:
    declare(source, data="{plan: payload.plan}")
    deliver({"user": {"id": "u1"}, "plan": "pro", "private": True})
    assert [each.data for each in stored()] == [{"plan": "pro"}]


@pytest.mark.usefixtures("woken")
def test_a_key_may_be_a_whole_number() -> None:
    deliver({"user": {"id": 1042}})
    assert len(stored(key_address("user.activated", "1042"))) == 1


@pytest.mark.usefixtures("woken")
def test_a_delivery_whose_key_is_false_sends_nothing(source: pytest.MonkeyPatch) -> None:
    declare(source, key="payload.action == 'activated' && payload.user.id")
    assert deliver({"action": "deleted", "user": {"id": "u1"}}).body["woken"] is None
    assert [each["status"] for each in listed()] == ["ignored"]
    assert deliver({"action": "activated", "user": {"id": "u1"}}).body["woken"] == 0
    assert len(stored()) == 1


@pytest.mark.parametrize(
    ("payload", "why"),
    [
        ({"user": {}}, "does not fit `key` of this source, which made no text of 1 to 256"),
        ({"user": {"id": ""}}, "made no text"),
        ({"user": {"id": "u" * 257}}, "made no text"),
        ({"user": {"id": True}}, "made no text"),
        ({"user": {"id": 1.5}}, "made no text"),
        ({"user": {"id": "u1"}, "text": "x" * 200_000}, "does not fit `data` of this source, whic"),
    ],
)
def test_a_delivery_that_does_not_fit_is_kept_and_has_failed(payload: object, why: str) -> None:
    reply = deliver(payload)
    assert (reply.status, reply.body["woken"]) == (202, None)
    (found,) = listed()
    assert (found["status"], found["problem"]["code"]) == ("failed", "invalid_parameters")
    assert why in found["problem"]["errors"][0]["detail"]


def test_data_that_are_no_object_do_not_fit(source: pytest.MonkeyPatch) -> None:
    declare(source, key="payload[0]")
    deliver(["u1"])
    assert "`data` of this source, which made no obj" in str(listed()[0]["problem"])


@pytest.mark.usefixtures("woken")
def test_a_replay_after_the_section_was_mended_sends_the_event_as_of_now(
    source: pytest.MonkeyPatch, clock: Clock
) -> None:
    declare(source, key="payload.person")
    deliver({"user": {"id": "u1"}})
    clock.advance(3_600)
    declare(source)
    (found,) = listed()
    assert replay(found["id"]).body == {"run_id": None, "woken": 0}
    (event,) = stored()
    assert event.received_at >= clock() - 60
    assert [each["status"] for each in listed()] == ["sent"]


@pytest.mark.usefixtures("woken")
def test_a_replay_of_a_sent_event_sends_it_again_and_with_a_key_once() -> None:
    deliver({"user": {"id": "u1"}})
    (found,) = listed()
    assert replay(found["id"], idempotency_key="replay-of-one-0001").status == 202
    assert replay(found["id"], idempotency_key="replay-of-one-0001").status == 202
    assert len(stored()) == 2


def test_the_documents_section_sends_what_it_says() -> None:
    (section,) = (
        each.code
        for each in blocks(sam.ROOT / "docs/how-to/webhooks.md", "toml")
        if "\nevent =" in each.code
    )
    declared = sources.read_sources(section)["payments"]
    invoice = {"id": "in_1", "amount_paid": 1999, "currency": "eur"}
    sent = declared.event_of({"type": "invoice.paid", "data": {"object": invoice}}, {})
    data = {"total": "19.99", "currency": "eur"}
    assert sent == KeyedEvent(type="invoice.paid", key="in_1", data=data)
    assert (
        declared.event_of({"type": "charge.failed", "data": {"object": {"id": "ch"}}}, {}) is None
    )


@pytest.mark.parametrize("scopes", [("runs:read", "runs:write"), SCOPES[:1], ("events:write",)])
def test_who_may_not_send_events_replays_none(scopes: tuple[str, ...]) -> None:
    route = "POST /webhooks/{source}/deliveries/{delivery_id}/replay"
    reply = call(route, "8204210738607-b2134aa2928d5a38", scopes=scopes)
    assert (reply.status, reply.body["code"]) == (403, "not_permitted")
