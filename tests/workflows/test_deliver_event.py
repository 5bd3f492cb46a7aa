import base64
import hashlib
import io
import json
import os
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import count, pairwise
from typing import Any, NamedTuple

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from functions.core import clock as functions_clock
from functions.core.clock import DAY_SECONDS
from functions.core.errors import Unavailable
from functions.core.events import failing_endpoints
from functions.core.http.problems import Problem
from functions.core.integrations import usersnap
from functions.core.runs import execution
from functions.core.runs.files import read_item
from functions.core.runs.items import outcomes
from functions.core.runs.items.steps import Step, StepRecords
from functions.workflows.deliver_event.handler import PAUSES
from functions.workflows.deliver_event.handler import lambda_handler as deliver_event
from infra import sam
from tests import fakes
from tests.builders import Context, call
from tests.builders.run_items import RUN_ID, delivery
from tests.builders.run_records import started_runs
from tests.documents import event_reader
from tests.workflows.conftest import Clock, Settings, admin

pytestmark = pytest.mark.usefixtures("cloud")

KEY = "c" * 44
ANOTHER_KEY = base64.b64encode(b"another key of 32 bytes in length").decode()
DATA = {"order": "1042", "lines": [{"sku": "a-1", "count": 2}], "note": "für Zoë"}
PARAMETERS = {"type": "order.shipped", "data": DATA}
SCOPES = ("runs:write", "workflow:deliver_event")


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


class Item:
    """An item of a run of deliver_event, called as often as RunWorkflow would call it."""

    _numbers = count()

    def __init__(self, parameters: dict[str, Any], **fields: object) -> None:
        self.index = next(self._numbers)
        self.parameters = parameters
        self.fields = fields
        self.waits: list[int] = []

    def call(self, **fields: object) -> dict[str, Any]:
        """One call; the answer."""
        event = delivery(self.parameters, index=self.index, **(self.fields | fields))
        event["started_at"] = datetime.fromtimestamp(functions_clock.now(), UTC).isoformat()
        return dict(deliver_event(event, Context(245_000)))

    def to_end(self, clock: Clock) -> list[float]:
        """Calls it until it has ended; returns the times of its calls, and notes their waits."""
        times = []
        for _ in range(20):
            times.append(clock())
            answer = self.call()
            if answer["status"] != "waiting":
                return times
            self.waits.append(answer["seconds"])
            clock.advance(self.waits[-1])
        raise AssertionError("it never ends")

    @property
    def outcome(self) -> outcomes.ItemOutcome:
        found = outcomes.find_outcome(RUN_ID, self.index)
        assert found
        return found

    @property
    def result(self) -> dict[str, Any]:
        result: dict[str, Any] = self.outcome.result
        return result

    @property
    def step(self) -> Step:
        """The step of the delivery."""
        return StepRecords(RUN_ID, self.index, 0).all()["deliver"]

    @property
    def problem(self) -> Problem:
        """Problem of the last attempt."""
        assert self.step.problem
        return self.step.problem


def deliver(data: object = DATA, **parameters: object) -> Item:
    """Delivers an event of its own, by one call."""
    item = Item({"type": "order.shipped", "data": data} | parameters)
    item.call()
    return item


def set_keys(text: str) -> None:
    admin("secretsmanager").put_secret_value(SecretId="events-key", SecretString=text)


def test_an_event_is_delivered_as_json_with_its_id_type_time_and_data(
    received: list[Received],
) -> None:
    item = deliver(event_id="order-1042", occurred_at="2026-11-24T09:00:00.5+01:00")
    assert item.result == {"event_id": "order-1042", "delivered": True, "status": 204}
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
    item = deliver()
    assert (item.outcome.status, item.problem.code) == ("waiting", "internal_error")
    assert "base64 of 24 to 64 bytes" in log.getvalue()
    assert text not in log.getvalue() + str(item.step) + str(item.outcome)
    assert received == []


def test_the_sample_event_is_told_that_it_needs_a_run() -> None:
    sample = json.loads((sam.ROOT / "tests/events/deliver_event.json").read_text())
    answer = deliver_event(sample, Context())
    assert (answer["result"], answer["problem"]["code"]) == (None, "only_in_background")
    assert Item(sample["parameters"]).call()["status"] == "succeeded"


def test_a_call_over_http_starts_a_run_and_waits_for_nobody(received: list[Received]) -> None:
    reply = call(deliver_event, PARAMETERS, scopes=SCOPES)
    assert (reply.status, reply.body["workflow"]) == (202, "deliver_event")
    assert received == []


def test_without_configuration_it_says_so_and_succeeds() -> None:
    item = deliver(event_id="e-1")
    assert item.result == {"event_id": "e-1", "delivered": False, "status": None}


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
    assert deliver().result["delivered"] is delivered
    assert bool(received) is delivered


