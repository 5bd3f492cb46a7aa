"""Schedules: the calls of EventBridge Scheduler, the stored definitions, and the started runs."""

import io
import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from functions.core import aws, config
from functions.core.auth.tokens import issue_token, rescope_tokens, revoke_token
from functions.core.errors import Unavailable
from functions.core.schedules import cancelling
from tests import fakes
from tests.workflows.conftest import Clock, Settings, admin
from tests.workflows.scheduled import (
    FUNCTION,
    NOBODY,
    PARAMETERS,
    SCOPES,
    ask,
    cancel,
    create,
    created,
    existing,
    fire,
    items_of,
    kept,
    listed,
    pause,
    read,
    runs,
    schedules_of_a_stack,
    told,
)


@pytest.fixture(autouse=True)
def stack(cloud: None, settings: Settings) -> Iterator[None]:  # noqa: ARG001 - which comes first
    with schedules_of_a_stack(settings):
        yield


@pytest.fixture
def token_id() -> str:
    return issue_token("server", "secret", SCOPES).token.token_id


@pytest.fixture
def updates() -> Iterator[list[dict[str, Any]]]:
    """Bodies of all UpdateSchedule requests."""
    sent: list[dict[str, Any]] = []

    def note(request: Any, **_: object) -> None:
        sent.append(json.loads(request.body))

    events = aws.client("scheduler").meta.events
    events.register_first("before-send.scheduler.UpdateSchedule", note)
    yield sent
    events.unregister("before-send.scheduler.UpdateSchedule", note)


# --- made -----------------------------------------------------------------------------------------


def test_a_schedule_is_made_with_all_that_makes_it_safe() -> None:
    reply = create(at="2027-01-01T09:00+01:00", group="order-1")
    schedule_id = reply.body["schedule_id"]
    assert reply.status == 201
    assert reply.headers["location"] == f"/schedules/{schedule_id}"
    run_id = reply.body.pop("run_id")
    assert reply.body == {
        "schedule_id": schedule_id,
        "workflow": "verify_delete",
        "parameters": PARAMETERS,
        "expression": "at(2027-01-01T08:00:00)",
        "timezone": "UTC",
        "meaning": "once, on 2027-01-01 at 08:00 (UTC)",
        "ends_at": None,
        "overlap": "allow",
        "group": "order-1",
        "token_id": NOBODY,
        "paused": False,
        "paused_because": None,
        "next_at": "2027-01-01T08:00:00Z",
        "next_times": ["2027-01-01T08:00:00Z"],
        "last_at": None,
        "last_run_id": None,
    }
    assert run_id.startswith("verify_delete.")
    about = told(schedule_id)
    assert (about["ScheduleExpression"], about["State"]) == ("at(2027-01-01T08:00:00)", "ENABLED")
    assert (about["ActionAfterCompletion"], about["FlexibleTimeWindow"]) == (
        "NONE",
        {"Mode": "OFF"},
    )
    target = about["Target"]
    assert (target["Arn"], target["RoleArn"]) == (
        FUNCTION,
        "arn:aws:iam::123456789012:role/schedules",
    )
    assert target["DeadLetterConfig"] == {"Arn": "arn:aws:sqs:us-east-1:123456789012:dead-letters"}
    assert target["RetryPolicy"]["MaximumRetryAttempts"] == 10
    assert json.loads(target["Input"]) == {
        "trigger": "schedule",
        "schedule_id": schedule_id,
        "scheduled_at": "<aws.scheduler.scheduled-time>",
        "revision": 0,
    }


def test_parameters_are_kept_in_the_bucket_and_not_in_the_schedule() -> None:
    schedule_id = created(after_seconds=3600)
    assert kept() == [f"schedules/{schedule_id}.json"]
    assert PARAMETERS["verification_id"] not in json.dumps(told(schedule_id), default=str)


def test_an_interval_has_a_start_and_an_end() -> None:
    schedule_id = created(every_seconds=3600, ends_at="2036-01-01T00:00Z")
    about = told(schedule_id)
    assert about["ScheduleExpression"] == "rate(60 minutes)"
    next_at = datetime.fromisoformat(read(schedule_id).body["next_at"])
    assert about["StartDate"].astimezone(UTC) == next_at
    assert about["EndDate"].astimezone(UTC) == datetime(2036, 1, 1, tzinfo=UTC)


def test_a_cron_expression_goes_with_its_time_zone() -> None:
    reply = create(cron="0 9 ? * MON-FRI *", timezone="Europe/Berlin")
    about = told(reply.body["schedule_id"])
    assert about["ScheduleExpression"] == reply.body["expression"] == "cron(0 9 ? * MON-FRI *)"
    assert about["ScheduleExpressionTimezone"] == reply.body["timezone"] == "Europe/Berlin"


