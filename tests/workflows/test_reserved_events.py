"""Event types that only the platform sends, for each way to start a run, and in deliver_event."""

import json
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest
import yaml

from functions.api.events.handler import lambda_handler as events
from functions.api.runs.handler import lambda_handler as runs
from functions.api.schedules.handler import lambda_handler as schedules
from functions.api.webhooks import handler as webhooks
from functions.api.webhooks import sources
from functions.core import config
from functions.core.auth.tokens import issue_token
from functions.core.errors import FieldError, InvalidParameters
from functions.core.events.delivery import Event
from functions.core.http.problems import Problem
from functions.core.integrations import usersnap
from functions.core.runs import execution
from functions.core.runs.files import read_references
from functions.core.runs.items import outcomes
from functions.core.runs.settings import RunSettings
from functions.core.runs.start import start
from functions.core.workflow import Call, Parameters, Result, workflow
from functions.core.workflow import call as call_workflow
from functions.core.workflow import start as start_from_workflow
from functions.workflows.deliver_event import handler as delivering
from functions.workflows.track_delivery.handler import lambda_handler as track_delivery
from infra import sam
from tests import fakes
from tests.builders import Context, Reply, call, deliveries, http_event
from tests.builders.run_records import started_runs
from tests.builders.stream_records import APPROVED
from tests.workflows.conftest import Settings, admin

pytestmark = pytest.mark.usefixtures("cloud", "listened")

deliver_event = delivering.lambda_handler
SCOPES = ("runs:read", "runs:write", "workflow:deliver_event")
MACHINE = yaml.safe_load((sam.ROOT / "infra/run_workflow.asl.yaml").read_text())
RESERVED = [
    "verification.approved",
    "event.endpoint_failing",
    "run.failed",
    "email.bounced",
    "schedule.skipped",
    "usersnap.feedback",
    "email.of.my.own",
]
KEY = "a-key-of-the-source"
SOURCES = """
[usersnap]
scheme = "usersnap"
secret = "key"
workflow = "deliver_event"
parameters = "{type: 'usersnap.feedback', data: payload}"

[beta]
scheme = "usersnap"
secret = "key"
workflow = "deliver_event"
parameters = "{type: 'usersnap.feedback', data: payload}"

[shop]
scheme = "github"
secret = "key"
workflow = "deliver_event"
parameters = "payload"
"""


class Nothing(Parameters):
    pass


class Done(Result):
    said: str


def lambdas(request: BaseHTTPRequestHandler, body: bytes) -> None:
    """AWS Lambda with deliver_event, limited to Invoke."""
    fakes.reply(request, 200, json.dumps(deliver_event(json.loads(body), Context())).encode(), {})


