"""Changes of schedules: times, parameters, owners, runs beside the rhythm, skipped times."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from functions.core.auth.tokens import issue_token, revoke_token
from functions.core.aws import scheduler
from functions.core.errors import Unavailable
from functions.core.runs import records
from functions.core.schedules import definition as definitions
from tests.workflows.conftest import Clock, Settings, admin
from tests.workflows.scheduled import (
    DUE,
    NOBODY,
    PARAMETERS,
    SCOPES,
    ask,
    cancel,
    change,
    create,
    created,
    existing,
    fire,
    fire_entry,
    input_of,
    items_of,
    kept,
    pause,
    read,
    run_now,
    runs,
    schedules_of_a_stack,
    told,
)

OTHER = {"verification_id": "k1.BBBBBBBBBBBBBBBBBBBBBB"}
TEN_OCLOCK, ELEVEN_OCLOCK = "2099-01-05T10:00:00Z", "2099-01-05T11:00:00Z"


@pytest.fixture(autouse=True)
def stack(cloud: None, settings: Settings) -> Iterator[None]:  # noqa: ARG001 - which comes first
    with schedules_of_a_stack(settings):
        yield


@pytest.fixture
def token_id() -> str:
    return issue_token("server", "secret", SCOPES).token.token_id


@pytest.fixture
def another() -> str:
    return issue_token("new server", "secret", SCOPES).token.token_id


def end_run(run_id: str) -> None:
    machine = admin("stepfunctions").list_state_machines()["stateMachines"][0]["stateMachineArn"]
    arn = f"{machine.replace('stateMachine', 'execution')}:{run_id}"
    admin("stepfunctions").stop_execution(executionArn=arn)


# --- owners ---------------------------------------------------------------------------------------


def paused_by_its_dead_token(token_id: str, **when: Any) -> str:
    schedule_id = created(token_id=token_id, **when)
    revoke_token(token_id)
    assert fire(schedule_id) is None
    return schedule_id


def test_another_token_takes_a_schedule_over_by_resuming_it(token_id: str, another: str) -> None:
    schedule_id = paused_by_its_dead_token(token_id, cron="0 * * * *")
    resumed = pause(schedule_id, paused=False, token_id=another).body
    assert (resumed["paused"], resumed["paused_because"]) == (False, None)
    assert resumed["token_id"] == another
    assert told(schedule_id)["State"] == "ENABLED"
    run_id = fire_entry(schedule_id, TEN_OCLOCK)
    assert runs() == [run_id]
    assert input_of(str(run_id))["token_id"] == another


def test_a_one_time_schedule_that_was_due_while_its_token_was_dead_runs_when_it_is_resumed(
    token_id: str, another: str, clock: Clock
) -> None:
    schedule_id = created(token_id=token_id, after_seconds=3600)
    revoke_token(token_id)
    clock.advance(3660)
    assert fire(schedule_id) is None
    assert (existing(), runs()) == ([schedule_id], [])
    resumed = pause(schedule_id, paused=False, token_id=another)
    assert (resumed.status, runs()) == (202, [resumed.body["run_id"]])
    assert (existing(), kept()) == ([], [])


def test_the_entry_of_a_past_time_is_written_for_later(token_id: str, clock: Clock) -> None:
    """EventBridge Scheduler refuses a past time, also of a paused schedule."""
    schedule_id = created(token_id=token_id, after_seconds=3600)
    revoke_token(token_id)
    clock.advance(3660)
    fire(schedule_id)
    at = told(schedule_id)["ScheduleExpression"].removeprefix("at(").removesuffix(")")
    assert datetime.fromisoformat(at).replace(tzinfo=UTC).timestamp() > clock()


def test_a_one_time_schedule_can_get_another_time_before_it_is_resumed(
    token_id: str, another: str, clock: Clock
) -> None:
    schedule_id = created(token_id=token_id, after_seconds=3600)
    revoke_token(token_id)
    clock.advance(3660)
    fire(schedule_id)
    resumed = change(schedule_id, at="2030-01-01T00:00Z", paused=False, token_id=another)
    assert (resumed.status, resumed.body["next_at"]) == (200, "2030-01-01T00:00:00Z")
    assert told(schedule_id)["ScheduleExpression"] == "at(2030-01-01T00:00:00)"


def test_a_schedule_that_a_client_paused_has_no_reason(token_id: str) -> None:
    schedule_id = created(every_seconds=3600, token_id=token_id)
    pause(schedule_id, token_id=token_id)
    assert read(schedule_id).body["paused_because"] is None


def test_a_list_tells_why_schedules_are_paused(token_id: str) -> None:
    schedule_id = paused_by_its_dead_token(token_id, every_seconds=3600)
    other = created(every_seconds=3600)
    rows = ask("GET /schedules").body["schedules"]
    reasons = {row["schedule_id"]: row["paused_because"] for row in rows}
    assert reasons == {schedule_id: "token_revoked", other: None}


def test_pausing_leaves_a_schedule_to_its_token(token_id: str, another: str) -> None:
    schedule_id = created(every_seconds=3600, token_id=token_id)
    assert pause(schedule_id, token_id=another).body["token_id"] == token_id
    assert change(schedule_id, parameters=OTHER, token_id=another).body["token_id"] == another


# --- a key ----------------------------------------------------------------------------------------


def forget_answers() -> None:
    """As if the process had died before the answer was kept."""
    table = next(
        name for name in admin("dynamodb").list_tables()["TableNames"] if "idempotency" in name
    )
    for item in admin("dynamodb").scan(TableName=table)["Items"]:
        admin("dynamodb").delete_item(TableName=table, Key={"call": item["call"]})


def test_a_request_that_died_half_way_makes_one_schedule_when_it_is_repeated(
    token_id: str,
) -> None:
    made = create(token_id=token_id, every_seconds=3600, key="once").body
    forget_answers()
    # The process may have died before the entry was made.
    admin("scheduler").delete_schedule(Name=made["schedule_id"], GroupName="schedules")
    for _ in range(2):
        again = create(token_id=token_id, every_seconds=3600, key="once")
        forget_answers()
        assert (again.status, again.body["schedule_id"]) == (201, made["schedule_id"])
        assert existing() == [made["schedule_id"]]


def test_another_request_with_the_same_key_is_refused_also_after_a_crash(token_id: str) -> None:
    create(token_id=token_id, every_seconds=3600, key="once")
    forget_answers()
    again = create(token_id=token_id, every_seconds=7200, key="once")
    assert (again.status, again.body["code"]) == (422, "idempotency_key_reused")
    assert len(existing()) == 1


def test_a_repeated_request_after_the_schedule_has_fired_runs_nothing_twice(
    token_id: str, clock: Clock
) -> None:
    made = create(token_id=token_id, after_seconds=120, key="once").body
    forget_answers()
    clock.advance(130)
    run_id = fire(made["schedule_id"])
    again = create(token_id=token_id, after_seconds=120, key="once").body
    clock.advance(130)
    assert (again["schedule_id"], fire(again["schedule_id"])) == (made["schedule_id"], run_id)
    assert runs() == [run_id]


# --- times ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("made", "changes", "expression", "shown"),
    [
        ({"cron": "0 9 * * *"}, {"cron": "0 10 * * 1"}, "cron(0 10 ? * MON *)", {}),
        (
            {"cron": "0 9 * * *", "timezone": "Europe/Berlin"},
            {"cron": "0 10 * * *"},
            "cron(0 10 * * ? *)",
            {"timezone": "Europe/Berlin"},
        ),
        (
            {"cron": "0 9 * * *"},
            {"timezone": "Europe/Berlin"},
            "cron(0 9 * * ? *)",
            {"timezone": "Europe/Berlin", "meaning": "at 09:00 every day (Europe/Berlin)"},
        ),
        (
            {"cron": "0 9 * * *", "ends_at": "2099-01-01T00:00Z"},
            {"every_seconds": 7200},
            "rate(120 minutes)",
            {"ends_at": "2099-01-01T00:00:00Z", "meaning": "every 2 hours"},
        ),
        (
            {"every_seconds": 3600},
            {"ends_at": "2099-01-01T00:00", "timezone": "Europe/Berlin"},
            "rate(60 minutes)",
            {"ends_at": "2098-12-31T23:00:00Z"},
        ),
        (
            {"every_seconds": 3600, "ends_at": "2099-01-01T00:00Z"},
            {"ends_at": "never"},
            "rate(60 minutes)",
            {"ends_at": None},
        ),
        (
            {"every_seconds": 3600, "ends_at": "2099-01-01T00:00Z"},
            {"at": "2030-01-01T09:00Z"},
            "at(2030-01-01T09:00:00)",
            {"ends_at": None, "next_at": "2030-01-01T09:00:00Z"},
        ),
        ({"after_seconds": 3600}, {"cron": "@daily"}, "cron(0 0 * * ? *)", {}),
    ],
)
def test_a_schedule_can_get_another_time(
    made: dict[str, Any], changes: dict[str, Any], expression: str, shown: dict[str, Any]
) -> None:
    schedule_id = created(**made)
    changed = change(schedule_id, **changes)
    assert changed.status == 200, changed.body
    assert changed.body == read(schedule_id).body
    assert changed.body | shown == changed.body
    about = told(schedule_id)
    assert about["ScheduleExpression"] == changed.body["expression"] == expression
    assert about["ScheduleExpressionTimezone"] == changed.body["timezone"]
    assert about["State"] == "ENABLED"


def test_an_end_that_changes_keeps_the_rhythm() -> None:
    reply = create(every_seconds=3600)
    changed = change(reply.body["schedule_id"], ends_at="2099-01-01T00:00Z")
    assert changed.body["next_at"] == reply.body["next_at"]


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({}, ""),
        ({"at": "2030-01-01T00:00Z", "cron": "@daily"}, ""),
        ({"cron": "x"}, "/cron"),
        ({"timezone": "Europe/Nowhere"}, "/timezone"),
        ({"ends_at": "2020-01-01T00:00Z"}, "/ends_at"),
        ({"at": "2030-01-01T00:00Z", "ends_at": "2031-01-01T00:00Z"}, "/ends_at"),
        ({"parameters": {"verification_id": 5}}, "/parameters/verification_id"),
        ({"at": "2030-01-01T00:00Z", "overlap": "skip"}, "/overlap"),
        ({"workflow": "verify_send"}, "/workflow"),
    ],
)
def test_an_invalid_change_changes_nothing(changes: dict[str, Any], pointer: str) -> None:
    schedule_id = created(cron="0 9 * * *")
    before, entry = read(schedule_id).body, told(schedule_id)
    refused = change(schedule_id, **changes)
    assert refused.status == 422
    assert [each["pointer"] for each in refused.body["errors"]] == [pointer]
    assert read(schedule_id).body == before
    assert told(schedule_id)["ScheduleExpression"] == entry["ScheduleExpression"]


def test_a_zone_alone_means_nothing_to_an_interval() -> None:
    refused = change(created(every_seconds=3600), timezone="Europe/Berlin")
    assert (refused.status, refused.body["errors"][0]["pointer"]) == (422, "/timezone")


def test_a_change_to_a_near_time_starts_the_run(token_id: str) -> None:
    schedule_id = created(after_seconds=3600, token_id=token_id)
    changed = change(schedule_id, after_seconds=0, token_id=token_id)
    assert (changed.status, runs()) == (202, [changed.body["run_id"]])
    assert (existing(), kept()) == ([], [])


def test_changed_parameters_are_those_that_run(token_id: str) -> None:
    schedule_id = created(every_seconds=3600, token_id=token_id)
    assert change(schedule_id, parameters=OTHER, token_id=token_id).body["parameters"] == OTHER
    assert items_of(str(fire(schedule_id))) == [OTHER]


def test_a_delivery_that_comes_again_after_the_parameters_changed_is_the_same_run(
    token_id: str,
) -> None:
    schedule_id = created(every_seconds=3600, token_id=token_id)
    run_id = fire(schedule_id)
    change(schedule_id, parameters=OTHER, token_id=token_id)
    assert fire(schedule_id) == run_id
    assert runs() == [run_id]


def test_a_schedule_that_is_firing_cannot_change(clock: Clock) -> None:
    schedule_id = created(after_seconds=3600)
    clock.advance(3600)
    assert change(schedule_id, parameters=OTHER).status == 409
    assert change(schedule_id, at="2030-01-01T00:00Z").status == 409


def test_a_due_time_whose_deliveries_all_failed_starts_by_resuming(
    clock: Clock, token_id: str
) -> None:
    schedule_id = created(after_seconds=3600, token_id=token_id)
    clock.advance(7200)
    resumed = pause(schedule_id, paused=False, token_id=token_id)
    assert (resumed.status, runs()) == (202, [resumed.body["run_id"]])


def test_a_cron_that_aws_refuses_leaves_the_time_that_was(
    monkeypatch: pytest.MonkeyPatch, token_id: str
) -> None:
    schedule_id = created(cron="0 9 * * *", token_id=token_id)

    def refuse(_: object) -> None:
        raise scheduler.CronRefused

    with monkeypatch.context() as patched:
        patched.setattr(scheduler, "put", refuse)
        refused = change(schedule_id, cron="0 10 * * *", token_id=token_id)
    assert (refused.status, refused.body["errors"][0]["pointer"]) == (422, "/cron")
    assert read(schedule_id).body["expression"] == "cron(0 9 * * ? *)"
    assert fire_entry(schedule_id, "2099-01-05T09:00:00Z") is not None


# --- crashes --------------------------------------------------------------------------------------


@pytest.fixture
def dies_before_the_entry(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Lets a call die after the definition was written."""

    def change_and_die(schedule_id: str, **changes: Any) -> None:
        with monkeypatch.context() as patched:
            patched.setattr(scheduler, "put", _die)
            assert change(schedule_id, **changes).status == 503

    return change_and_die