@pytest.mark.parametrize(
    "when", [{"at": "2020-01-01T00:00Z"}, {"after_seconds": 0}, {"after_seconds": 59}]
)
def test_a_time_that_is_past_or_near_starts_the_run_at_once(when: dict[str, Any]) -> None:
    reply = create(**when)
    assert reply.status == 202
    assert reply.headers["location"] == f"/runs/{reply.body['run_id']}"
    assert "preference-applied" not in reply.headers
    assert runs() == [reply.body["run_id"]]
    assert (existing(), kept()) == ([], [])


@pytest.mark.parametrize(
    ("wanted", "status", "pointer"),
    [
        (
            {"after_seconds": 3600, "parameters": {"verification_id": 5}},
            422,
            "/parameters/verification_id",
        ),
        ({"after_seconds": 3600, "parameters": {}}, 422, "/parameters/verification_id"),
        ({"after_seconds": 3600, "parameters": []}, 422, "/parameters"),
        ({"after_seconds": -1}, 422, "/after_seconds"),
        ({"every_seconds": 59}, 422, "/every_seconds"),
        ({"cron": "0 9 * *"}, 422, "/cron"),
        ({"after_seconds": 3600, "overlap": "skip"}, 422, "/overlap"),
        ({"after_seconds": 3600, "group": "a b"}, 422, "/group"),
        ({"after_seconds": 3600, "workflow": "../x"}, 422, "/workflow"),
        ({"after_seconds": 3600, "name": "x"}, 422, "/name"),
        ({}, 422, ""),
    ],
)
def test_an_invalid_request_makes_nothing(
    wanted: dict[str, Any], status: int, pointer: str
) -> None:
    reply = create(**wanted)
    assert (reply.status, [each["pointer"] for each in reply.body["errors"]]) == (status, [pointer])
    assert (existing(), kept(), runs()) == ([], [], [])


def test_a_workflow_that_is_not_there_is_not_found() -> None:
    about = {"workflow": "nothing", "parameters": {}, "after_seconds": 3600}
    assert ask("POST /schedules", about, scopes=("runs:write", "workflow:nothing")).status == 404


def test_a_workflow_that_must_not_run_in_the_background_is_refused() -> None:
    reply = create(
        workflow="verify_check",
        parameters={"verification_id": "x", "code": "1"},
        after_seconds=3600,
    )
    assert (reply.status, reply.body["code"]) == (422, "not_in_background")


def test_a_schedule_that_cannot_be_made_leaves_nothing(settings: Settings) -> None:
    settings.set(AWS_ENDPOINT_URL_SCHEDULER=fakes.nobody())
    assert create(after_seconds=3600).status == 503
    assert kept() == []


@pytest.mark.parametrize(
    ("sentence", "wanted", "status", "pointers"),
    [
        (
            "Invalid Schedule Expression cron(0 9 ? * MON *).",
            {"cron": "0 9 ? * MON *"},
            422,
            ["/cron"],
        ),
        ("The execution role you provide must be assumable.", {"cron": "0 9 ? * MON *"}, 500, []),
        ("Something about a rate.", {"every_seconds": 60}, 500, []),
    ],
)
def test_a_cron_that_aws_refuses_is_the_clients_and_leaves_nothing(
    sentence: str, wanted: dict[str, Any], status: int, pointers: list[str], settings: Settings
) -> None:
    refusal = fakes.answers(
        400, json.dumps({"Message": sentence}).encode(), x_amzn_ErrorType="ValidationException"
    )
    with fakes.server(refusal) as url:
        settings.set(AWS_ENDPOINT_URL_SCHEDULER=url)
        reply = create(**wanted)
    assert (reply.status, [each["pointer"] for each in reply.body["errors"]]) == (status, pointers)
    assert kept() == []


@pytest.mark.parametrize(
    ("code", "status"), [("ServiceQuotaExceededException", 402), ("ThrottlingException", 429)]
)
def test_a_schedule_for_which_aws_has_no_room_may_be_made_later(
    code: str, status: int, settings: Settings
) -> None:
    with fakes.server(fakes.answers(status, b"{}", x_amzn_ErrorType=code)) as url:
        settings.set(AWS_ENDPOINT_URL_SCHEDULER=url)
        assert create(after_seconds=3600).status == 503
    assert kept() == []


# --- read -----------------------------------------------------------------------------------------


