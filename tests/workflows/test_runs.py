"""Runs: started from a list or by `Prefer: respond-async`, read, cancelled, repeated.

The e2e tests let them run.
"""

import json
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from functions.core.errors import Conflict, IdempotencyKeyReused, InvalidParameters, NotFound
from functions.core.http.problems import problem
from functions.core.runs import cancellation, execution
from functions.core.runs import start as starting
from functions.core.runs.execution import Execution, new_run_id, workflow_of
from functions.core.runs.files import ListedItem, Reference, read_item, read_references
from functions.core.runs.items import attempts, outcomes
from functions.core.runs.items.attempts import Attempt
from functions.core.runs.records import Counts
from functions.core.runs.retry import retry
from functions.core.runs.run import Run, cancel, describe
from functions.core.runs.start import start
from functions.core.workflow import Parameters, Result, workflow
from functions.core.workflow.handler import LambdaHandler
from functions.workflows.verify_check.handler import lambda_handler as verify_check
from tests.builders import Context, Reply, http_event
from tests.builders.run_records import close, finish, started_runs
from tests.workflows.conftest import Clock, admin

pytestmark = pytest.mark.usefixtures("cloud")

SCOPES = ("workflow:greet", "runs:write")
NAMES = [{"name": name} for name in ("Ana", "Eve", "Ida")]


class Greeting(Parameters):
    name: str


class Greeted(Result):
    text: str


def greet(greeting: Greeting) -> Greeted:
    return Greeted(text=f"Hello, {greeting.name}")


handler = workflow(greet)


def begun(run: Run) -> Execution:
    return execution.read(run.run_id)[0]


def items_of(run: Run) -> list[dict[str, Any]]:
    """Parameters of each item, as its function reads them."""
    about = begun(run)
    references = read_references(about.references_key) if run.total > 1 else [about.reference]
    return [read_item(about.items_key, each.start, each.length) for each in references]


def ask(
    body: object, prefer: str | None = "respond-async", to: LambdaHandler = handler, **options: Any
) -> Reply:
    event = http_event(body, **({"scopes": SCOPES} | options))
    event["headers"] |= {"Prefer": prefer} if prefer else {}
    answer = to(event, Context())
    return Reply(answer["statusCode"], answer["headers"], json.loads(answer["body"]))


def test_items_travel_by_reference_and_never_in_the_execution() -> None:
    run = start("greet", NAMES, token_id="0123456789abcdef")
    assert items_of(run) == NAMES
    _, about = execution.read(run.run_id)
    assert not any(item["name"] in about["input"] for item in NAMES)
    assert (begun(run).branch, begun(run).total, begun(run).token_id) == (
        "many",
        3,
        "0123456789abcdef",
    )


def test_a_run_begins_with_everything_pending() -> None:
    run = start("greet", NAMES, token_id=None)
    assert workflow_of(run.run_id) == run.workflow == "greet"
    assert (run.status, run.total, run.pending, run.running, run.succeeded, run.failed) == (
        "running",
        3,
        3,
        0,
        0,
        0,
    )
    assert len(run.run_id) <= 80


def test_parameters_common_to_all_stand_for_what_an_item_does_not_say() -> None:
    items: list[dict[str, Any]] = [{"a": 1}, {"a": None, "b": 2}, {"a": "", "c": None}]
    run = start("greet", items, token_id=None, parameters={"a": 0, "b": 0})
    assert items_of(run) == [{"a": 1, "b": 0}, {"a": 0, "b": 2}, {"a": 0, "b": 0, "c": None}]


def test_common_objects_are_merged_with_an_items_own() -> None:
    items: list[dict[str, Any]] = [{"data": {"name": "Ana"}}, {"data": '{"name": "Eve"}'}]
    run = start("greet", items, token_id=None, parameters={"data": {"url": "u"}}, lenient=True)
    assert items_of(run) == [
        {"data": {"name": "Ana", "url": "u"}},
        {"data": {"name": "Eve", "url": "u"}},
    ]