def _die(*_: object) -> None:
    raise Unavailable("the process dies here")


def test_a_series_whose_change_died_half_way_goes_on_at_its_new_times(
    dies_before_the_entry: Callable[..., None], token_id: str
) -> None:
    schedule_id = created(cron="0 10 * * *", token_id=token_id)
    dies_before_the_entry(schedule_id, cron="0 11 * * *", token_id=token_id)
    assert fire_entry(schedule_id, TEN_OCLOCK) is None  # the entry is the old one
    assert told(schedule_id)["ScheduleExpression"] == "cron(0 11 * * ? *)"
    run_id = fire_entry(schedule_id, ELEVEN_OCLOCK)
    assert runs() == [run_id]


def test_a_time_that_an_old_entry_shares_with_the_new_timing_starts(
    dies_before_the_entry: Callable[..., None], token_id: str
) -> None:
    schedule_id = created(cron="0 10 * * *", token_id=token_id)
    dies_before_the_entry(schedule_id, cron="0 10,11 * * *", token_id=token_id)
    assert fire_entry(schedule_id, TEN_OCLOCK) is not None
    assert told(schedule_id)["ScheduleExpression"] == "cron(0 10,11 * * ? *)"


def test_a_time_that_was_due_before_the_change_still_starts(token_id: str, clock: Clock) -> None:
    schedule_id = created(cron="0 10 * * *", token_id=token_id)
    due = datetime.fromtimestamp(clock() - 5, UTC).isoformat()
    change(schedule_id, cron="0 11 * * *", token_id=token_id)
    assert fire(schedule_id, due, revision=0) is not None
    assert told(schedule_id)["ScheduleExpression"] == "cron(0 11 * * ? *)"