@pytest.mark.parametrize("status", [301, 302, 307, 400, 401, 404, 409, 429, 500, 502, 503])
def test_a_delivery_that_the_receiver_refuses_is_tried_again(
    status: int, settings: Settings, log: io.StringIO
) -> None:
    with receiving(settings, status, location="https://elsewhere.example.com/") as received:
        item = deliver()
    assert (item.outcome.status, item.problem.code) == ("waiting", "not_delivered")
    assert item.problem.detail == f"The receiver answered {status}."
    assert len(received) == 1
    assert "words of the receiver" not in log.getvalue()


def test_a_delivery_that_nobody_takes_is_given_up_after_27_hours(
    settings: Settings, clock: Clock
) -> None:
    item = Item(PARAMETERS)
    with receiving(settings, 503) as received:
        times = item.to_end(clock)
    pauses = [later - earlier for earlier, later in pairwise(times)]
    assert len(received) == len(times) == len(PAUSES) + 1 == 8
    assert sum(PAUSES) == 27 * 3600 + 35 * 60 + 5
    assert [asked <= pause for asked, pause in zip(PAUSES, pauses, strict=True)] == [True] * 7
    assert [wait <= asked * 1.1 + 2 for asked, wait in zip(PAUSES, item.waits, strict=True)] == [
        True
    ] * 7
    assert (item.outcome.status, item.problem.code) == ("failed", "not_delivered")
    assert item.outcome.problem
    assert item.outcome.problem.code == "step_failed"
    assert "attempt 8: The receiver answered 503." in item.outcome.problem.detail


@pytest.mark.parametrize(("said", "seconds"), [("2", 5), ("120", 120), ("86400", 36_000)])
def test_a_receiver_that_names_a_time_is_left_alone_until_then_for_ten_hours_at_most(
    said: str, seconds: int, settings: Settings
) -> None:
    with receiving(settings, 503, retry_after=said):
        waits = Item(PARAMETERS).call()["seconds"]
    assert seconds <= waits <= seconds * 1.1 + 2


def test_while_one_delivery_waits_the_next_one_goes_out(settings: Settings, clock: Clock) -> None:
    with receiving(settings, 503, 204) as received:
        first, second = Item(PARAMETERS), Item(PARAMETERS)
        assert first.call()["status"] == "waiting"
        assert second.call()["status"] == "succeeded"
        assert first.call()["status"] == "waiting", "its pause goes on"
        clock.advance(10)
        assert first.call()["status"] == "succeeded"
    assert len(received) == 3


def test_a_new_url_takes_effect_at_the_next_attempt(settings: Settings, clock: Clock) -> None:
    item = Item(PARAMETERS)
    with receiving(settings, 503):
        item.call()
    clock.advance(10)
    with receiving(settings, 204) as received:
        assert item.call()["status"] == "succeeded"
    assert len(received) == 1


def test_a_receiver_that_is_gone_gets_nothing_more(settings: Settings, clock: Clock) -> None:
    item = Item(PARAMETERS)
    with receiving(settings, 410) as received:
        item.to_end(clock)
    assert (item.outcome.status, item.problem.code) == ("failed", "delivery_refused")
    assert len(received) == 1


def test_an_unreachable_receiver_is_tried_again(settings: Settings) -> None:
    settings.set(EVENTS_URL=fakes.nobody(), LOCAL_RECEIVERS="true")
    item = deliver()
    assert (item.outcome.status, item.problem.code) == ("waiting", "not_delivered")


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
    item = deliver()
    assert (item.outcome.status, item.problem.code) == ("failed", "delivery_refused")


def test_every_try_at_an_item_and_every_retry_of_it_sends_the_same_event(
    settings: Settings, clock: Clock
) -> None:
    retry = {"run_id": "deliver_event.retry", "origin_run_id": RUN_ID}
    item = Item(PARAMETERS)
    with receiving(settings, 500, 410, 204) as received:
        item.to_end(clock)
        clock.advance(60)
        assert item.call(**retry)["status"] == "succeeded"
    first, second, third = received
    expected = f"evt_{hashlib.sha256(f'{RUN_ID}/{item.index}'.encode()).hexdigest()[:32]}"
    assert {each.headers["webhook-id"] for each in received} == {expected}
    assert first.body == second.body == third.body
    assert len({each.headers["webhook-timestamp"] for each in received}) == 3


def test_items_have_ids_of_their_own(received: list[Received]) -> None:
    for _ in range(2):
        deliver()
    assert len({each.event["id"] for each in received}) == 2


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
    reply = call(deliver_event, PARAMETERS | parameters, scopes=SCOPES)
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
    line, *others = [json.loads(text) for text in log.getvalue().splitlines()]
    for each in (line, *others):
        assert (each["event_type"], each["event_id"]) == ("order.shipped", "e-1")
    assert str(status) in json.dumps(line.get("receiver_status", line.get("exception")))
    assert not re.search("1042|of-the-receiver|/hook|words|cccc", log.getvalue())