def test_references_keep_the_rows_of_items_that_have_one_also_in_a_retry() -> None:
    items = [ListedItem(name, row=row) for name, row in zip(NAMES, (2, 5, 6), strict=True)]
    run = start("greet", items, token_id=None)
    assert [each.row for each in read_references(begun(run).references_key)] == [2, 5, 6]
    finish(run.run_id, failed={1})
    assert begun(retry(run.run_id, token_id=None)).reference.row == 5
    assert begun(start("greet", NAMES[:1], token_id=None)).reference.row is None


@pytest.mark.parametrize(
    ("items", "interval", "branch"),
    [(NAMES[:1], 0, "one"), (NAMES[:1], 60, "one"), (NAMES, 0, "many"), (NAMES, 60, "paced")],
)
def test_how_many_and_how_fast_decide_how_they_run(
    items: list[dict[str, str]], interval: int, branch: str
) -> None:
    run = start("greet", items, token_id=None, interval_seconds=interval)
    assert (begun(run).branch, begun(run).interval_seconds) == (branch, interval)
    assert items_of(run) == items


def test_a_list_larger_than_a_part_is_uploaded_in_parts_as_it_is_read() -> None:
    items = ({"name": str(number) * 2_900_000} for number in range(5))
    run = start("greet", items, token_id=None)
    assert [item["name"][:2] for item in items_of(run)] == ["00", "11", "22", "33", "44"]
    size = admin("s3").head_object(Bucket="runs", Key=begun(run).items_key)["ContentLength"]
    assert size > 14_500_000