def test_a_one_time_schedule_whose_move_died_half_way_runs_at_its_new_time(
    dies_before_the_entry: Callable[..., None], token_id: str, clock: Clock
) -> None:
    schedule_id = created(after_seconds=3600, token_id=token_id)
    dies_before_the_entry(schedule_id, after_seconds=7200, token_id=token_id)
    clock.advance(3600)
    assert fire_entry(schedule_id, DUE) is None
    assert (kept(), runs()) == ([f"schedules/{schedule_id}.json"], [])
    clock.advance(3600)
    run_id = fire_entry(schedule_id, DUE)
    assert (runs(), existing(), kept()) == ([run_id], [], [])


def test_a_move_while_the_schedule_fires_keeps_the_new_time(
    monkeypatch: pytest.MonkeyPatch, token_id: str
) -> None:
    schedule_id = created(after_seconds=3600, token_id=token_id)
    starting = definitions.find_stored

    def move_first(schedule_id: str) -> Any:
        monkeypatch.setattr("functions.core.schedules.fire.find_stored", starting)
        change(schedule_id, at="2030-01-01T00:00Z", token_id=token_id)
        return starting(schedule_id)

    monkeypatch.setattr("functions.core.schedules.fire.find_stored", move_first)
    assert fire(schedule_id) is not None
    assert read(schedule_id).body["next_at"] == "2030-01-01T00:00:00Z"
    assert told(schedule_id)["ScheduleExpression"] == "at(2030-01-01T00:00:00)"


