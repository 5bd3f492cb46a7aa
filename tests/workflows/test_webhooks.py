"""POST /webhooks/<source>: which deliveries are accepted, and that each starts its run once."""

import io
import json
import time
from collections.abc import Mapping
from functools import partial
from typing import Any

import pytest

from functions.api.webhooks import handler, scheme, sources
from functions.api.webhooks import settings as webhooks
from functions.api.webhooks.schemes import sns
from functions.core import aws
from functions.core.http.gateway import MAX_BODY_BYTES
from functions.core.runs import execution
from functions.core.runs.files import read_item
from tests import fakes
from tests.builders import Context, Reply, deliveries, http_event
from tests.builders.deliveries import SES_EVENT
from tests.builders.run_records import started_runs
from tests.workflows.conftest import Clock, Settings, admin

pytestmark = pytest.mark.usefixtures("cloud", "shop")

NOTHING = {"run_id": None, "woken": None}
SOURCES = """
[shop]
scheme = "github"
secret = "shop"
workflow = "verify_delete"
parameters = "payload.id && {verification_id: payload.id}"

[copy]
scheme = "github"
secret = "shop"
workflow = "verify_delete"
parameters = "payload.id && {verification_id: payload.id}"

[closed]
scheme = "github"
secret = "nobody-set-it"
workflow = "verify_delete"
parameters = "payload"

[sum]
scheme = "github"
secret = "shop"
workflow = "verify_delete"
parameters = "{verification_id: sum(payload.items)}"

[phone]
scheme = "twilio"
secret = "shop"
workflow = "verify_delete"
parameters = "payload.CallSid && {verification_id: payload.CallSid}"

[topic]
scheme = "sns"
topic = "arn:aws:sns:eu-west-1:123456789012:theirs"
workflow = "verify_delete"
parameters = "payload"

[own_topic]
scheme = "sns"
topic = "email-events"
workflow = "verify_delete"
parameters = "payload"

[feedback]
scheme = "usersnap"
secret = "shop"
workflow = "verify_delete"
parameters = "{verification_id: payload.id}"
"""
KEY = "the-shops-secret"
BODY = json.dumps({"id": "k1.gone", "note": "confidential-note"})