@pytest.mark.parametrize(
    ("items", "limit", "pointer"),
    [
        ([], {}, "/items"),
        (NAMES, {"MAX_ITEMS": 2}, "/items"),
        ([{"name": "x" * 99}], {"MAX_ITEM_BYTES": 50}, "/items/0"),
    ],
)
def test_a_run_that_cannot_run_whole_is_refused_and_nothing_of_it_runs(
    items: list[dict[str, Any]],
    limit: dict[str, int],
    pointer: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in limit.items():
        monkeypatch.setattr(starting, name, value)
    with pytest.raises(InvalidParameters) as refused:
        start("greet", items, token_id=None)
    assert [each.pointer for each in refused.value.errors] == [pointer]
    assert started_runs() == []


def test_a_list_that_cannot_be_read_to_its_end_starts_nothing() -> None:
    def unreadable() -> Iterator[dict[str, str]]:
        yield from NAMES
        raise InvalidParameters

    with pytest.raises(InvalidParameters):
        start("greet", unreadable(), token_id=None)
    assert started_runs() == []


def test_a_paced_run_that_would_outlast_its_items_is_refused() -> None:
    start("greet", NAMES, token_id=None, interval_seconds=3 * 86_400)
    with pytest.raises(InvalidParameters) as refused:
        start("greet", NAMES, token_id=None, interval_seconds=4 * 86_400)
    assert refused.value.errors[0].pointer == "/interval_seconds"


def test_the_same_seed_is_the_same_run_and_its_items_stay_those_it_was_started_with() -> None:
    run_id = new_run_id("greet", "a key")
    assert new_run_id("greet", "a key") == run_id != new_run_id("greet", "another key")
    first = start("greet", NAMES[:1], token_id=None, run_id=run_id)
    assert start("greet", NAMES[:1], token_id=None, run_id=run_id).run_id == first.run_id
    with pytest.raises(IdempotencyKeyReused):
        start("greet", NAMES[1:], token_id=None, run_id=run_id)
    assert items_of(first) == NAMES[:1]
    assert started_runs() == [run_id]


@pytest.mark.parametrize(
    "run_id", ["", "greet", "greet.x", f"greet.{'0' * 27}", f"../greet.{'0' * 26}", "a:b"]
)
def test_an_id_that_no_run_can_have_is_not_found(run_id: str) -> None:
    with pytest.raises(NotFound):
        describe(run_id)


def test_a_run_that_there_is_not_is_not_found() -> None:
    with pytest.raises(NotFound):
        describe(new_run_id("greet"))


def test_a_run_of_one_item_shows_its_result() -> None:
    run = start("greet", NAMES[:1], token_id=None)
    assert (describe(run.run_id).status, describe(run.run_id).pending) == ("running", 1)
    finish(run.run_id)
    assert (describe(run.run_id).succeeded, describe(run.run_id).result) == (1, {"index": 0})


def test_a_run_of_one_item_shows_its_problem() -> None:
    run = start("greet", NAMES[:1], token_id=None)
    finish(run.run_id, failed={0})
    shown = describe(run.run_id)
    assert shown.problem
    assert (shown.failed, shown.problem.code) == (1, "conflict")


def test_a_cancelled_run_stays_cancelled_and_its_items_never_start() -> None:
    run = start("greet", NAMES[:1], token_id=None)
    assert [cancel(run.run_id).run.status for _ in range(2)] == ["cancelled", "cancelled"]
    shown = describe(run.run_id)
    assert (shown.status, shown.pending, shown.finished_at is not None) == ("cancelled", 1, True)
    assert cancellation.is_cancelled(run.run_id)


def test_outcomes_are_paged_by_index() -> None:
    run = start("greet", [{"name": str(number)} for number in range(7)], token_id=None)
    finish(run.run_id, failed={1, 4, 5})
    cancellation.cancel(run.run_id)
    pages, after = [], None
    while True:
        page, after = outcomes.list_outcomes(run.run_id, after=after, limit=3)
        pages.append([each.index for each in page])
        if after is None:
            break
    assert pages == [[0, 1, 2], [3, 4, 5], [6]]
    failed, after = outcomes.list_outcomes(run.run_id, failed_only=True, limit=2)
    assert ([each.index for each in failed], after) == ([1, 4], 4)
    assert [
        each.index for each in outcomes.list_outcomes(run.run_id, failed_only=True, after=4)[0]
    ] == [5]
    assert outcomes.count_failed(run.run_id) == 3


def test_a_page_of_outcomes_fits_into_an_answer() -> None:
    for index in range(16):
        attempt = attempts.claim(f"greet.{'0' * 26}", index, 1_900_000_000)
        assert isinstance(attempt, Attempt)
        attempt.succeed(json.dumps("x" * 199_000))
    page, after = outcomes.list_outcomes(f"greet.{'0' * 26}")
    assert (len(page), after) == (15, 14)


def test_a_retry_runs_the_failed_items_only_under_their_old_ids() -> None:
    items = [{"name": str(number)} for number in range(5)]
    run = start("greet", items, token_id=None, parameters={"name": "x"}, interval_seconds=60)
    finish(run.run_id, failed={1, 3})
    again = retry(run.run_id, token_id="0123456789abcdef")
    about = begun(again)
    assert (again.total, about.origin_run_id, about.token_id) == (2, run.run_id, "0123456789abcdef")
    assert (about.items_key, about.branch, about.interval_seconds) == (
        begun(run).items_key,
        "paced",
        60,
    )
    assert [each.index for each in read_references(about.references_key)] == [1, 3]
    assert items_of(again) == [items[1], items[3]]


def test_a_retry_of_a_retry_knows_where_the_items_come_from() -> None:
    run = start("greet", NAMES, token_id=None)
    finish(run.run_id, failed={2})
    first = retry(run.run_id, token_id=None)
    assert (begun(first).branch, begun(first).reference.index) == ("one", 2)
    attempt = attempts.claim(first.run_id, 2, 1_900_000_000)
    assert isinstance(attempt, Attempt)
    attempt.fail(problem(Conflict("Still."), "request-1"))
    close(first.run_id, Counts(failed=1))
    second = begun(retry(first.run_id, token_id=None))
    assert (second.origin_run_id, second.reference) == (run.run_id, begun(first).reference)


def test_a_retry_is_refused_while_the_run_runs_when_nothing_failed_and_when_the_items_are_gone(
    clock: Clock,
) -> None:
    run = start("greet", NAMES, token_id=None)
    with pytest.raises(Conflict, match="not ended"):
        retry(run.run_id, token_id=None)
    finish(run.run_id)
    with pytest.raises(Conflict, match="Every item"):
        retry(run.run_id, token_id=None)
    failed = start("greet", NAMES, token_id=None)
    finish(failed.run_id, failed={0})
    clock.advance(7 * 86_400 + 1)
    with pytest.raises(Conflict, match="deleted after 7 days"):
        retry(failed.run_id, token_id=None)


def test_respond_async_answers_202_with_the_run() -> None:
    reply = ask({"name": "Ana"})
    run_id = reply.body["run_id"]
    assert reply.status == 202
    assert reply.headers["location"] == f"/runs/{run_id}"
    assert reply.headers["preference-applied"] == "respond-async"
    assert reply.body == msgspec.to_builtins(msgspec.convert(reply.body, Run))
    assert (reply.body["status"], reply.body["total"], reply.body["result"]) == ("running", 1, None)
    run = msgspec.convert(reply.body, Run)
    assert (items_of(run), begun(run).token_id) == ([{"name": "Ana"}], "0123456789abcdef")


def test_without_the_preference_the_answer_is_the_result() -> None:
    assert ask({"name": "Ana"}, prefer=None).body == {"text": "Hello, Ana"}


@pytest.mark.parametrize(
    ("body", "options", "status", "code"),
    [
        ({"nmae": "Ana"}, {}, 422, "invalid_parameters"),
        ({"name": "Ana"}, {"scopes": ("workflow:greet",)}, 403, "not_permitted"),
        ({"name": "Ana"}, {"scopes": ("runs:write",)}, 403, "not_permitted"),
        ({"name": "Ana"}, {"kind": "publishable"}, 403, "not_permitted"),
    ],
)
def test_respond_async_refuses_at_once_what_could_not_run(
    body: dict[str, str], options: dict[str, Any], status: int, code: str
) -> None:
    reply = ask(body, **options)
    assert (reply.status, reply.body["code"]) == (status, code)
    assert started_runs() == []


def test_a_publishable_token_never_starts_a_run_whatever_it_holds() -> None:
    def verify_send(_: Greeting) -> Greeted:
        raise AssertionError

    scopes = ("workflow:verify_send", "runs:write")
    reply = ask(
        {"name": "Ana"},
        to=workflow(verify_send, publishable=True),
        kind="publishable",
        scopes=scopes,
    )
    assert (reply.status, reply.body["detail"]) == (403, "The token lacks the scope runs:write.")


def test_a_check_does_not_run_in_the_background() -> None:
    reply = ask(
        {"verification_id": "k1.x", "code": "1"},
        to=verify_check,
        scopes=("workflow:verify_check", "runs:write"),
    )
    assert (reply.status, reply.body["code"]) == (422, "not_in_background")


def test_a_reference_is_a_range_of_bytes_whatever_the_letters() -> None:
    run = start("greet", [{"name": "Zoë"}, {"name": "林"}, {"name": "😀"}], token_id=None)
    assert [item["name"] for item in items_of(run)] == ["Zoë", "林", "😀"]
    assert next(iter(read_references(begun(run).references_key))) == Reference(0, 0, 15)


def test_the_same_key_is_the_same_run_also_where_the_first_answer_was_lost() -> None:
    def send() -> Reply:
        reply = ask({"name": "Ana"}, headers={"idempotency-key": "hello-ana"})
        for item in admin("dynamodb").scan(TableName="local-idempotency")["Items"]:
            admin("dynamodb").delete_item(TableName="local-idempotency", Key={"call": item["call"]})
        return reply

    assert send().body["run_id"] == send().body["run_id"]
    assert ask({"name": "Ana"}).body["run_id"] != send().body["run_id"]