@pytest.mark.parametrize(
    ("statuses", "metric"),
    [((500, 200), "EventDelivered"), ((500, 410), "EventNotDelivered")],
)
def test_the_end_of_a_delivery_is_counted_and_no_attempt_before_it(
    statuses: tuple[int, int],
    metric: str,
    settings: Settings,
    clock: Clock,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with receiving(settings, *statuses):
        Item(PARAMETERS).to_end(clock)
    assert counted(capsys) == [metric]


def counted(capsys: pytest.CaptureFixture[str]) -> list[str]:
    """Metrics that were counted once each, in their order."""
    lines = [json.loads(text) for text in capsys.readouterr().out.splitlines() if "_aws" in text]
    names = {"EventDelivered", "EventNotDelivered", "EndpointFailing"}
    return [name for line in lines for name in line if name in names]


# --- an endpoint that fails for long --------------------------------------------------------------


def told_of() -> list[dict[str, Any]]:
    """Parameters of the events about endpoints that were started."""
    runs = [each for each in started_runs() if each.startswith("deliver_event.")]
    found = []
    for run_id in runs:
        about, described = execution.read(run_id)
        assert about.started_by == "events"
        given = json.loads(described["input"])
        reference = given["reference"]
        found.append(read_item(given["items_key"], reference["start"], reference["length"]))
    return found


def test_after_a_day_of_failures_the_app_is_told_once_and_the_alarm_at_each_failure(
    settings: Settings, clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    began = clock()
    with receiving(settings, 503):
        deliver()
        clock.advance(DAY_SECONDS - 60)
        deliver()
        assert (told_of(), counted(capsys)) == ([], [])
        clock.advance(60)
        deliver()
        deliver()
    assert counted(capsys) == ["EndpointFailing"] * 2
    (event,) = told_of()
    assert event["type"] == "event.endpoint_failing"
    since = datetime.fromisoformat(event["data"].pop("failing_since")).timestamp()
    assert began - 1 <= since <= began + 60
    assert event["data"] == {
        "endpoint": "events",
        "code": "not_delivered",
        "detail": "The receiver answered 503.",
    }


def test_a_success_ends_the_failures_of_an_endpoint(
    settings: Settings, clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    with receiving(settings, 503, 204, 503):
        deliver()
        clock.advance(DAY_SECONDS / 2)
        deliver()
        clock.advance(DAY_SECONDS / 2)
        deliver()
        clock.advance(DAY_SECONDS / 2)
        deliver()
        assert told_of() == []
        clock.advance(DAY_SECONDS / 2)
        deliver()
    assert (len(told_of()), counted(capsys)) == (1, ["EventDelivered", "EndpointFailing"])


def test_an_endpoint_that_fails_again_after_a_success_is_told_of_again(
    settings: Settings, clock: Clock
) -> None:
    with receiving(settings, 503, 503, 204, 503):
        for _ in range(5):
            deliver()
            clock.advance(DAY_SECONDS)
    assert len(told_of()) == 2


def test_the_event_about_an_endpoint_makes_no_other_when_it_is_not_taken(
    settings: Settings, clock: Clock
) -> None:
    with receiving(settings, 503):
        deliver()
        clock.advance(DAY_SECONDS)
        deliver()
        (event,) = told_of()
        Item(event, started_by="events").to_end(clock)
    assert len(told_of()) == 1


def test_nobody_is_told_by_an_event_that_is_not_wanted_and_the_alarm_is_raised(
    settings: Settings, clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    settings.set(EVENT_TYPES="order.*")
    with receiving(settings, 503):
        deliver()
        clock.advance(DAY_SECONDS)
        deliver()
    assert (told_of(), counted(capsys)) == ([], ["EndpointFailing"])


def test_a_delivery_costs_its_endpoint_one_read_and_a_write_only_on_a_change(
    settings: Settings, dynamodb_requests: list[str]
) -> None:
    def requests() -> Counter[str]:
        dynamodb_requests.clear()
        deliver()
        return Counter(dynamodb_requests)

    with receiving(settings, 204, 204, 503, 503, 204, 204):
        requests()  # reads what a process keeps
        usual, begins, goes_on, ends, after = (requests() for _ in range(5))
    assert begins - goes_on == Counter(UpdateItem=1), "the first failure is written"
    assert ends - usual == Counter(UpdateItem=1), "the first success after it is, too"
    assert after == usual


def test_a_fault_of_the_endpoints_record_fails_no_delivery(
    received: list[Received], monkeypatch: pytest.MonkeyPatch, log: io.StringIO
) -> None:
    def fails(*_: object, **__: object) -> None:
        raise Unavailable("The database is not available right now.")

    monkeypatch.setattr(failing_endpoints, "_read", fails)
    assert deliver().result["delivered"] is True
    assert "the record of an endpoint of events was not kept" in log.getvalue()
    assert len(received) == 1


# --- the client portal ----------------------------------------------------------------------------

FEEDBACK = {"type": "usersnap.feedback", "data": {"feedback_number": 1000}}


def deliver_feedback() -> dict[str, Any]:
    """Delivers it as the run does that Usersnap's webhook starts.

    Clients may not send this type (test_reserved_events.py).
    """
    item = Item(FEEDBACK, started_by="webhook:usersnap:usersnap")
    assert item.call()["status"] == "succeeded"
    return item.result


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