def meanwhile(monkeypatch: pytest.MonkeyPatch, act: Callable[[], object]) -> None:
    """Does something between the next change of a definition and that of its entry."""
    putting = scheduler.put

    def act_first(entry: scheduler.Entry) -> None:
        monkeypatch.setattr(scheduler, "put", putting)
        act()
        putting(entry)

    monkeypatch.setattr(scheduler, "put", act_first)


def test_of_two_changes_at_the_same_moment_the_later_one_counts(
    monkeypatch: pytest.MonkeyPatch, token_id: str
) -> None:
    """Else the entry of the slower call would fire years after the time that is shown."""
    schedule_id = created(at="2028-01-01T00:00Z", token_id=token_id)
    meanwhile(monkeypatch, lambda: change(schedule_id, at="2027-06-01T00:00Z", token_id=token_id))
    change(schedule_id, at="2030-01-01T00:00Z", token_id=token_id)
    assert read(schedule_id).body["next_at"] == "2027-06-01T00:00:00Z"
    assert told(schedule_id)["ScheduleExpression"] == "at(2027-06-01T00:00:00)"


@pytest.mark.parametrize("paused", [True, False])
def test_a_change_of_the_time_and_a_pause_at_the_same_moment_both_count(
    monkeypatch: pytest.MonkeyPatch,
    token_id: str,
    paused: bool,  # noqa: FBT001 - a case
) -> None:
    schedule_id = created(every_seconds=3600, token_id=token_id)
    pause(schedule_id, paused=not paused, token_id=token_id)
    meanwhile(monkeypatch, lambda: pause(schedule_id, paused=paused, token_id=token_id))
    change(schedule_id, cron="0 11 * * *", token_id=token_id)
    entry = told(schedule_id)
    assert entry["State"] == ("DISABLED" if paused else "ENABLED")
    assert entry["ScheduleExpression"] == "cron(0 11 * * ? *)"
    assert read(schedule_id).body["paused"] is paused


