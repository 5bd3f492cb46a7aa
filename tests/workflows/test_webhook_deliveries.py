"""Deliveries that are kept: which are one, what became of them, and their replay over the API."""

import hashlib
import hmac
import io
import json
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import pytest

from functions.api.webhooks import handler, sources
from functions.core.errors import FieldError, InvalidParameters
from functions.core.http.problems import problem
from functions.core.runs import execution
from functions.core.runs.files import read_item
from functions.core.runs.items.attempts import Attempt, claim
from functions.core.runs.records import Counts, StartedBy
from functions.core.runs.run import cancel, describe
from tests import fakes
from tests.builders import Context, Reply, deliveries, http_event
from tests.builders.run_records import close, finish, started_runs
from tests.workflows.conftest import Clock, Settings, admin

pytestmark = pytest.mark.usefixtures("cloud", "shop")

KEY = "the-shops-secret"
SCOPES = ("runs:read", "runs:write", "workflow:verify_delete")
SHOP = """
[shop]
scheme = "github"
secret = "shop"
workflow = "verify_delete"
parameters = "payload.id && {verification_id: payload.id, total: PARAMETER}"

[hour]
scheme = "github"
secret = "shop"
window_seconds = 3600
workflow = "verify_delete"
parameters = "{verification_id: payload.id}"

[unkept]
scheme = "github"
secret = "shop"
keep = false
workflow = "verify_delete"
parameters = "{verification_id: abs(payload.id)}"

[batch]
scheme = "github"
secret = "shop"
workflow = "verify_delete"
parameters = "payload[?ok].{verification_id: id}"

[slack]
scheme = "hmac"
header = "X-Signature"
secret = "shop"
accepted_status = 200
challenge = "payload.type == 'url_verification' && {challenge: payload.challenge, n: hmac('n')}"
challenge_query = "hub.challenge"
verify_token_query = "hub.verify_token"
workflow = "verify_delete"
parameters = "{verification_id: payload.id}"

[twitch]
scheme = "hmac"
header = "X-Signature"
secret = "shop"
challenge = "payload.challenge"
challenge_query = "challenge"
workflow = "verify_delete"
parameters = "{verification_id: payload.id}"
"""
RIGHT = SHOP.replace(", total: PARAMETER", "")
BROKEN = SHOP.replace("PARAMETER", "abs(payload.total)")