@pytest.fixture
def shop(cloud: None, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: ARG001 - is there first
    made = sources.read_sources(SOURCES)
    monkeypatch.setattr(sources, "sources", lambda: made)
    admin("secretsmanager").create_secret(Name="local-webhook-shop", SecretString=KEY)
    settings.set(
        WEBHOOK_SECRETS="local-webhook-", STACK_TOPICS="arn:aws:sns:us-east-1:123456789012:local-"
    )


def post(
    body: str = BODY,
    source: str = "shop",
    headers: Mapping[str, str] | None = None,
    *,
    encoded: bool = False,
) -> Reply:
    event = http_event(body, authorized=False, encoded=encoded, headers=headers)
    event |= {"routeKey": "POST /webhooks/{source}", "pathParameters": {"source": source}}
    answer = handler.lambda_handler(event, Context())
    return Reply(answer["statusCode"], answer["headers"], json.loads(answer["body"]))


def signed(body: str = BODY, key: str = KEY) -> Mapping[str, str]:
    return deliveries.github(body.encode(), key).headers


def run_ids() -> list[str]:
    return started_runs()


def test_a_signed_delivery_starts_a_run_of_its_sources_workflow() -> None:
    reply = post(headers=signed())
    assert reply.status == 202
    begun, _ = execution.read(reply.body["run_id"])
    assert (begun.workflow, begun.token_id) == ("verify_delete", "webhook:shop")
    item = read_item(begun.items_key, begun.reference.start, begun.reference.length)
    assert item == {"verification_id": "k1.gone"}


def test_the_signature_covers_the_bytes_however_api_gateway_hands_them_over() -> None:
    assert post(headers=signed(), encoded=True).status == 202


def test_the_same_delivery_twice_runs_once() -> None:
    first, again = (post(headers=signed()) for _ in range(2))
    assert (first.body, first.status) == (again.body, again.status)
    assert len(run_ids()) == 1


def test_another_delivery_and_the_same_from_another_source_run_by_themselves() -> None:
    post(headers=signed())
    other = json.dumps({"id": "k1.other"})
    post(other, headers=signed(other))
    post(source="copy", headers=signed())
    assert len(set(run_ids())) == 3


def test_a_delivery_that_the_source_is_not_configured_for_is_accepted_and_starts_nothing() -> None:
    body = json.dumps({"zen": "Keep it logically awesome."})
    reply = post(body, headers=signed(body))
    assert (reply.status, reply.body) == (202, NOTHING)
    assert run_ids() == []


def usersnap(body: str, *, at: float | None = None) -> Mapping[str, str]:
    return deliveries.usersnap(body.encode(), KEY, time.time() if at is None else at).headers


def test_a_source_that_repeats_after_anything_but_200_gets_200() -> None:
    assert post(source="feedback", headers=usersnap(BODY)).status == 200


@pytest.mark.parametrize(
    "headers", [{}, signed(key="another"), signed(BODY + " "), {"X-Hub-Signature-256": "sha256="}]
)
def test_a_wrong_signature_is_a_401_and_starts_nothing(headers: Mapping[str, str]) -> None:
    reply = post(headers=headers)
    assert (reply.status, reply.body["code"]) == (401, "wrong_signature")
    assert run_ids() == []


@pytest.mark.parametrize("seconds", [-301, 301])
def test_a_delivery_that_was_signed_too_long_ago_or_in_the_future_is_a_400(seconds: int) -> None:
    reply = post(source="feedback", headers=usersnap(BODY, at=time.time() + seconds))
    assert (reply.status, reply.body["code"]) == (400, "stale_delivery")
    assert run_ids() == []


@pytest.mark.parametrize("source", ["nobody", "closed", "", "../shop"])
def test_an_unknown_source_and_one_that_nobody_has_set_up_are_a_404(source: str) -> None:
    assert post(source=source, headers=signed()).status == 404


def put_secret(settings: Settings, text: str) -> None:
    admin("secretsmanager").put_secret_value(SecretId="local-webhook-shop", SecretString=text)
    settings.set()  # five minutes later


def counted(capfd: pytest.CaptureFixture[str]) -> list[str]:
    """Names of metrics about the source."""
    lines = [json.loads(line) for line in capfd.readouterr().out.splitlines() if "_aws" in line]
    return [
        name
        for line in lines
        for name in line
        if name.startswith("Webhook") and line["source"] == "shop"
    ]


def test_accepted_and_refused_deliveries_are_counted(capfd: pytest.CaptureFixture[str]) -> None:
    post(headers=signed())
    post(headers=signed(key="another"))
    assert counted(capfd) == ["WebhookAccepted", "WebhookRefused"]


def twilio_call(settings: Settings, public_url: str) -> Reply:
    settings.set(PUBLIC_URL=public_url)
    fields = [("CallSid", "CA1"), ("To", "+14155550123")]
    event = deliveries.twilio(fields, KEY, url="https://api.example.com/webhooks/phone")
    return post(event.body.decode(), "phone", event.headers)


def test_twilio_signs_the_public_url_which_is_never_taken_from_the_request(
    settings: Settings,
) -> None:
    assert twilio_call(settings, "https://api.example.com").status == 202
    assert twilio_call(settings, "https://other.example.com").status == 401
    assert twilio_call(settings, "").status == 404


def test_a_secret_that_was_deleted_is_not_accepted_any_more(clock: Clock) -> None:
    assert post(headers=signed()).status == 202
    admin("secretsmanager").delete_secret(
        SecretId="local-webhook-shop", ForceDeleteWithoutRecovery=True
    )
    clock.advance(301)
    for _ in range(3):
        assert post(headers=signed()).status == 404
        clock.advance(31)


def test_strangers_do_not_cause_a_lookup_of_the_secret_each_time(clock: Clock) -> None:
    asked: list[str] = []
    events = aws.client("secretsmanager").meta.events
    events.register("before-call.secrets-manager", lambda event_name, **_: asked.append(event_name))
    assert [post(source="closed").status for _ in range(5)] == [404] * 5
    assert len(asked) == 1
    clock.advance(31)
    admin("secretsmanager").create_secret(Name="local-webhook-nobody-set-it", SecretString=KEY)
    assert post(source="closed", headers=signed()).status == 202


def test_while_a_secret_is_changed_both_are_accepted(settings: Settings) -> None:
    put_secret(settings, json.dumps(["new", KEY]))
    other = json.dumps({"id": "k1.other"})
    assert [post(headers=signed()).status, post(other, headers=signed(other, "new")).status] == [
        202,
        202,
    ]


def test_a_body_over_the_limit_is_a_413() -> None:
    body = json.dumps({"id": "x" * MAX_BODY_BYTES})
    reply = post(body, headers=signed(body))
    assert (reply.status, reply.body["code"]) == (413, "body_too_large")


def test_a_signed_body_that_cannot_be_read_is_a_400() -> None:
    reply = post("{", headers=signed("{"))
    assert (reply.status, reply.body["code"]) == (400, "malformed_body")


def test_a_secret_that_holds_no_keys_is_a_503_and_not_told(
    settings: Settings, log: io.StringIO
) -> None:
    put_secret(settings, '["one", "two", "three"]')
    assert post(headers=signed()).status == 503
    assert "this source's signing keys are not valid" in log.getvalue()
    assert "three" not in log.getvalue()


@pytest.mark.parametrize("service", ["SECRETS_MANAGER", "S3", "SFN"])
def test_a_run_that_cannot_start_now_is_a_503_so_that_the_source_tries_again(
    service: str, settings: Settings
) -> None:
    settings.set(**{f"AWS_ENDPOINT_URL_{service}": fakes.nobody()})
    assert post(headers=signed()).status == 503
    settings.unset(f"AWS_ENDPOINT_URL_{service}")
    assert post(headers=signed()).status == 202
    assert len(run_ids()) == 1


def test_neither_secret_nor_payload_is_logged(log: io.StringIO) -> None:
    post(headers=signed())
    post(headers=signed(key="another"))
    post("{" + KEY, headers=signed("{" + KEY))
    lines = [json.loads(line) for line in log.getvalue().splitlines()]
    assert [(line["message"], line["status"], line["source"]) for line in lines] == [
        ("answered", 202, "shop"),
        ("problem", 401, "shop"),
        ("problem", 400, "shop"),
    ]
    assert [line.get("run_id") for line in lines] == [*run_ids(), None, None]
    refused = "The signature does not match the request and this source's key."
    assert [line.get("reason") for line in lines] == [None, refused, None]
    for text in ("confidential-note", KEY, "k1.gone"):
        assert text not in log.getvalue()


def test_the_name_of_an_unknown_source_is_not_logged(log: io.StringIO) -> None:
    post(source="918273")
    assert "918273" not in log.getvalue()


def test_a_source_can_be_called_without_a_token_and_a_token_is_no_signature() -> None:
    assert post(headers={"Authorization": f"Bearer wf_{'a' * 43}"}).status == 401


def test_a_mapping_that_was_changed_starts_no_second_run(monkeypatch: pytest.MonkeyPatch) -> None:
    first = post(headers=signed())
    changed: Any = sources.read_sources(
        SOURCES.replace("verification_id: payload.id", "verification_id: 'other'")
    )
    monkeypatch.setattr(sources, "sources", lambda: changed)
    assert post(headers=signed()).body == first.body
    assert len(run_ids()) == 1


# --- SNS ------------------------------------------------------------------------------------------

TOPIC = "arn:aws:sns:us-east-1:123456789012:local-email-events"


@pytest.fixture
def confirmed(shop: None, monkeypatch: pytest.MonkeyPatch) -> list[str]:  # noqa: ARG001 - is there first
    """URLs at which subscriptions were confirmed; SNS's certificate is the tests' own."""
    urls: list[str] = []
    now = time.time()
    made = deliveries.certificate(deliveries.sns_key(), since=now - 60, until=now + 60)
    signs = scheme.Scheme(partial(sns.verify, fetch=lambda _: made), 202)
    monkeypatch.setattr(
        sources, "sources", lambda: sources.read_sources(sources.SOURCES.read_text())
    )
    monkeypatch.setattr(handler, "scheme", lambda *_: signs)
    monkeypatch.setattr(handler, "confirm", urls.append)
    return urls


def post_sns(message: str, topic: str = TOPIC, **fields: str) -> Reply:
    return post(deliveries.sns(message, topic, time.time(), **fields).body.decode(), source="ses")


@pytest.mark.usefixtures("confirmed")
def test_a_report_of_ses_that_the_stacks_own_topic_signed_starts_track_delivery() -> None:
    reply = post_sns(json.dumps(SES_EVENT))
    begun, _ = execution.read(reply.body["run_id"])
    item = read_item(begun.items_key, begun.reference.start, begun.reference.length)
    assert (begun.workflow, item["verification_id"], item["reason"]) == (
        "track_delivery",
        "k1-AAAA",
        "Permanent/General",
    )
    assert "918273" not in json.dumps(item), "the subject must not be passed on"
    assert post_sns(json.dumps(SES_EVENT)).body == reply.body


@pytest.mark.usefixtures("confirmed")
def test_a_report_of_another_topic_is_refused_although_sns_signed_it() -> None:
    assert post_sns(json.dumps(SES_EVENT), TOPIC.replace("local-", "other-")).status == 401
    assert run_ids() == []


def test_a_topic_is_named_by_its_arn_or_is_one_of_the_stacks(settings: Settings) -> None:
    found = sources.sources()
    assert webhooks.keys_of(found["topic"]) == ("arn:aws:sns:eu-west-1:123456789012:theirs",)
    assert webhooks.keys_of(found["own_topic"]) == (TOPIC,)
    settings.unset("STACK_TOPICS")
    assert post(source="own_topic").status == 404, "the stack has no topic"


def test_a_subscription_of_the_topic_is_confirmed_and_starts_nothing(confirmed: list[str]) -> None:
    url = f"https://sns.us-east-1.amazonaws.com/?Action=ConfirmSubscription&TopicArn={TOPIC}&Token=2336412f37"
    fields = {"Type": "SubscriptionConfirmation", "Token": "2336412f37", "SubscribeURL": url}
    reply = post_sns("You have chosen to subscribe.", **fields)
    assert (reply.status, reply.body, confirmed, run_ids()) == (202, NOTHING, [url], [])