@pytest.fixture
def listened(cloud: None, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:  # noqa: ARG001
    """Everything that starts runs, and a receiver that accepts all events."""
    admin("scheduler").create_schedule_group(Name="schedules")
    admin("secretsmanager").create_secret(Name="webhook-key", SecretString=KEY)
    made = sources.read_sources(SOURCES)
    monkeypatch.setattr(sources, "sources", lambda: made)
    with fakes.server(lambdas) as url:
        settings.set(
            AWS_ENDPOINT_URL_LAMBDA=url,
            WORKFLOW_FUNCTIONS="wf-",
            WEBHOOK_SECRETS="webhook-",
            SCHEDULES_FUNCTION="arn:aws:lambda:us-east-1:123456789012:function:schedules",
            SCHEDULE_GROUP="schedules",
            EVENTS_URL="https://app.example.com/events",
        )
        yield


@pytest.fixture(autouse=True)
def delivered(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Types of the delivered events."""
    types: list[str] = []

    def deliver(event: Event, *_: object) -> int:
        types.append(event.type)
        return 204

    monkeypatch.setattr(delivering, "deliver", deliver)
    return types


def event_of(kind: str) -> dict[str, Any]:
    return {"type": kind, "data": {"verification_id": "k1.forged"}}


def carried_out(run_id: str) -> str:
    """Runs a run's first item; returns the outcome.

    The item's event is built as the state machine builds it from the execution's input.
    """
    about, described = execution.read(run_id)
    given = {"started_by": "", "lineage": {}} | json.loads(described["input"])
    payload = MACHINE["States"]["RunItem"]["Parameters"]["Payload"]
    event = {name.removesuffix(".$"): value_of(value, given) for name, value in payload.items()}
    if about.total > 1:
        first = next(iter(read_references(about.references_key)))
        assert (first.index, first.start) == (event["index"], event["start"])
    return str(deliver_event(event, Context(245_000))["status"])


def value_of(path: str, given: Any) -> Any:
    if path == "$$.State.EnteredTime":
        return datetime.now(UTC).isoformat()
    for name in path.removeprefix("$.").split(".") if path.startswith("$.") else []:
        given = given[name]
    return given if path.startswith("$.") else path


def problem_of(run_id: str) -> Problem:
    (outcome,), _ = outcomes.list_outcomes(run_id, failed_only=True, after=None, limit=10)
    assert outcome.problem
    return outcome.problem


def newest() -> str:
    return started_runs()[0]


def started_by(run_id: str) -> str | None:
    return execution.read(run_id)[0].started_by


def ask(handler: Any, route: str, body: object, **path: str) -> Reply:
    event = http_event(body, scopes=SCOPES) | {"routeKey": route, "pathParameters": path}
    answer = handler(event, Context())
    return Reply(answer["statusCode"], answer["headers"], json.loads(answer["body"]))


def post_webhook(source: str, arrived: Any) -> str:
    event = http_event(arrived.body.decode(), authorized=False, headers=arrived.headers)
    answer = webhooks.lambda_handler(event | {"pathParameters": {"source": source}}, Context())
    assert answer["statusCode"] in {200, 202}, answer
    return str(json.loads(answer["body"])["run_id"])


# --- what a client asks for -----------------------------------------------------------------------


def over_http(event: Mapping[str, Any]) -> Reply:
    return call(deliver_event, event, scopes=SCOPES)


def in_the_background(event: Mapping[str, Any]) -> Reply:
    return call(deliver_event, event, scopes=SCOPES, headers={"prefer": "respond-async"})


def in_a_list(event: Mapping[str, Any]) -> Reply:
    return ask(
        runs,
        "POST /runs",
        {"workflow": "deliver_event", "items": [event_of("order.shipped"), event]},
    )


def as_common_parameters(event: Mapping[str, Any]) -> Reply:
    return ask(
        runs, "POST /runs", {"workflow": "deliver_event", "items": [{}], "parameters": event}
    )


def on_a_schedule(event: Mapping[str, Any]) -> Reply:
    return ask(
        schedules,
        "POST /schedules",
        {"workflow": "deliver_event", "parameters": event, "after_seconds": 600},
    )


def at_once_on_a_schedule(event: Mapping[str, Any]) -> Reply:
    return ask(
        schedules,
        "POST /schedules",
        {"workflow": "deliver_event", "parameters": event, "after_seconds": 0},
    )


@pytest.mark.parametrize("kind", RESERVED)
@pytest.mark.parametrize(
    ("way", "at"),
    [
        (over_http, ""),
        (in_the_background, ""),
        (in_a_list, "/items/1"),
        (as_common_parameters, "/parameters"),
        (on_a_schedule, "/parameters"),
        (at_once_on_a_schedule, "/parameters"),
    ],
)
def test_a_client_is_told_which_types_are_reserved_and_nothing_starts(
    way: Callable[[Mapping[str, Any]], Reply], at: str, kind: str, delivered: list[str]
) -> None:
    reply = way(event_of(kind))
    assert (reply.status, reply.body["code"]) == (422, "invalid_parameters")
    (error,) = reply.body["errors"]
    assert error["pointer"] == f"{at}/type"
    assert "verification., event., run., schedule., email. or usersnap." in error["detail"]
    assert (delivered, started_runs()) == ([], [])


@pytest.mark.parametrize("field", [{"started_by": "events"}, {"origin": "events"}])
def test_no_parameter_says_who_started_a_run(field: dict[str, str], delivered: list[str]) -> None:
    event = event_of("verification.approved") | field
    asked = {"workflow": "deliver_event", "items": [event_of("order.shipped")]} | field
    assert (
        over_http(event).status
        == in_a_list(event).status
        == ask(runs, "POST /runs", asked).status
        == 422
    )
    assert (delivered, started_runs()) == ([], [])


def test_an_invocation_by_hand_may_not_send_them_either(delivered: list[str]) -> None:
    for trigger in ("direct", "schedule"):
        answer = deliver_event(
            {"trigger": trigger, "parameters": event_of("run.failed")}, Context()
        )
        assert answer["problem"]["code"] == "only_in_background"
    assert delivered == []


@pytest.mark.parametrize(
    "kind", ["order.shipped", "verifications.approved", "runner.late", "emails.x", "my.email.sent"]
)
@pytest.mark.parametrize(
    "way", [in_the_background, in_a_list, as_common_parameters, at_once_on_a_schedule]
)
def test_other_types_are_for_everybody(
    way: Callable[[Mapping[str, Any]], Reply], kind: str, delivered: list[str]
) -> None:
    run_id = way(event_of(kind)).body["run_id"]
    assert carried_out(run_id) == "succeeded"
    assert len(delivered) == 1
    assert started_by(run_id) == ("schedule" if way is at_once_on_a_schedule else "api")


def test_an_uploaded_list_fails_per_item(delivered: list[str]) -> None:
    form = ask(runs, "POST /runs/uploads", {"format": "jsonl"}).body
    lines = [json.dumps(event_of(kind)) for kind in ("verification.approved", "order.shipped")]
    admin("s3").put_object(Bucket="runs", Key=form["fields"]["key"], Body="\n".join(lines).encode())
    asked = {"workflow": "deliver_event", "upload_id": form["upload_id"]}
    run_id = ask(runs, "POST /runs", asked).body["run_id"]
    assert (carried_out(run_id), delivered) == ("failed", [])
    assert problem_of(run_id).errors[0].pointer == "/type"


def test_a_schedule_from_before_these_types_were_reserved_sends_none(
    delivered: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    token_id = issue_token("server", "secret", SCOPES).token.token_id
    monkeypatch.setattr("functions.api.schedules.create.find_problems", lambda *_: [])
    event = http_event(
        {
            "workflow": "deliver_event",
            "parameters": event_of("email.bounced"),
            "every_seconds": 3600,
        },
        scopes=SCOPES,
        token_id=token_id,
    )
    made = schedules(event | {"routeKey": "POST /schedules"}, Context())
    about = {
        "schedule_id": json.loads(made["body"])["schedule_id"],
        "scheduled_at": "2026-11-22T12:00:00Z",
    }
    run_id = schedules({"trigger": "schedule", **about}, Context())["run_id"]
    assert (started_by(run_id), carried_out(run_id), delivered) == ("schedule", "failed", [])


# --- what the platform and other code start -------------------------------------------------------


def test_the_outcome_of_a_verification_is_an_event(delivered: list[str]) -> None:
    events({"Records": [APPROVED]}, None)
    assert started_by(newest()) == "events"
    assert (carried_out(newest()), delivered) == ("succeeded", ["verification.approved"])


def test_the_outcome_of_an_email_is_an_event(delivered: list[str]) -> None:
    reply = call(track_delivery, {"provider": "ses", "status": "Bounce", "message_id": "m"})
    run_id = reply.body["run_id"]
    assert started_by(run_id) == "workflow:track_delivery"
    assert (carried_out(run_id), delivered) == ("succeeded", ["email.bounced"])


@pytest.mark.parametrize("source", ["usersnap", "beta"])
def test_feedback_that_usersnap_signed_reaches_the_portal_whatever_its_source_is_called(
    source: str, delivered: list[str]
) -> None:
    key = "4e8e2b1c-7d09-4a3f-9c55-0d6a8f3b2e71"
    usersnap.update(enabled=True, space_api_key=key, portal_url="https://portal.example.com")
    run_id = post_webhook(source, deliveries.usersnap(b'{"feedback_number": 1}', KEY, time.time()))
    assert started_by(run_id) == f"webhook:usersnap:{source}"
    assert (carried_out(run_id), delivered) == ("succeeded", ["usersnap.feedback"])


@pytest.mark.parametrize("kind", RESERVED)
def test_a_source_of_somebody_elses_does_not_speak_for_the_platform(
    kind: str, delivered: list[str]
) -> None:
    run_id = post_webhook("shop", deliveries.github(json.dumps(event_of(kind)).encode(), KEY))
    assert (started_by(run_id), carried_out(run_id), delivered) == (
        "webhook:github:shop",
        "failed",
        [],
    )


@pytest.mark.parametrize("kind", RESERVED)
def test_a_workflow_of_ones_own_does_not_either(kind: str, delivered: list[str]) -> None:
    def forge(_: Nothing, call: Call) -> Done:
        assert call.started_by is None
        return Done(said=start_from_workflow("deliver_event", [event_of(kind)]).run_id)

    def ask_for_it(_: Nothing) -> Done:
        return Done(said=call_workflow("deliver_event", event_of(kind))["event_id"])

    forged = call(workflow(forge, starts=["deliver_event"]), {}, scopes=["workflow:forge"])
    run_id = forged.body["said"]
    assert (started_by(run_id), carried_out(run_id)) == ("workflow:forge", "failed")
    called = call(workflow(ask_for_it, calls=["deliver_event"]), {}, scopes=["workflow:ask_for_it"])
    assert (called.status, called.body["code"]) == (422, "only_in_background")
    assert delivered == []


@pytest.mark.parametrize(
    ("kind", "by"),
    [
        ("verification.approved", "workflow:track_delivery"),
        ("verification.approved", "webhook:usersnap:usersnap"),
        ("email.bounced", "events"),
        ("email.bounced", "workflow:track_delivery_2"),
        ("email.bounced", "webhook:sns:ses"),
        ("usersnap.feedback", "workflow:usersnap"),
        ("usersnap.feedback", "webhook:github:usersnap"),
        ("usersnap.feedback", "webhook:usersnapper:x"),
        ("run.failed", "eventsful"),
        ("run.failed", "api"),
        ("run.failed", "schedule"),
        ("run.failed", None),
    ],
)
def test_each_part_of_the_platform_sends_its_own_types_only(
    kind: str, by: str | None, delivered: list[str]
) -> None:
    run_id = start("deliver_event", [event_of(kind)], token_id=None, started_by=by).run_id
    assert (carried_out(run_id), delivered) == ("failed", [])


# --- what is tried again --------------------------------------------------------------------------


def failed(run_id: str) -> str:
    """Runs a run to failure, as the state machine would."""
    assert carried_out(run_id) == "failed"
    execution.stop(run_id)
    return run_id


def test_a_run_is_repeated_as_started_by_what_started_it_whoever_asks(
    delivered: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(delivering, "refuse_reserved", refuse)
        events({"Records": [APPROVED]}, None)
        run_id = failed(newest())
        again = failed(ask(runs, "POST /runs/{run_id}/retry", {}, run_id=run_id).body["run_id"])
    last = ask(runs, "POST /runs/{run_id}/retry", {}, run_id=again).body["run_id"]
    assert [started_by(each) for each in (run_id, again, last)] == ["events"] * 3
    assert execution.read(last)[0].token_id == "0123456789abcdef"
    assert (carried_out(last), delivered) == ("succeeded", ["verification.approved"])


def refuse(*_: object) -> None:
    """Fails in a way that is not retryable."""
    raise InvalidParameters(FieldError("/data", "is wrong"))


def test_a_clients_run_stays_a_clients_when_it_is_repeated(delivered: list[str]) -> None:
    run_id = failed(
        start("deliver_event", [event_of("run.failed")], token_id="a" * 16, started_by="api").run_id
    )
    again = ask(runs, "POST /runs/{run_id}/retry", {}, run_id=run_id).body["run_id"]
    assert (started_by(again), carried_out(again), delivered) == ("api", "failed", [])


@pytest.mark.parametrize(
    ("token_id", "kind"),
    [
        ("events", "verification.approved"),
        ("webhook:ses", "email.bounced"),
        ("webhook:usersnap", "usersnap.feedback"),
    ],
)
def test_a_run_of_the_platform_from_before_an_upgrade_is_delivered_after_it(
    token_id: str, kind: str, delivered: list[str]
) -> None:
    assert carried_out(before_the_upgrade(kind, token_id)) == "succeeded"
    assert len(delivered) == (0 if kind.startswith("usersnap") else 1), "Usersnap is off"


@pytest.mark.parametrize("token_id", ["a" * 16, "webhook:shop", None])
def test_a_clients_run_from_before_an_upgrade_is_refused(
    token_id: str | None, delivered: list[str]
) -> None:
    run_id = before_the_upgrade("verification.approved", token_id)
    assert (carried_out(run_id), delivered) == ("failed", [])


def before_the_upgrade(kind: str, token_id: str | None) -> str:
    """A run whose input lacks `started_by`."""
    run = start("deliver_event", [event_of(kind)], token_id=token_id, started_by="api")
    given = json.loads(execution.read(run.run_id)[1]["input"])
    run_id = execution.new_run_id("deliver_event")
    old = {name: value for name, value in given.items() if name != "started_by"} | {
        "run_id": run_id
    }
    machine = config.read(RunSettings).run_workflow
    admin("stepfunctions").start_execution(
        stateMachineArn=machine, name=run_id, input=json.dumps(old)
    )
    return run_id