@pytest.mark.parametrize("paused", [True, False])
def test_a_pause_and_a_resumption_that_died_half_way_start_nothing_until_they_are_repeated(
    monkeypatch: pytest.MonkeyPatch,
    token_id: str,
    paused: bool,  # noqa: FBT001 - a case
) -> None:
    schedule_id = created(every_seconds=3600, token_id=token_id)
    pause(schedule_id, paused=not paused, token_id=token_id)

    def die(_: object) -> None:
        raise Unavailable("no")

    with monkeypatch.context() as patched:
        patched.setattr(scheduler, "put", die)
        assert pause(schedule_id, paused=paused, token_id=token_id).status == 503
    assert read(schedule_id).body["paused"] is True
    assert ask("GET /schedules").body["schedules"][0]["paused"] is True
    if paused:
        assert fire_entry(schedule_id, TEN_OCLOCK) is None
        assert told(schedule_id)["State"] == "DISABLED"
    assert pause(schedule_id, paused=False, token_id=token_id).body["paused"] is False
    assert told(schedule_id)["State"] == "ENABLED"
    assert fire_entry(schedule_id, TEN_OCLOCK) is not None


def test_a_schedule_that_is_cancelled_while_it_is_paused_leaves_no_entry(
    monkeypatch: pytest.MonkeyPatch, token_id: str
) -> None:
    """A paused entry never fires, so nothing else would ever delete it."""
    schedule_id = created(every_seconds=3600, token_id=token_id)
    meanwhile(monkeypatch, lambda: cancel(schedule_id))
    pause(schedule_id, token_id=token_id)
    assert (kept(), existing()) == ([], [])


def test_a_single_time_is_not_skipped(token_id: str) -> None:
    schedule_id = created(every_seconds=3600, overlap="skip", token_id=token_id)
    run_now(schedule_id, token_id=token_id)
    changed = change(schedule_id, at="2030-01-01T00:00Z", token_id=token_id).body
    assert changed["overlap"] == "allow"
    assert fire_entry(schedule_id, DUE) is not None


def test_a_change_and_a_time_at_the_same_moment_lose_nothing_of_each_other(
    monkeypatch: pytest.MonkeyPatch, token_id: str
) -> None:
    schedule_id = created(every_seconds=3600, token_id=token_id)
    reading = definitions.find_stored
    fired: list[str | None] = []

    def fire_meanwhile(schedule_id: str) -> Any:
        monkeypatch.setattr(definitions, "find_stored", reading)
        stored = reading(schedule_id)
        fired.append(fire(schedule_id))
        return stored

    monkeypatch.setattr(definitions, "find_stored", fire_meanwhile)
    change(schedule_id, parameters=OTHER, token_id=token_id)
    shown = read(schedule_id).body
    assert (shown["parameters"], shown["last_run_id"]) == (OTHER, fired[0])