def test_a_schedule_reads_as_it_was_made() -> None:
    reply = create(every_seconds=3600)
    assert read(reply.body["schedule_id"]).body == reply.body


def test_schedules_are_listed_by_group_and_workflow() -> None:
    mine, other, none = (
        created(after_seconds=3600, group="a"),
        created(after_seconds=3600, group="ab"),
        created(cron="0 9 * * ? *"),
    )
    assert set(listed()) == {mine, other, none}
    assert listed(group="a") == [mine]
    assert set(listed(workflow="verify_delete")) == {mine, other, none}
    assert listed(workflow="verify_send") == []


def test_a_group_named_like_a_workflow_is_not_all_of_its_schedules() -> None:
    created(after_seconds=3600)
    assert listed(group="verify_delete") == []


def test_a_list_has_pages_and_its_rows_are_schedules() -> None:
    made = {created(after_seconds=3600) for _ in range(3)}
    first = ask("GET /schedules", query={"limit": "2"}).body
    second = ask("GET /schedules", query={"limit": "2", "cursor": first["cursor"]}).body
    rows = first["schedules"] + second["schedules"]
    assert {row["schedule_id"] for row in rows} == made
    assert (len(first["schedules"]), second["cursor"]) == (2, None)
    assert all(row | {"parameters": PARAMETERS} == read(row["schedule_id"]).body for row in rows)
    assert not any("parameters" in row for row in rows)


def test_a_list_shows_schedules_of_workflows_that_the_token_may_call() -> None:
    created(after_seconds=3600)
    assert ask("GET /schedules", scopes=("runs:read",)).body == {"schedules": [], "cursor": None}


@pytest.mark.parametrize("schedule_id", ["verify_delete.0123456789abcdef", "nonsense"])
def test_a_missing_schedule_is_not_found(schedule_id: str) -> None:
    assert [each(schedule_id).status for each in (read, pause, cancel)] == [404, 404, 404]


@pytest.mark.parametrize("missing", ["runs:read", "runs:write", "workflow:verify_delete"])
def test_every_call_needs_its_scope_and_that_of_the_workflow(missing: str) -> None:
    schedule_id = created(after_seconds=3600)
    scopes = [scope for scope in SCOPES if scope != missing]
    about = {"workflow": "verify_delete", "parameters": PARAMETERS, "after_seconds": 3600}
    reading = [read(schedule_id, scopes=scopes).status]
    writing = [
        ask("POST /schedules", about, scopes=scopes).status,
        pause(schedule_id, scopes=scopes).status,
        cancel(schedule_id, scopes=scopes).status,
    ]
    assert 403 not in reading if missing == "runs:write" else reading == [403]
    assert 403 not in writing if missing == "runs:read" else writing == [403] * 3


# --- paused ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "when",
    [
        {"at": "2027-01-01T09:00Z"},
        {"every_seconds": 3600, "ends_at": "2036-01-01T00:00Z"},
        {"cron": "0 9 * * ? *", "timezone": "Europe/Berlin"},
    ],
)
def test_pausing_writes_all_of_a_schedule_again(
    when: dict[str, Any], updates: list[dict[str, Any]]
) -> None:
    """UpdateSchedule resets every field that it is not given."""
    schedule_id = created(**when)
    before = told(schedule_id)
    assert pause(schedule_id).body["paused"] is True
    (written,) = updates
    assert told(schedule_id)["State"] == "DISABLED"
    assert pause(schedule_id, paused=False).body["paused"] is False
    event = before["Target"]["Input"]
    before["Target"]["Input"] = event.replace('"revision": 0', '"revision": 2')
    for name in before.keys() - {
        "Arn",
        "Name",
        "CreationDate",
        "LastModificationDate",
        "State",
        "ResponseMetadata",
    }:
        assert told(schedule_id)[name] == before[name]
    assert set(written) >= before.keys() - {
        "Arn",
        "Name",
        "CreationDate",
        "LastModificationDate",
        "ResponseMetadata",
    }


def test_a_paused_schedule_has_no_next_time() -> None:
    schedule_id = created(every_seconds=3600)
    pause(schedule_id)
    body = read(schedule_id).body
    assert (body["paused"], body["next_at"], body["run_id"]) == (True, None, None)


def test_an_interval_that_is_resumed_keeps_its_rhythm_and_starts_in_the_future(
    clock: Clock, updates: list[dict[str, Any]]
) -> None:
    """EventBridge Scheduler refuses a start that is more than 5 minutes past."""
    reply = create(every_seconds=3600)
    first = datetime.fromisoformat(reply.body["next_at"]).timestamp()
    pause(reply.body["schedule_id"])
    clock.advance(10 * 3600)
    pause(reply.body["schedule_id"], paused=False)
    starts_at = updates[-1]["StartDate"]
    assert clock() < starts_at <= clock() + 3600
    assert (starts_at - first) % 3600 == 0