class Shop:
    """sources.toml as it is now."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._monkeypatch = monkeypatch

    def set(self, text: str) -> None:
        made = sources.read_sources(text)
        self._monkeypatch.setattr(sources, "sources", lambda: made)


@pytest.fixture
def shop(cloud: None, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Shop:  # noqa: ARG001 - is there first
    admin("secretsmanager").create_secret(Name="local-webhook-shop", SecretString=KEY)
    settings.set(WEBHOOK_SECRETS="local-webhook-")
    made = Shop(monkeypatch)
    made.set(RIGHT)
    return made


def answered(event: dict[str, Any]) -> Reply:
    answer = handler.lambda_handler(event, Context())
    is_json = "json" in answer["headers"]["content-type"]
    body = json.loads(answer["body"]) if is_json else {"text": answer["body"]}
    return Reply(answer["statusCode"], answer["headers"], body)


def deliver(payload: object, source: str = "shop", *, key: str = KEY, **headers: str) -> Reply:
    body = json.dumps(payload)
    signed = deliveries.github(body.encode(), key).headers
    sent = {**signed, "X-Signature": signed["x-hub-signature-256"].removeprefix("sha256=")}
    sent |= {name.replace("_", "-"): value for name, value in headers.items()}
    event = http_event(body, authorized=False, headers=sent)
    return answered(
        event | {"routeKey": "POST /webhooks/{source}", "pathParameters": {"source": source}}
    )


def call(
    route: str,
    source: str = "shop",
    delivery_id: str = "",
    *,
    query: str = "",
    scopes: tuple[str, ...] = SCOPES,
    **headers: str,
) -> Reply:
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    event = http_event(query=query, scopes=scopes, headers=sent)
    path = {"source": source} | ({"delivery_id": delivery_id} if delivery_id else {})
    return answered(event | {"routeKey": route, "pathParameters": path})


def listed(source: str = "shop", query: str = "") -> Any:
    return call("GET /webhooks/{source}/deliveries", source, query=query).body["deliveries"]


def replay(delivery_id: str, **headers: Any) -> Reply:
    route = "POST /webhooks/{source}/deliveries/{delivery_id}/replay"
    return call(route, delivery_id=delivery_id, **headers)


def item_of(run_id: str) -> dict[str, Any]:
    begun, _ = execution.read(run_id)
    return read_item(begun.items_key, begun.reference.start, begun.reference.length)


# --- what is kept ---------------------------------------------------------------------------------


def test_a_delivery_is_kept_and_listed_with_its_run() -> None:
    run_id = deliver({"id": "k1.a"}).body["run_id"]
    (found,) = listed()
    assert (found["status"], found["run_id"], found["problem"]) == ("started", run_id, None)
    received = datetime.fromisoformat(found["received_at"]).timestamp()
    assert time.time() - 60 < received <= time.time()
    shown = call("GET /webhooks/{source}/deliveries/{delivery_id}", delivery_id=found["id"]).body
    assert shown == {**found, "payload": {"id": "k1.a"}, "query": {}}


def test_neither_a_header_nor_a_secret_is_kept() -> None:
    deliver({"id": "k1.a"}, x_github_delivery="72d3162e", authorization="Basic abc")
    bucket = admin("s3").list_objects_v2(Bucket="runs", Prefix="deliveries/")["Contents"]
    (key,) = [each["Key"] for each in bucket]
    kept = admin("s3").get_object(Bucket="runs", Key=key)["Body"].read()
    assert json.loads(kept) == {"payload": {"id": "k1.a"}, "query": {}}


def test_a_refused_delivery_is_not_kept() -> None:
    assert deliver({"id": "k1.a"}, key="another").status == 401
    assert listed() == []


def test_a_delivery_that_starts_nothing_is_ignored() -> None:
    assert deliver({"zen": "x"}).body == {"run_id": None, "woken": None}
    assert [each["status"] for each in listed()] == ["ignored"]


def test_a_list_of_parameters_starts_one_run_over_several_items() -> None:
    reply = deliver(
        [{"id": "k1.a", "ok": True}, {"id": "k1.b"}, {"id": "k1.c", "ok": True}], "batch"
    )
    begun, _ = execution.read(reply.body["run_id"])
    assert begun.total == 2
    assert deliver([], "batch").body == {"run_id": None, "woken": None}


@pytest.mark.parametrize("service", ["DYNAMODB", "S3", "SFN"])
def test_what_could_not_be_kept_or_started_is_tried_again(service: str, settings: Settings) -> None:
    settings.set(**{f"AWS_ENDPOINT_URL_{service}": fakes.nobody()})
    assert deliver({"id": "k1.a"}).status == 503
    settings.unset(f"AWS_ENDPOINT_URL_{service}")
    run_id = deliver({"id": "k1.a"}).body["run_id"]
    assert started_runs() == [run_id]
    assert [each["run_id"] for each in listed()] == [run_id]


def test_a_delivery_that_was_not_processed_to_its_end_has_failed(settings: Settings) -> None:
    settings.set(AWS_ENDPOINT_URL_SFN=fakes.nobody())
    deliver({"id": "k1.a"})
    settings.unset("AWS_ENDPOINT_URL_SFN")
    (found,) = listed()
    assert (found["status"], found["problem"]) == ("failed", None)
    run_id = replay(found["id"]).body["run_id"]
    assert deliver({"id": "k1.a"}).body["run_id"] == run_id
    assert started_runs() == [run_id]


# --- which are one --------------------------------------------------------------------------------


def test_githubs_two_events_with_equal_bodies_both_run() -> None:
    first, again, other = (
        deliver({"id": "k1.a"}, x_github_delivery=each).body["run_id"] for each in ("1", "1", "2")
    )
    assert first == again != other
    assert len(listed()) == 2


def test_after_the_window_the_same_delivery_is_another_one(clock: Clock) -> None:
    first = deliver({"id": "k1.a"}, "hour").body["run_id"]
    clock.advance(3_500)  # the clock goes on, too
    assert deliver({"id": "k1.a"}, "hour").body["run_id"] == first
    clock.advance(101)
    assert deliver({"id": "k1.a"}, "hour").body["run_id"] != first
    assert len(listed("hour")) == 2


def test_without_a_window_of_its_own_a_source_knows_a_delivery_for_90_days(clock: Clock) -> None:
    first = deliver({"id": "k1.a"}).body["run_id"]
    clock.advance(89 * 86_400)
    assert deliver({"id": "k1.a"}).body["run_id"] == first


# --- a run that failed ----------------------------------------------------------------------------


def test_a_repetition_of_a_delivery_whose_run_failed_retries_it() -> None:
    first = deliver({"id": "k1.a"}).body["run_id"]
    assert deliver({"id": "k1.a"}).body["run_id"] == first, "it is running"
    finish(first, failed={0})
    again = deliver({"id": "k1.a"}).body["run_id"]
    assert again != first
    assert execution.read(again)[0].origin_run_id == first
    assert execution.read(again)[0].started_by == "webhook:github:shop"
    assert describe(again).started_by == StartedBy(kind="webhook", id="shop")
    assert deliver({"id": "k1.a"}).body["run_id"] == again, "the retry is running"
    assert [each["run_id"] for each in listed()] == [again]


def test_a_repetition_maps_again_what_the_workflow_has_refused(shop: Shop) -> None:
    """A retry would have the parameters that were refused."""
    shop.set(RIGHT.replace("verification_id: payload.id}", "verification: payload.id}", 1))
    first = deliver({"id": "k1.a"}).body["run_id"]
    attempt = claim(first, 0, 1_900_000_000)
    assert isinstance(attempt, Attempt)
    wrong = InvalidParameters(FieldError("/verification", "is not a parameter here"))
    attempt.fail(problem(wrong, "request-1"))
    close(first, Counts(failed=1))
    shop.set(RIGHT)
    again = deliver({"id": "k1.a"}).body["run_id"]
    assert (again != first, item_of(again)) == (True, {"verification_id": "k1.a"})
    assert deliver({"id": "k1.a"}).body["run_id"] == again


@pytest.mark.parametrize("end", [finish, cancel])
def test_a_run_that_succeeded_or_was_cancelled_is_not_retried(end: Callable[[str], object]) -> None:
    first = deliver({"id": "k1.a"}).body["run_id"]
    end(first)
    assert deliver({"id": "k1.a"}).body["run_id"] == first
    assert started_runs() == [first]


def test_of_a_run_over_several_items_those_that_failed_are_retried() -> None:
    batch = [{"id": f"k1.{number}", "ok": True} for number in range(3)]
    first = deliver(batch, "batch").body["run_id"]
    finish(first, failed={1})
    again = deliver(batch, "batch").body["run_id"]
    assert execution.read(again)[0].total == 1


# --- a mapping that fails -------------------------------------------------------------------------


def counted(capfd: pytest.CaptureFixture[str]) -> list[str]:
    lines = [json.loads(line) for line in capfd.readouterr().out.splitlines() if "_aws" in line]
    return [name for line in lines for name in line if name.startswith("Webhook")]


def test_a_payload_that_does_not_fit_is_accepted_marked_and_counted(
    shop: Shop, capfd: pytest.CaptureFixture[str], log: io.StringIO
) -> None:
    shop.set(BROKEN)
    reply = deliver({"id": "k1.a", "total": "confidential"})
    assert (reply.status, reply.body) == (202, {"run_id": None, "woken": None})
    (found,) = listed()
    assert (found["status"], found["run_id"]) == ("failed", None)
    assert (found["problem"]["code"], found["problem"]["status"]) == ("invalid_parameters", 422)
    assert "abs() got a value of the type string" in found["problem"]["errors"][0]["detail"]
    assert counted(capfd) == ["WebhookFailed", "WebhookAccepted"]
    assert "this delivery does not fit its section" in log.getvalue()
    assert "confidential" not in log.getvalue()


def test_a_delivery_is_mapped_again_after_the_mapping_was_mended(shop: Shop) -> None:
    shop.set(BROKEN)
    deliver({"id": "k1.a", "total": "x"})
    (found,) = listed()
    refused = replay(found["id"])
    assert (refused.status, refused.body["code"]) == (422, "invalid_parameters")
    shop.set(RIGHT)
    reply = replay(found["id"])
    assert (reply.status, item_of(reply.body["run_id"])) == (202, {"verification_id": "k1.a"})
    (found,) = listed()
    assert (found["status"], found["run_id"]) == ("started", reply.body["run_id"])
    assert found["problem"] is None
    assert deliver({"id": "k1.a", "total": "x"}).body == reply.body, "its repetition is that run"


def test_a_repetition_is_mapped_again_too(shop: Shop) -> None:
    shop.set(BROKEN)
    deliver({"id": "k1.a", "total": "x"})
    shop.set(RIGHT)
    run_id = deliver({"id": "k1.a", "total": "x"}).body["run_id"]
    assert [(each["status"], each["run_id"]) for each in listed()] == [("started", run_id)]


def test_a_source_that_keeps_nothing_tells_the_sender_that_the_payload_does_not_fit(
    capfd: pytest.CaptureFixture[str],
) -> None:
    assert deliver({"id": -1}, "unkept").body["run_id"]
    assert deliver({"id": -1}, "unkept").body["run_id"] == started_runs()[0]
    reply = deliver({"id": "x"}, "unkept")
    assert (reply.status, reply.body["code"]) == (422, "invalid_parameters")
    assert listed("unkept") == []
    assert "WebhookFailed" in counted(capfd)


# --- list and replay ------------------------------------------------------------------------------


def test_the_newest_comes_first_page_by_page(clock: Clock) -> None:
    for number in range(5):
        deliver({"id": f"k1.{number}"} if number % 2 else {"n": number})
        clock.advance(1)
    everything = listed()
    times = [each["received_at"] for each in everything]
    assert (times, len(times)) == (sorted(times, reverse=True), 5)
    route, pages, cursor = "GET /webhooks/{source}/deliveries", [], ""
    while True:
        page = call(route, query=f"limit=2{cursor}").body
        pages.append(page["deliveries"])
        if page["cursor"] is None:
            break
        cursor = f"&cursor={page['cursor']}"
    assert [each for page in pages for each in page] == everything
    assert [len(page) for page in pages] == [2, 2, 1]


def test_a_list_can_be_of_one_status() -> None:
    deliver({"id": "k1.a"})
    deliver({"n": 1})
    for status in ("started", "ignored"):
        assert [each["status"] for each in listed(query=f"status={status}")] == [status]
    assert listed(query="status=failed") == []


@pytest.mark.parametrize(
    "query", ["status=x", "limit=0", "limit=101", "cursor=x", "a=1", "limit=1&limit=2"]
)
def test_a_query_of_another_form_is_a_422(query: str) -> None:
    assert call("GET /webhooks/{source}/deliveries", query=query).status == 422


def test_sources_do_not_see_each_others_deliveries() -> None:
    deliver({"id": "k1.a"})
    (found,) = listed()
    assert listed("hour") == []
    route = "GET /webhooks/{source}/deliveries/{delivery_id}"
    assert call(route, "hour", found["id"]).status == 404


def test_a_replay_of_a_delivery_that_has_started_a_run_starts_another_one() -> None:
    first = deliver({"id": "k1.a"}).body["run_id"]
    (found,) = listed()
    second = replay(found["id"]).body["run_id"]
    assert len({first, second}) == 2
    assert execution.read(second)[0].token_id == "webhook:shop"
    assert [each["run_id"] for each in listed()] == [second]


def test_a_replay_with_a_key_is_one_replay() -> None:
    deliver({"id": "k1.a"})
    (found,) = listed()
    first, again = (replay(found["id"], idempotency_key="replay-1").body for _ in range(2))
    assert first == again
    assert len(started_runs()) == 2


def test_a_replay_with_a_key_whose_answer_was_lost_is_one_replay(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.set(BROKEN)
    deliver({"id": "k1.a", "total": "x"})
    shop.set(RIGHT)
    (found,) = listed()

    def fails(*_: object) -> None:
        raise RuntimeError

    with monkeypatch.context() as patch:
        patch.setattr("functions.core.http.large_answers.put_away", fails)
        assert replay(found["id"], idempotency_key="replay-1").status == 500
    again = replay(found["id"], idempotency_key="replay-1").body["run_id"]
    assert started_runs() == [again]
    assert len({again, replay(found["id"], idempotency_key="replay-2").body["run_id"]}) == 2


def test_a_replay_that_starts_nothing_leaves_the_delivery_its_run(shop: Shop) -> None:
    """Else the next replay would answer with that run, and start nothing either."""
    first = deliver({"id": "k1.a"}).body["run_id"]
    (found,) = listed()
    shop.set(RIGHT.replace("payload.id && {verification_id: payload.id}", "`null`"))
    assert replay(found["id"]).body["run_id"] is None
    assert listed() == [found]
    shop.set(RIGHT.replace("{verification_id: payload.id}", "{verification_id: 'k1.b'}"))
    second = replay(found["id"]).body["run_id"]
    assert first != second
    assert item_of(second) == {"verification_id": "k1.b"}


@pytest.mark.parametrize("delivery_id", ["x", "0000000000000-0000000000000000", "../shop"])
def test_an_unknown_delivery_is_a_404(delivery_id: str) -> None:
    assert replay(delivery_id).status == 404


@pytest.mark.parametrize("missing", SCOPES)
def test_each_call_needs_the_scope_of_runs_and_the_workflows(missing: str) -> None:
    deliver({"id": "k1.a"})
    (found,) = listed()
    scopes = tuple(each for each in SCOPES if each != missing)
    routes = {
        "GET /webhooks/{source}/deliveries": "runs:read",
        "GET /webhooks/{source}/deliveries/{delivery_id}": "runs:read",
        "POST /webhooks/{source}/deliveries/{delivery_id}/replay": "runs:write",
    }
    for route, scope in routes.items():
        expected = {403} if missing in {scope, "workflow:verify_delete"} else {200, 202}
        assert call(route, delivery_id=found["id"], scopes=scopes).status in expected


def test_the_deliveries_of_an_unknown_source_are_a_404() -> None:
    assert call("GET /webhooks/{source}/deliveries", "nobody").status == 404


# --- challenges -----------------------------------------------------------------------------------


def test_a_signed_question_is_answered_and_starts_nothing() -> None:
    reply = deliver({"type": "url_verification", "challenge": "3eZbrw1a"}, "slack")
    expected = hmac.new(KEY.encode(), b"n", hashlib.sha256).hexdigest()
    assert (reply.status, reply.body) == (200, {"challenge": "3eZbrw1a", "n": expected})
    assert listed("slack") == started_runs() == []
    assert deliver({"id": "k1.a"}, "slack").status == 200
    assert len(started_runs()) == 1


def test_a_question_that_nobody_signed_is_not_answered() -> None:
    reply = deliver({"type": "url_verification", "challenge": "x"}, "slack", key="another")
    assert reply.status == 401


def test_an_answer_that_is_a_text_is_plain_text() -> None:
    reply = deliver({"challenge": "pogchamp-kappa-360noscope"}, "twitch")
    assert (reply.status, reply.body) == (200, {"text": "pogchamp-kappa-360noscope"})
    assert reply.headers["content-type"] == "text/plain; charset=utf-8"


def ask(query: Mapping[str, str], source: str = "slack") -> Reply:
    event = http_event(
        None, authorized=False, query="&".join(f"{name}={value}" for name, value in query.items())
    )
    return answered(
        event | {"routeKey": "GET /webhooks/{source}", "pathParameters": {"source": source}}
    )


def verify_token(key: str) -> str:
    made = hmac.new(key.encode(), b"backend-workflows: verify token", hashlib.sha256)
    return made.hexdigest()[:40]


def test_a_get_with_the_verify_token_is_answered_with_its_challenge(settings: Settings) -> None:
    asked = {"hub.mode": "subscribe", "hub.challenge": "1158201444"}
    reply = ask(asked | {"hub.verify_token": verify_token(KEY)})
    assert (reply.status, reply.body) == (200, {"text": "1158201444"})
    assert reply.headers["content-type"] == "text/plain; charset=utf-8"
    assert reply.headers["x-content-type-options"] == "nosniff"
    admin("secretsmanager").put_secret_value(
        SecretId="local-webhook-shop", SecretString=json.dumps(["new", KEY])
    )
    settings.set()  # five minutes later
    for key in ("new", KEY):
        assert ask(asked | {"hub.verify_token": verify_token(key)}).status == 200


@pytest.mark.parametrize("sent", ["", KEY, "x", verify_token("another"), "%C3%A9"])
def test_a_get_with_another_verify_token_is_a_401(sent: str) -> None:
    reply = ask({"hub.challenge": "1", "hub.verify_token": sent})
    assert (reply.status, reply.body["code"]) == (401, "wrong_signature")


@pytest.mark.parametrize("text", ["", "<script>", "a b", "%0d%0a", "x" * 501, "%22"])
def test_a_get_echoes_nothing_that_a_browser_could_take_for_a_page(text: str) -> None:
    assert ask({"challenge": text}, "twitch").status == 401
    assert ask({"challenge": "abc-123"}, "twitch").body == {"text": "abc-123"}


def test_a_source_without_a_challenge_answers_a_get_with_404() -> None:
    assert ask({"hub.challenge": "1"}, "shop").status == 404
    assert ask({"hub.challenge": "1"}, "nobody").status == 404


# --- sections with mistakes -----------------------------------------------------------------------


def test_a_section_with_a_mistake_answers_503_and_the_others_work(
    monkeypatch: pytest.MonkeyPatch, log: io.StringIO
) -> None:
    text = (
        RIGHT
        + '\n[bad]\nscheme = "github"\nsecret = "shop"\nworkflow = "nowhere"\nparameters = "{"\n'
    )
    checked = sources.check_sources(text)
    monkeypatch.setattr(sources, "_checked", lambda: checked)
    sources.log_mistakes()
    assert "[bad] parameters is not a JMESPath expression" in log.getvalue()
    monkeypatch.setattr(sources, "sources", lambda: checked.usable)
    assert deliver({"id": "k1.a"}, "bad").status == 503
    assert "this source's section of sources.toml has a mistake" in log.getvalue()
    assert deliver({"id": "k1.a"}).status == 202
    assert deliver({"id": "k1.a"}, "nobody").status == 404