def test_a_schedule_that_is_cancelled_while_it_fires_stays_cancelled(
    monkeypatch: pytest.MonkeyPatch, token_id: str
) -> None:
    schedule_id = created(every_seconds=3600, token_id=token_id)
    reading = definitions.find_stored

    def cancel_meanwhile(schedule_id: str) -> Any:
        stored = reading(schedule_id)
        monkeypatch.setattr(definitions, "find_stored", reading)
        cancel(schedule_id)
        return stored

    monkeypatch.setattr(definitions, "find_stored", cancel_meanwhile)
    fire(schedule_id)
    assert (kept(), existing()) == ([], [])


def test_a_token_that_resumes_while_the_old_one_is_refused_stays_the_owner(
    monkeypatch: pytest.MonkeyPatch, token_id: str, another: str
) -> None:
    schedule_id = created(every_seconds=3600, token_id=token_id)
    revoke_token(token_id)

    def resume_meanwhile(metric: str, **_: object) -> None:
        assert metric == "ScheduleRefused"
        pause(schedule_id, paused=False, token_id=another)

    monkeypatch.setattr("functions.core.schedules.fire.count", resume_meanwhile)
    assert fire(schedule_id) is None
    shown = read(schedule_id).body
    assert (shown["token_id"], shown["paused"]) == (another, False)


# --- runs -----------------------------------------------------------------------------------------


def test_the_last_run_is_shown(token_id: str) -> None:
    schedule_id = created(cron="0 * * * *", token_id=token_id)
    run_id = fire(schedule_id, TEN_OCLOCK)
    shown = read(schedule_id).body
    assert (shown["last_run_id"], shown["last_at"]) == (run_id, TEN_OCLOCK)


def test_a_run_starts_now_beside_the_rhythm(token_id: str) -> None:
    reply = create(every_seconds=3600, token_id=token_id)
    schedule_id = reply.body["schedule_id"]
    started = run_now(schedule_id, token_id=token_id)
    assert (started.status, started.body["run_id"]) == (202, runs()[0])
    assert started.headers["location"] == f"/runs/{started.body['run_id']}"
    assert items_of(started.body["run_id"]) == [PARAMETERS]
    shown = read(schedule_id).body
    assert (shown["next_at"], shown["last_run_id"]) == (
        reply.body["next_at"],
        started.body["run_id"],
    )


def test_a_run_now_with_a_key_is_one_run(token_id: str) -> None:
    schedule_id = created(every_seconds=3600, token_id=token_id)
    key = {"idempotency-key": "now"}
    first, again = (run_now(schedule_id, token_id=token_id, headers=key) for _ in range(2))
    forget_answers()
    after_a_crash = run_now(schedule_id, token_id=token_id, headers=key)
    assert len({each.body["run_id"] for each in (first, again, after_a_crash)}) == 1
    assert len(runs()) == 1


def test_a_run_now_takes_no_parameters(token_id: str) -> None:
    """They would be ignored: a run has those of its schedule."""
    schedule_id = created(every_seconds=3600, token_id=token_id)
    refused = ask(
        "POST /schedules/{schedule_id}/run", {"parameters": OTHER}, schedule_id=schedule_id
    )
    assert (refused.status, runs()) == (422, [])
    assert refused.body["errors"][0]["pointer"] == "/parameters"


def test_a_missing_schedule_has_no_run() -> None:
    assert run_now("verify_delete.0123456789abcdef").status == 404
    assert run_now(created(every_seconds=60), scopes=("runs:write",)).status == 403


# --- overlap --------------------------------------------------------------------------------------


def test_a_time_is_skipped_while_a_run_of_the_schedule_is_under_way(
    token_id: str, capsys: pytest.CaptureFixture[str]
) -> None:
    schedule_id = created(cron="0 * * * *", token_id=token_id, overlap="skip")
    first = fire(schedule_id, TEN_OCLOCK)
    assert fire(schedule_id, ELEVEN_OCLOCK) is None
    assert runs() == [first]
    assert "ScheduleSkipped" in capsys.readouterr().out
    assert read(schedule_id).body["last_run_id"] == first
    end_run(str(first))
    assert fire(schedule_id, "2099-01-05T12:00:00Z") is not None