def test_pausing_twice_is_pausing_once(updates: list[dict[str, Any]]) -> None:
    schedule_id = created(after_seconds=3600)
    assert [pause(schedule_id).status, pause(schedule_id).status] == [200, 200]
    assert len(updates) == 1


def test_a_one_time_schedule_whose_time_passed_while_it_was_paused_runs_when_resumed(
    clock: Clock, token_id: str
) -> None:
    reply = create(after_seconds=3600, token_id=token_id)
    schedule_id = reply.body["schedule_id"]
    pause(schedule_id)
    clock.advance(7200)
    resumed = pause(schedule_id, paused=False)
    assert (resumed.status, resumed.body["run_id"]) == (202, reply.body["run_id"])
    assert (runs(), existing(), kept()) == ([reply.body["run_id"]], [], [])


def test_a_schedule_that_is_firing_cannot_be_paused(clock: Clock) -> None:
    schedule_id = created(after_seconds=3600)
    clock.advance(3600)
    assert pause(schedule_id).status == 409


# --- cancelled ------------------------------------------------------------------------------------


def test_a_cancelled_schedule_is_gone_and_runs_nothing_even_if_it_is_firing() -> None:
    schedule_id = created(after_seconds=3600)
    reply = cancel(schedule_id)
    assert (reply.status, reply.body["schedule_id"], reply.body["next_at"]) == (
        200,
        schedule_id,
        None,
    )
    assert (existing(), kept(), cancel(schedule_id).status) == ([], [], 404)
    assert (fire(schedule_id), runs()) == (None, [])


def test_a_group_is_cancelled_with_one_call() -> None:
    other = created(after_seconds=3600, group="ab")
    for _ in range(3):
        created(after_seconds=3600, group="a")
    reply = ask("DELETE /schedules", query={"group": "a"})
    assert (reply.status, reply.body) == (200, {"group": "a", "cancelled": 3})
    assert (existing(), kept()) == ([other], [f"schedules/{other}.json"])


