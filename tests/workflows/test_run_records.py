"""Records of runs: lists with filters, starters, ends, and what closes a record that was missed."""

import io
import json
from typing import Any

import pytest

from functions.api.runs import ending
from functions.api.runs.handler import lambda_handler
from functions.core import clock as times
from functions.core.aws import step_functions
from functions.core.errors import IdempotencyKeyReused, Unavailable
from functions.core.runs import cancellation, execution, listing, records
from functions.core.runs.files import read_item
from functions.core.runs.items import attempts, outcomes
from functions.core.runs.items.attempts import Attempt
from functions.core.runs.lineage import Lineage
from functions.core.runs.records import Counts, RunRecord
from functions.core.runs.retry import retry
from functions.core.runs.run import Run, describe
from functions.core.runs.start import start
from tests.builders import Context, Reply, http_event
from tests.builders.run_records import close, finish, started_runs
from tests.workflows.conftest import Clock, Settings, admin

pytestmark = pytest.mark.usefixtures("cloud")

DELETE, EMAIL = "verify_delete", "send_email_template"
SCOPES = ("runs:read", "runs:write", f"workflow:{DELETE}", f"workflow:{EMAIL}")
ITEM = {"verification_id": "k1.one"}


def ask(route: str, query: str = "", *, run_id: str = "", **options: Any) -> Reply:
    event = http_event(None, query=query, **({"scopes": SCOPES} | options))
    event |= {"routeKey": route, "pathParameters": {"run_id": run_id}}
    answer = lambda_handler(event, Context())
    return Reply(answer["statusCode"], answer["headers"], json.loads(answer["body"]))


def listed(query: str = "", **options: Any) -> list[str]:
    """Ids of all pages."""
    found, cursor = [], ""
    while True:
        page = ask("GET /runs", "&".join(filter(None, [query, cursor])), **options).body
        found += [run["run_id"] for run in page["runs"]]
        if page["cursor"] is None:
            return found
        cursor = f"cursor={page['cursor']}"


def begin(workflow: str = DELETE, items: int = 1, **options: Any) -> Run:
    options = {"token_id": "0123456789abcdef", "started_by": "api"} | options
    return start(workflow, [ITEM] * items, **options)