def test_a_repeated_delivery_is_no_overlap(
    token_id: str, capsys: pytest.CaptureFixture[str]
) -> None:
    schedule_id = created(cron="0 * * * *", token_id=token_id, overlap="skip")
    assert fire(schedule_id, TEN_OCLOCK) == fire(schedule_id, TEN_OCLOCK)
    assert "ScheduleSkipped" not in capsys.readouterr().out


def test_runs_overlap_by_default(token_id: str) -> None:
    schedule_id = created(cron="0 * * * *", token_id=token_id)
    fire(schedule_id, TEN_OCLOCK)
    assert fire(schedule_id, ELEVEN_OCLOCK) is not None


def test_an_older_run_that_is_still_under_way_counts(token_id: str) -> None:
    schedule_id = created(cron="0 * * * *", token_id=token_id, overlap="skip")
    first = fire(schedule_id, TEN_OCLOCK)
    end_run(run_now(schedule_id, token_id=token_id).body["run_id"])
    assert fire(schedule_id, ELEVEN_OCLOCK) is None
    end_run(str(first))
    assert fire(schedule_id, "2099-01-05T12:00:00Z") is not None


def test_a_skipped_time_is_an_event(token_id: str, settings: Settings) -> None:
    settings.set(EVENTS_URL="https://app.example.com/events")
    schedule_id = created(cron="0 * * * *", token_id=token_id, overlap="skip", group="g")
    first = fire(schedule_id, TEN_OCLOCK)
    for _ in range(2):  # a repeated delivery is the same event
        fire(schedule_id, ELEVEN_OCLOCK)
    (event,) = (run for run in runs() if run.startswith("deliver_event."))
    item, *_ = items_of(event)
    assert item.pop("event_id").startswith("evt_")
    assert item == {
        "type": "schedule.skipped",
        "occurred_at": ELEVEN_OCLOCK,
        "data": {
            "schedule_id": schedule_id,
            "workflow": "verify_delete",
            "group": "g",
            "scheduled_at": ELEVEN_OCLOCK,
            "run_id": first,
        },
    }
    assert input_of(event)["started_by"] == "schedules"
    record = records.find(event)
    assert record is not None
    assert json.loads(record.started_by)["kind"] == "event"


# --- dry runs -------------------------------------------------------------------------------------


def test_a_dry_run_tells_the_next_ten_times_and_makes_nothing() -> None:
    reply = create(cron="0 9 * * 1-5", timezone="Europe/Berlin", dry_run=True)
    assert (reply.status, len(reply.body["times"])) == (200, 10)
    assert reply.body["meaning"] == "at 09:00 from Monday to Friday (Europe/Berlin)"
    assert {time["local"][11:] for time in reply.body["times"]} == {"09:00:00"}
    assert (existing(), kept(), runs()) == ([], [], [])


def test_a_dry_run_marks_local_times_that_the_clocks_skip_and_repeat(clock: Clock) -> None:
    clock.advance(datetime(2027, 3, 27, tzinfo=UTC).timestamp() - clock())
    spring = create(cron="30 2 * * *", timezone="Europe/Berlin", dry_run=True).body["times"]
    assert spring[1] == {"at": None, "local": "2027-03-28T02:30:00", "clocks": "skipped"}
    assert (len(spring), sum(time["at"] is None for time in spring)) == (11, 1)
    clock.advance(datetime(2027, 10, 30, 12, tzinfo=UTC).timestamp() - clock())
    autumn = create(cron="30 2 * * *", timezone="Europe/Berlin", dry_run=True).body["times"]
    assert autumn[0] == {
        "at": "2027-10-31T00:30:00Z",
        "local": "2027-10-31T02:30:00",
        "clocks": "repeated",
    }


def test_a_dry_run_of_a_single_time_shows_it_in_the_zone() -> None:
    reply = create(at="2030-07-01T09:00", timezone="Europe/Berlin", dry_run=True).body
    assert reply["times"] == [
        {"at": "2030-07-01T07:00:00Z", "local": "2030-07-01T09:00:00", "clocks": None}
    ]


def test_a_dry_run_validates_the_parameters() -> None:
    refused = create(cron="@daily", parameters={"verification_id": 5}, dry_run=True)
    assert refused.status == 422


def test_the_token_of_nobody_is_not_asked_for_while_a_schedule_is_not_paused() -> None:
    assert read(created(every_seconds=3600, token_id=NOBODY)).body["paused_because"] is None