def test_a_group_larger_than_one_request_is_cancelled_whole(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(cancelling, "_BATCH", 5)
    for _ in range(11):
        created(after_seconds=3600, group="a")
    assert ask("DELETE /schedules", query={"group": "a"}).body["cancelled"] == 11
    assert (existing(), kept()) == ([], [])


@pytest.mark.parametrize("query", [{}, {"group": ""}, {"workflow": "verify_delete"}])
def test_not_everything_is_cancelled_by_mistake(query: dict[str, str]) -> None:
    schedule_id = created(after_seconds=3600)
    assert ask("DELETE /schedules", query=query).status == 422
    assert existing() == [schedule_id]


def test_a_group_is_cancelled_as_far_as_the_token_may_call_its_workflows() -> None:
    created(after_seconds=3600, group="a")
    reply = ask(
        "DELETE /schedules", query={"group": "a"}, scopes=("runs:write", "workflow:verify_send")
    )
    assert (reply.body["cancelled"], len(existing())) == (0, 1)


# --- fired ----------------------------------------------------------------------------------------


def test_a_schedule_that_fires_starts_the_run_that_it_named_and_leaves_nothing(
    token_id: str,
) -> None:
    reply = create(after_seconds=3600, token_id=token_id)
    assert fire(reply.body["schedule_id"]) == reply.body["run_id"]
    assert runs() == [reply.body["run_id"]]
    assert kept() == []


def test_a_delivery_that_arrives_twice_starts_one_run(token_id: str) -> None:
    once, every = (
        created(after_seconds=3600, token_id=token_id),
        created(every_seconds=60, token_id=token_id),
    )
    assert fire(once) is not None
    assert fire(once) is None
    assert fire(every) == fire(every, "2026-11-22T12:00:31Z")
    assert len(runs()) == 2


def test_a_delivery_that_failed_half_way_is_the_same_run_again(
    token_id: str, settings: Settings
) -> None:
    reply = create(after_seconds=3600, token_id=token_id)
    settings.set(AWS_ENDPOINT_URL_SFN=fakes.nobody())
    with pytest.raises(Unavailable):
        fire(reply.body["schedule_id"])
    settings.unset("AWS_ENDPOINT_URL_SFN")
    assert len(kept()) == 1
    assert fire(reply.body["schedule_id"]) == reply.body["run_id"]


def test_each_time_of_a_recurring_schedule_is_a_run_of_its_own(token_id: str) -> None:
    schedule_id = created(cron="0 9 * * ? *", token_id=token_id)
    first, second = (
        fire(schedule_id, "2026-11-23T09:00:00Z"),
        fire(schedule_id, "2026-11-24T09:00:00Z"),
    )
    assert first != second
    assert set(runs()) == {first, second}
    assert len(kept()) == 1


def test_the_run_of_the_next_time_is_known_before(token_id: str) -> None:
    reply = create(every_seconds=3600, token_id=token_id)
    assert fire(reply.body["schedule_id"], reply.body["next_at"]) == reply.body["run_id"]


def test_after_its_last_time_nothing_is_kept(token_id: str) -> None:
    schedule_id = created(cron="0 9 * * ? *", ends_at="2099-01-02T09:00Z", token_id=token_id)
    fire(schedule_id, "2098-12-31T09:00:00Z")
    assert len(kept()) == 1
    fire(schedule_id, "2099-01-02T09:00:00Z")
    assert kept() == []


def test_without_a_scheduled_time_the_current_minute_counts(clock: Clock, token_id: str) -> None:
    schedule_id = created(every_seconds=60, token_id=token_id)
    first = fire(schedule_id, "<aws.scheduler.scheduled-time>")
    clock.advance(60)
    assert fire(schedule_id, "<aws.scheduler.scheduled-time>") != first


def test_the_scheduled_parameters_are_those_that_run(token_id: str) -> None:
    run_id = fire(created(after_seconds=3600, token_id=token_id))
    assert items_of(str(run_id)) == [PARAMETERS]


@pytest.mark.parametrize("ended", ["revoked", "expired", "gone", "rescoped"])
@pytest.mark.parametrize("when", [{"after_seconds": 3600}, {"every_seconds": 60}])
def test_a_schedule_of_a_token_that_is_not_good_any_more_does_not_start_and_is_paused(
    ended: str,
    when: dict[str, Any],
    clock: Clock,
    log: io.StringIO,
    capsys: pytest.CaptureFixture[str],
) -> None:
    token = issue_token(
        "server", "secret", SCOPES, valid_seconds=60 if ended == "expired" else None
    ).token
    schedule_id = created(token_id=token.token_id, **when)
    if ended == "revoked":
        revoke_token(token.token_id)
    elif ended == "gone":
        token.delete()
    elif ended == "rescoped":
        rescope_tokens("server", ["runs:write", "workflow:verify_send"])
    else:
        clock.advance(61)
    assert fire(schedule_id) is None
    assert (runs(), existing(), kept()) == ([], [schedule_id], [f"schedules/{schedule_id}.json"])
    reason = {"expired": "token_expired", "rescoped": "token_scopes"}.get(ended, "token_revoked")
    shown = read(schedule_id).body
    assert (shown["paused"], shown["paused_because"], shown["next_at"]) == (True, reason, None)
    assert "not started, and paused: its token is no longer allowed to" in log.getvalue()
    assert "ScheduleRefused" in capsys.readouterr().out


def test_a_schedule_of_a_half_failed_request_ends_when_it_fires() -> None:
    schedule_id = created(every_seconds=60)
    admin("s3").delete_object(Bucket="runs", Key=f"schedules/{schedule_id}.json")
    assert fire(schedule_id) is None
    assert existing() == []


def test_parameters_are_not_logged(log: io.StringIO, token_id: str) -> None:
    fire(created(after_seconds=3600, token_id=token_id))
    assert PARAMETERS["verification_id"] not in log.getvalue()


def test_the_same_key_twice_makes_one_schedule() -> None:
    body = {
        "workflow": "verify_delete",
        "parameters": {"verification_id": "k1.one"},
        "after_seconds": 3600,
    }
    first, again = (
        ask("POST /schedules", body, headers={"idempotency-key": "once"}) for _ in range(2)
    )
    assert (first.status, first.body) == (again.status, again.body)
    assert first.status == 201
    assert kept() == [f"schedules/{first.body['schedule_id']}.json"]


def test_the_readers_of_a_page_share_one_client() -> None:
    for _ in range(3):
        created(after_seconds=3600)
    config.reset(everything=True)
    made: list[str] = []

    def note(event_name: str, **_: object) -> None:
        time.sleep(0.05)  # the other readers begin meanwhile
        made.append(event_name)

    aws.session().register("creating-client-class.s3", note)
    assert len(ask("GET /schedules").body["schedules"]) == 3
    assert len(made) == 1