def end(run: Run, counted: dict[str, int] | None = None, error: str = "") -> dict[str, Any]:
    """The last state of RunWorkflow; moto counts no items of a list."""
    state = json.loads(execution.read(run.run_id)[1]["input"])
    state |= {"failure": {"Error": error}} if error else {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(execution, "count_items", lambda _: counted or {})
        return dict(lambda_handler({"trigger": "end", "execution": state}, Context()))


def succeed(run: Run, index: int = 0) -> None:
    attempt = attempts.claim(run.run_id, index, 1_900_000_000)
    assert isinstance(attempt, Attempt)
    attempt.succeed("{}")


def test_runs_are_listed_newest_first_over_all_workflows_and_statuses(clock: Clock) -> None:
    made = []
    for number in range(7):
        clock.advance(1)
        made.append(begin(DELETE if number % 2 else EMAIL).run_id)
    finish(made[3])
    finish(made[4], failed={0})
    assert listed() == made[::-1]
    assert listed("limit=2") == made[::-1]
    assert ask("GET /runs", "limit=7").body["cursor"] is None, "there is no other page"


def test_runs_are_listed_by_status_by_workflow_and_by_schedule(clock: Clock) -> None:
    made = []
    for number in range(6):
        clock.advance(1)
        schedule = "verify_delete.g78l59dn560nfdmf" if number % 3 == 0 else None
        made.append(begin(DELETE if number < 4 else EMAIL, items=2, schedule_id=schedule).run_id)
    finish(made[0])
    finish(made[1], failed={0})
    finish(made[2], failed={0, 1})
    assert [listed(f"status={each}") for each in ("succeeded", "partly_failed", "failed")] == [
        [made[0]],
        [made[1]],
        [made[2]],
    ]
    assert listed("status=running") == [made[5], made[4], made[3]]
    assert listed(f"workflow={EMAIL}") == [made[5], made[4]]
    assert listed("schedule_id=verify_delete.g78l59dn560nfdmf&limit=1") == [made[3], made[0]]
    assert listed("status=succeeded&workflow=send_email_template") == []


def test_runs_of_a_schedule_are_looked_for_among_those_of_its_workflow(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A request to DynamoDB for each workflow and shelf would cost more with each workflow."""
    asked: list[list[str]] = []

    def page(workflows: list[str], **_: Any) -> tuple[list[RunRecord], None]:
        asked.append(workflows)
        return [], None

    monkeypatch.setattr(listing, "page", page)
    listed("schedule_id=night.verify_delete.g78l59dn560nfdmf")
    listed("schedule_id=verify_delete.g78l59dn560nfdmf&workflow=send_email_template")
    listed("schedule_id=verify_check.g78l59dn560nfdmf")
    listed("schedule_id=none")
    assert asked == [[DELETE], [], [], []]


def test_a_token_lists_the_runs_of_its_workflows_and_may_not_ask_for_others() -> None:
    mine = begin(DELETE).run_id
    begin(EMAIL)
    few = ("runs:read", f"workflow:{DELETE}")
    assert listed(scopes=few) == [mine]
    refused = ask("GET /runs", f"workflow={EMAIL}", scopes=few)
    assert (refused.status, refused.body["code"]) == (403, "not_permitted")


@pytest.mark.parametrize("query", ["status=done", "cursor=eA", "cursor=!", "workflow=a&workflow=b"])
def test_a_query_that_means_nothing_is_refused(query: str) -> None:
    assert ask("GET /runs", query).status == 422


@pytest.mark.parametrize(
    ("options", "shown"),
    [
        ({}, {"kind": "token", "id": "0123456789abcdef", "index": None}),
        (
            {"started_by": "schedule", "schedule_id": "verify_delete.g78l59dn560nfdmf"},
            {"kind": "schedule", "id": "verify_delete.g78l59dn560nfdmf", "index": None},
        ),
        (
            {"started_by": "webhook:github:repo", "token_id": "webhook:repo"},
            {"kind": "webhook", "id": "repo", "index": None},
        ),
        ({"started_by": "events"}, {"kind": "event", "id": None, "index": None}),
        ({"started_by": "workflow:onboard"}, {"kind": "workflow", "id": "onboard", "index": None}),
        (
            {
                "started_by": "workflow:onboard",
                "lineage": Lineage(ancestors=("a.1", "onboard.2"), index=7, depth=2),
            },
            {"kind": "run", "id": "onboard.2", "index": 7},
        ),
    ],
)
def test_a_run_says_who_started_it(options: dict[str, Any], shown: dict[str, Any]) -> None:
    run = begin(**options)
    assert ask("GET /runs/{run_id}", run_id=run.run_id).body["started_by"] == shown
    assert ask("GET /runs").body["runs"][0]["started_by"] == shown


def test_the_last_state_of_a_run_records_its_end() -> None:
    run = begin()
    succeed(run)
    assert end(run) == {"status": "succeeded"}
    (shown,) = ask("GET /runs").body["runs"]
    assert (shown["status"], shown["succeeded"], shown["failed"]) == ("succeeded", 1, 0)
    assert shown["finished_at"] is not None


@pytest.mark.parametrize(
    ("counted", "status"),
    [
        ({"succeeded": 3}, "succeeded"),
        ({"succeeded": 2, "failed": 1}, "partly_failed"),
        ({"failed": 2, "timedOut": 1}, "failed"),
    ],
)
def test_counts_of_the_items_decide_the_status_of_a_list(
    counted: dict[str, int], status: str
) -> None:
    run = begin(items=3)
    assert end(run, counted) == {"status": status}
    shown = describe(run.run_id)
    assert (shown.status, shown.succeeded, shown.pending) == (
        status,
        counted.get("succeeded", 0),
        0,
    )


def test_counts_that_do_not_add_up_yet_are_asked_for_again(log: io.StringIO) -> None:
    run = begin(items=3)
    with pytest.raises(Unavailable):
        end(run, {"succeeded": 1, "running": 1})
    assert describe(run.run_id).status == "running"
    assert end(run, {"succeeded": 3}) == {"status": "succeeded"}
    assert "unavailable" in log.getvalue()


def test_a_list_that_step_functions_could_not_run_has_failed_and_says_why() -> None:
    run = begin(items=3)
    assert end(run, error="States.ItemReaderFailed") == {"status": "failed"}
    shown = describe(run.run_id)
    assert shown.problem
    assert (shown.problem.code, shown.pending) == ("run_failed", 3)
    assert "States.ItemReaderFailed" in shown.problem.detail


def test_the_end_of_a_run_is_told_once_however_often_it_is_reported(settings: Settings) -> None:
    settings.set(EVENTS_URL="https://app.example.com/events")
    run = begin(items=3)
    for _ in range(2):
        end(run, {"succeeded": 2, "failed": 1})
    (told,) = [each for each in started_runs() if each.startswith("deliver_event.")]
    begun, _ = execution.read(told)
    event = read_item(begun.items_key, begun.reference.start, begun.reference.length)
    assert (event["type"], begun.started_by) == ("run.finished", "events")
    assert event["data"] == {
        "run_id": run.run_id,
        "workflow": DELETE,
        "status": "partly_failed",
        "started_by": {"kind": "token", "id": "0123456789abcdef", "index": None},
        "retry_of": None,
        "total": 3,
        "succeeded": 2,
        "failed": 1,
        "skipped": 0,
        "started_at": event["data"]["started_at"],
        "finished_at": event["data"]["finished_at"],
        "problem_code": None,
    }


def test_a_failed_run_is_another_event_and_a_metric(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    settings.set(EVENTS_URL="https://app.example.com/events", EVENT_TYPES="run.failed")
    for counted in ({"succeeded": 2}, {"failed": 2}):
        end(begin(items=2), counted)
    assert len([each for each in started_runs() if each.startswith("deliver_event.")]) == 1
    assert capsys.readouterr().out.count('"RunFailed":[1.0]') == 1


def test_a_delivery_of_an_event_makes_no_other_event(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    settings.set(EVENTS_URL="https://app.example.com/events")
    end(begin("deliver_event", items=2, started_by="events"), {"failed": 2})
    assert len(started_runs()) == 1
    assert "RunFailed" not in capsys.readouterr().out


def test_a_run_that_is_cancelled_is_told_at_once(settings: Settings) -> None:
    settings.set(EVENTS_URL="https://app.example.com/events")
    run = begin()
    for _ in range(2):
        assert ask("DELETE /runs/{run_id}", run_id=run.run_id).body["status"] == "cancelled"
    assert len([each for each in started_runs() if each.startswith("deliver_event.")]) == 1


def test_a_run_that_somebody_stops_in_aws_is_closed_by_its_status_change() -> None:
    run = begin(items=3)
    execution.stop(run.run_id)
    change = {
        "source": "aws.states",
        "detail": {"name": run.run_id, "status": "ABORTED"},
    }
    assert lambda_handler(change, Context()) == {"closed": 1}
    assert lambda_handler(change, Context()) == {"closed": 0}
    assert listed("status=cancelled") == [run.run_id]


def test_a_status_change_of_an_execution_that_is_no_run_changes_nothing() -> None:
    change = {"source": "aws.states", "detail": {"name": "by-hand", "status": "ABORTED"}}
    assert lambda_handler(change, Context()) == {"closed": 0}


def test_the_sweep_closes_what_is_over_and_leaves_what_runs(clock: Clock) -> None:
    over, still = begin(), begin()
    execution.stop(over.run_id)
    assert lambda_handler({"trigger": "sweep"}, Context()) == {"closed": 0}, "too young"
    clock.advance(121)
    assert lambda_handler({"trigger": "sweep"}, Context()) == {"closed": 1}
    assert listed("status=running") == [still.run_id]
    assert listed("status=cancelled") == [over.run_id]


def test_a_run_whose_start_died_half_way_is_started_by_the_repeated_request(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run_id = execution.new_run_id(DELETE, "a key")

    def dies(*_: object) -> bool:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(step_functions, "start", dies)
        with pytest.raises(KeyboardInterrupt):
            begin(run_id=run_id)
    assert not execution.exists(run_id)
    assert begin(run_id=run_id).run_id == run_id
    assert execution.exists(run_id)
    assert listed() == [run_id]


def test_a_run_whose_start_died_half_way_says_so_in_time(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unavailable(*_: object) -> bool:
        raise Unavailable("Step Functions is away.")

    with monkeypatch.context() as patch:
        patch.setattr(step_functions, "start", unavailable)
        with pytest.raises(Unavailable):
            begin()
    (run_id,) = listed()
    assert describe(run_id).status == "running"
    clock.advance(121)
    assert describe(run_id).status == "failed"
    assert lambda_handler({"trigger": "sweep"}, Context()) == {"closed": 1}
    problem = describe(run_id).problem
    assert problem
    assert problem.detail == "The run was never started. Start a new one."


def test_a_run_that_was_closed_before_it_started_starts_by_the_repeated_request(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A delivery of a webhook or a schedule comes again after Step Functions was away for long."""

    def unavailable(*_: object) -> bool:
        raise Unavailable("Step Functions is away.")

    run_id = execution.new_run_id(DELETE, "a key")
    with monkeypatch.context() as patch:
        patch.setattr(step_functions, "start", unavailable)
        with pytest.raises(Unavailable):
            begin(run_id=run_id)
    clock.advance(900)
    assert lambda_handler({"trigger": "sweep"}, Context()) == {"closed": 1}
    again = begin(run_id=run_id)
    assert (again.status, again.finished_at, again.problem) == ("running", None, None)
    assert execution.exists(run_id)
    assert listed("status=running") == [run_id]
    assert describe(run_id).status == "running"
    assert lambda_handler({"trigger": "sweep"}, Context()) == {"closed": 0}


def test_a_run_that_failed_is_not_started_by_the_repeated_request() -> None:
    run = begin(items=2, run_id=execution.new_run_id(DELETE, "a key"))
    finish(run.run_id, failed={0, 1})
    assert begin(items=2, run_id=run.run_id).status == "failed"
    assert listed("status=failed") == [run.run_id]


def test_a_record_is_written_before_the_execution_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[object] = []
    start_execution = step_functions.start

    def looks(machine: str, name: str, content: str) -> bool:
        seen.append(records.find(name))
        return start_execution(machine, name, content)

    monkeypatch.setattr(step_functions, "start", looks)
    begin()
    assert None not in seen
    assert len(seen) == 1


def test_a_record_expires_thirty_days_after_the_end_of_its_run() -> None:
    run = begin()
    close(run.run_id, Counts(succeeded=1))
    stored = admin("dynamodb").get_item(TableName="local-runs", Key={"run_id": {"S": run.run_id}})[
        "Item"
    ]
    left = float(stored["delete_at"]["N"]) - times.now()
    assert 30 * 86_400 - 60 <= left <= 30 * 86_400


def test_a_record_that_cannot_be_closed_keeps_no_other_from_being_closed(
    clock: Clock, monkeypatch: pytest.MonkeyPatch, log: io.StringIO
) -> None:
    made = [begin().run_id for _ in range(3)]
    for run_id in made:
        execution.stop(run_id)
    clock.advance(121)
    find = records.find

    def fails_for_one(run_id: str) -> Any:
        if run_id == made[1]:
            raise ValueError("It cannot be read.")
        return find(run_id)

    with monkeypatch.context() as patch:
        patch.setattr(records, "find", fails_for_one)
        assert lambda_handler({"trigger": "sweep"}, Context()) == {"closed": 2}
    assert made[1] in log.getvalue()
    assert lambda_handler({"trigger": "sweep"}, Context()) == {"closed": 1}


def test_a_sweep_that_dies_after_the_close_has_told_of_the_end(
    settings: Settings, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.set(EVENTS_URL="https://app.example.com/events")
    execution.stop(begin().run_id)
    clock.advance(121)

    def dies(*_: object, **__: object) -> Any:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(ending, "settle", dies)
        with pytest.raises(KeyboardInterrupt):
            lambda_handler({"trigger": "sweep"}, Context())
    assert len([each for each in started_runs() if each.startswith("deliver_event.")]) == 1


def test_a_run_whose_items_had_all_ended_when_it_was_cancelled_is_not_cancelled() -> None:
    run = begin(items=2)
    for index in range(2):
        succeed(run, index)
    cancellation.cancel(run.run_id, 1_900_000_000)
    assert end(run, {"succeeded": 2}) == {"status": "succeeded"}


def test_skipped_items_that_the_map_run_has_not_counted_yet_are_not_counted_twice(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run = begin(items=10)
    monkeypatch.setattr(execution, "count_items", lambda _: {"succeeded": 5, "running": 5})
    monkeypatch.setattr(outcomes, "tally", lambda _: outcomes.Tally(7, 0, 0, 0))
    shown = describe(run.run_id)
    assert (shown.pending, shown.running, shown.succeeded, shown.skipped) == (0, 5, 0, 5)


def test_a_retry_takes_all_items_where_a_failure_is_missing_in_the_index() -> None:
    run = begin(items=3)
    for index in range(2):
        succeed(run, index)
    close(run.run_id, Counts(succeeded=2, failed=1))
    again = retry(run.run_id, token_id=None)
    assert (again.total, execution.read(again.run_id)[0].lineage.continues) == (3, (run.run_id,))


def test_the_same_key_is_the_same_run_when_its_items_are_deleted() -> None:
    """S3 deletes them after 7 days, and the record stays."""
    run_id = execution.new_run_id(DELETE, "a key")
    run = begin(run_id=run_id)
    close(run_id, Counts(succeeded=1))
    files = admin("s3").list_objects_v2(Bucket="runs", Prefix=f"runs/{run_id}/")["Contents"]
    for each in files:
        admin("s3").delete_object(Bucket="runs", Key=each["Key"])
    assert begin(run_id=run_id).run_id == run.run_id
    with pytest.raises(IdempotencyKeyReused):
        start(DELETE, [{"verification_id": "k1.two"}], token_id=None, run_id=run_id)


def test_the_same_key_is_the_run_that_step_functions_knows_when_its_record_is_gone(
    settings: Settings,
) -> None:
    settings.set(EVENTS_URL="https://app.example.com/events")
    run_id = execution.new_run_id(DELETE, "a key")
    begin(run_id=run_id)
    execution.stop(run_id)
    admin("dynamodb").delete_item(TableName="local-runs", Key={"run_id": {"S": run_id}})
    assert begin(run_id=run_id).status == "cancelled"
    assert listed("status=running") == []
    assert not [each for each in started_runs() if each.startswith("deliver_event.")]


def test_a_run_that_ended_as_a_whole_with_its_item_unfinished_can_be_retried() -> None:
    run = begin(items=1)
    assert isinstance(attempts.claim(run.run_id, 0, 1_900_000_000), Attempt)
    assert end(run, error="States.ServiceRestart") == {"status": "failed"}
    again = describe(retry(run.run_id, token_id=None).run_id)
    assert (again.retry_of, again.total) == (run.run_id, 1)
