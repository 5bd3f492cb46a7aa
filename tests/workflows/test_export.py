"""Exported runs and single items: what a list had, and how each item ended."""

import csv
import io
import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.api.runs.handler import lambda_handler
from functions.api.runs.lists import formulas, read_items
from functions.core.parameters import Parameters, read_parameters
from functions.core.runs.files import ListedItem
from functions.core.runs.items import references
from functions.core.runs.items.attempts import Attempt, claim
from functions.core.runs.items.steps import Step, StepRecords
from functions.core.runs.retry import retry
from functions.core.runs.run import cancel
from functions.core.runs.start import start
from tests.builders import Context, Reply, http_event
from tests.builders.run_records import finish
from tests.clock import Clock
from tests.workflows.conftest import admin

WORKFLOW = "send_email_template"
SCOPES = ("runs:read", f"workflow:{WORKFLOW}")
EXPORT = "POST /runs/{run_id}/export"
ITEM = "GET /runs/{run_id}/items/{index}"
DAY = 86_400
Row = dict[str, str]


@pytest.fixture(autouse=True)
def account(cloud: None) -> None:
    """Each test has an account."""


def ask(route: str, run_id: str, index: object = None, **options: Any) -> Reply:
    event = http_event({} if route.startswith("POST") else None, **({"scopes": SCOPES} | options))
    event |= {"routeKey": route, "pathParameters": {"run_id": run_id, "index": str(index)}}
    answer = lambda_handler(event, Context())
    return Reply(answer["statusCode"], answer["headers"], json.loads(answer["body"]))


def run_of(*items: dict[str, Any], **options: Any) -> str:
    return start(WORKFLOW, items, token_id="0123456789abcdef", **options).run_id


def file_of(run_id: str) -> bytes:
    """The exported file, downloaded as a client does."""
    made = ask(EXPORT, run_id)
    assert made.status == 201, made.body
    key = urlsplit(made.body["url"]).path.rpartition("runs/" + run_id)[2]
    content: bytes = admin("s3").get_object(Bucket="runs", Key=f"runs/{run_id}{key}")["Body"].read()
    return content


def rows_of(run_id: str) -> list[Row]:
    return list(csv.DictReader(io.StringIO(file_of(run_id).decode("utf-8-sig"), newline="")))


def read_back(run_id: str) -> list[dict[str, Any]]:
    """The exported file, as an upload of it is read."""
    return [dict(item) for item in read_items(io.BytesIO(file_of(run_id)), "csv")]


def failed(*items: dict[str, Any], **options: Any) -> str:
    """A run all items of which have failed."""
    run_id = run_of(*items, **options)
    finish(run_id, failed=set(range(len(items))))
    return run_id


def is_refused(run_id: str, sentence: str) -> bool:
    reply = ask(EXPORT, run_id)
    return (reply.status, reply.body["code"]) == (409, "conflict") and sentence in reply.body[
        "detail"
    ]


# --- the file -------------------------------------------------------------------------------------


def test_an_export_has_a_row_for_each_item_with_its_end_and_its_parameters() -> None:
    run_id = run_of(
        ListedItem({"to": "a@example.com", "data": {"name": "Ána"}}, row=2),
        ListedItem({"to": "b@example.com"}, row=5),
        parameters={"template": "welcome"},
    )
    finish(run_id, failed={1})
    assert rows_of(run_id) == [
        {
            "row": "2",
            "status": "succeeded",
            "result": '{"index": 0}',
            "problem": "",
            "detail": "",
            "template": "welcome",
            "to": "a@example.com",
            "data.name": "Ána",
        },
        {
            "row": "5",
            "status": "failed",
            "result": "",
            "problem": "conflict",
            "detail": "It is so.",
            "template": "welcome",
            "to": "b@example.com",
            "data.name": "",
        },
    ]


def test_it_is_a_csv_for_spreadsheets_behind_a_url_for_a_quarter_of_an_hour() -> None:
    run_id = failed({"to": "a@example.com"})
    assert file_of(run_id).startswith(b"\xef\xbb\xbfrow,status,")
    made = ask(EXPORT, run_id)
    query = parse_qs(urlsplit(made.body["url"]).query)
    assert query["response-content-type"] == ["text/csv; charset=utf-8"]
    assert query["response-content-disposition"] == [f'attachment; filename="{run_id}.csv"']
    assert query["X-Amz-Expires"] == ["900"]
    assert set(made.body) == {"url", "expires_at"}


def test_an_export_that_was_corrected_is_uploaded_as_it_is() -> None:
    run_id = run_of({"to": "a@example.com"}, {"to": "b@example,com"}, {"to": "c@example.com"})
    finish(run_id, failed={1})
    corrected = file_of(run_id).replace(b'"b@example,com"', b"b@example.com")
    assert [dict(item) for item in read_items(io.BytesIO(corrected), "csv")] == [
        {"to": "b@example.com"}
    ]


class Everything(Parameters):
    """Parameters of every kind."""

    name: str | None = None
    count: int | None = None
    share: float | None = None
    sure: bool | None = None
    tags: list[str] | None = None
    data: dict[str, Any] | None = None
    status: str | None = None


ITEMS: list[list[dict[str, Any]]] = [
    [{"name": "5"}, {"name": "null"}, {"name": " x "}, {"name": 'a,b;"c"\t'}, {"name": "\ufeffx"}],
    [{"name": "one\r\ntwo"}, {"name": "one\rtwo"}, {"name": "one\ntwo\n"}, {"name": '{"a":1}'}],
    [{"count": -5}, {"count": 2**53}, {"share": 0.1}, {"share": -1e-7}, {"sure": True}],
    [{"tags": []}, {"tags": ["a", "b"]}, {}],
    [{"tags": ["a"]}, {"tags": ["a", "b,c", "d"]}],
    [{"tags": [str(place) for place in range(12)]}],
    [{"data": {"a": "x", "b": {"c": ["y", {"d": "z"}]}}}, {"data": {"a": "v"}}],
    [{"data": {"a": "x"}}, {"data": {"a": 5}}, {"data": {"a": "5"}}],
    [{"data": {"a": "x"}}, {"data": {"a": ""}}, {"data": {"a": None}}, {"data": {"a": " "}}],
    [{"data": {"a": {}}}, {"data": {}}, {"data": {"a": []}}],
    [{"data": {"a": "x"}}, {"data": {"a": {"b": "x"}}}, {"data": {"a": ["x"]}}],
    [{"data": {"0": "x", "1": "y"}}],
    [{"data": {"a b": "x"}}],
    [{"data": {"c.d": "y"}}],
    [{"data": {"": "z"}}],
    [{"data": {f"user{n}": "x" for n in range(101)}}],
    [{"data": {"a": {"b": {"c": {"d": {"e": {"f": {"g": {"h": {"i": "x"}}}}}}}}}}],
    [{"status": "succeeded"}, {"status": "failed"}],
]


@pytest.mark.parametrize("items", ITEMS)
def test_parameters_are_read_back_as_they_were(items: list[dict[str, Any]]) -> None:
    before = [read_parameters(Everything, item) for item in items]
    uploaded = read_back(failed(*items))
    assert [read_parameters(Everything, item, strict=False) for item in uploaded] == before


def test_texts_within_an_object_have_columns_and_other_values_make_it_json() -> None:
    assert list(rows_of(failed({"data": {"p": ["x"], "n": "y"}}, {"data": {"p": ["x", "z"]}}))[0])[
        5:
    ] == ["data.p.0", "data.p.1", "data.n"]
    assert [row["data"] for row in rows_of(failed({"data": {"n": 5}}, {"data": {"n": "5"}}))] == [
        '{"n":5}',
        '{"n":"5"}',
    ]


WIDE = "\uff1d"
"""A wide equals sign, which OWASP names too."""
FORMULAS = [
    "=1+1",
    "+43660",
    "-2+3",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "\n+",
    " =1",
    f"{WIDE}1",
    "'=1",
    "''+1",
]


def test_a_formula_is_marked_as_text_and_read_back_unchanged() -> None:
    items = [{"name": text, "data": {"name": f"={text}"}} for text in FORMULAS]
    run_id = failed(*items)
    for row in rows_of(run_id):
        assert (row["name"][0], row["data.name"][0]) == ("'", "'")
    assert read_back(run_id) == items


def test_negative_numbers_and_apostrophes_that_mark_nothing_stay_as_they_are() -> None:
    texts = ["-5", "-5.20", "-", "'s-Hertogenbosch", "'", "a=1"]
    run_id = failed(*({"name": text} for text in texts))
    assert [row["name"] for row in rows_of(run_id)] == texts
    assert [item["name"] for item in read_back(run_id)] == texts


@given(st.text(alphabet=f"'=+-@\t\r\n 1a{WIDE}"))
def test_every_text_is_read_back(text: str) -> None:
    assert formulas.unmark(formulas.mark(text)) == text


def test_an_apostrophe_stays_in_a_list_that_is_no_export() -> None:
    uploaded = read_items(io.BytesIO(b"name\n'=1\n"), "csv")
    assert [dict(item) for item in uploaded] == [{"name": "'=1"}]


# --- runs -----------------------------------------------------------------------------------------


def test_items_that_never_started_are_pending() -> None:
    run_id = run_of({"to": "a"}, {"to": "b"}, {"to": "c"})
    attempt = claim(run_id, 1, 1_900_000_000)
    assert isinstance(attempt, Attempt)
    attempt.succeed("{}")
    cancel(run_id)
    assert [row["status"] for row in rows_of(run_id)] == ["pending", "succeeded", "pending"]


def test_a_retry_exports_its_own_items() -> None:
    run_id = run_of({"to": "a"}, {"to": "b"}, {"to": "c"}, {"to": "d"})
    finish(run_id, failed={1, 3})
    again = retry(run_id, token_id=None).run_id
    cancel(again)
    assert [(row["to"], row["status"]) for row in rows_of(again)] == [
        ("b", "pending"),
        ("d", "pending"),
    ]


def test_a_long_run_is_read_in_parts() -> None:
    items = [{"to": f"{n}{'x' * 1_500_000}"} for n in range(12)]
    run_id = run_of(*items)
    for index in range(12):
        attempt = claim(run_id, index, 1_900_000_000)
        assert isinstance(attempt, Attempt)
        attempt.succeed(json.dumps("y" * 199_000))
    cancel(run_id)
    rows = file_of(run_id).splitlines()[1:]
    assert [row.rpartition(b",")[2][:2] for row in rows] == [b"%dx" % n for n in range(10)] + [
        b"10",
        b"11",
    ]


def test_a_result_that_no_cell_can_hold_is_left_out_and_says_so() -> None:
    run_id = run_of({"to": "a"}, {"to": "b"})
    attempt = claim(run_id, 1, 1_900_000_000)
    assert isinstance(attempt, Attempt)
    attempt.succeed(json.dumps("y" * 40_000))
    cancel(run_id)
    row = rows_of(run_id)[1]
    assert (row["result"], row["detail"]) == (
        "",
        "The result is too long for a cell. GET …/items/1 has it.",
    )


def test_a_run_that_has_not_ended_is_not_exported() -> None:
    assert is_refused(run_of({"to": "a"}, {"to": "b"}), "has not ended yet")


def test_a_run_of_more_than_a_hundred_thousand_items_is_not_exported() -> None:
    run_id = run_of(*({} for _ in range(100_001)))
    cancel(run_id)
    assert is_refused(run_id, "100,001 items; at most 100,000 are exported. GET /runs/")


def test_a_run_that_could_not_be_uploaded_again_is_not_exported() -> None:
    run_id = run_of(*({"to": "x" * 2_900_000} for _ in range(35)))
    cancel(run_id)
    assert is_refused(run_id, "more than 100,000,000 bytes")


def test_a_run_of_more_than_a_thousand_parameters_is_not_exported() -> None:
    run_id = failed({f"name{place}": "x" for place in range(1_001)})
    assert is_refused(run_id, "more than 1,000 different parameters")


def test_a_run_whose_parameters_were_deleted_is_not_exported(clock: Clock) -> None:
    run_id = failed({"to": "a"}, {"to": "b"})
    clock.advance(7 * DAY + 1)
    assert is_refused(run_id, "deleted after 7 days")


def test_a_run_whose_parameters_are_just_being_deleted_is_not_exported() -> None:
    run_id = failed({"to": "a"}, {"to": "b"})
    delete_files(run_id)
    assert is_refused(run_id, "deleted after 7 days")


def delete_files(run_id: str) -> None:
    found = admin("s3").list_objects_v2(Bucket="runs", Prefix=f"runs/{run_id}/")["Contents"]
    for each in found:
        admin("s3").delete_object(Bucket="runs", Key=each["Key"])


# --- one item -------------------------------------------------------------------------------------


def test_an_item_shows_its_end_and_what_it_was_given() -> None:
    run_id = run_of({"to": "a"}, ListedItem({"to": "b"}, row=7), parameters={"template": "welcome"})
    finish(run_id, failed={1})
    shown = ask(ITEM, run_id, 1)
    assert (shown.status, shown.body["status"], shown.body["problem"]["code"]) == (
        200,
        "failed",
        "conflict",
    )
    assert (shown.body["row"], shown.body["parameters"]) == (7, {"template": "welcome", "to": "b"})


def test_an_item_that_has_not_started_is_pending() -> None:
    run_id = run_of({"to": "a"}, {"to": "b"})
    assert ask(ITEM, run_id, 1).body == {
        "index": 1,
        "status": "pending",
        "attempts": 0,
        "started_at": None,
        "finished_at": None,
        "result": None,
        "problem": None,
        "next_attempt_by": None,
        "waiting_for": None,
        "waiting_until": None,
        "row": None,
        "parameters": {"to": "b"},
    }


@pytest.mark.parametrize("index", ["2", "-1", "-2", "1.0", "01x", "", "9999999", "\u0661"])
def test_an_item_that_the_run_does_not_have_is_a_404(index: str) -> None:
    run_id = run_of({"to": "a"}, {"to": "b"})
    cancel(run_id)
    assert ask(ITEM, run_id, index).status == 404


def test_a_run_over_one_item_has_only_that() -> None:
    run_id = run_of({"to": "a"})
    assert ask(ITEM, run_id, 0).body["parameters"] == {"to": "a"}
    assert ask(ITEM, run_id, 1).status == 404


def test_an_item_is_found_in_a_list_of_any_length() -> None:
    run_id = run_of(*({"to": str(n)} for n in range(8_000)))
    found = [
        ask(ITEM, run_id, index).body["parameters"]["to"]
        for index in (0, 1, 1500, 4001, 7998, 7999)
    ]
    assert found == ["0", "1", "1500", "4001", "7998", "7999"]
    assert ask(ITEM, run_id, 8_000).status == 404


def test_an_item_is_found_wherever_a_part_of_the_list_is_cut(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(references, "_CHUNK_BYTES", 150)
    run_id = run_of(*({"to": str(n)} for n in range(40)))
    found = [ask(ITEM, run_id, index).body["parameters"]["to"] for index in range(40)]
    assert found == [str(n) for n in range(40)]


def test_the_items_of_a_retry_keep_their_indexes() -> None:
    run_id = run_of(*({"to": str(n)} for n in range(8)))
    finish(run_id, failed={1, 4, 7})
    again = retry(run_id, token_id=None).run_id
    assert ask(ITEM, again, 4).body["parameters"] == {"to": "4"}
    assert [ask(ITEM, again, index).status for index in (0, 1, 2, 7, 8)] == [
        404,
        200,
        404,
        200,
        404,
    ]


def test_parameters_are_shown_while_they_are_kept(clock: Clock) -> None:
    run_id = failed({"to": "a"}, ListedItem({"to": "b"}, row=3))
    clock.advance(7 * DAY + 1)
    late = ask(ITEM, run_id, 1)
    assert (late.status, late.body["status"]) == (200, "failed")
    assert (late.body["row"], late.body["parameters"]) == (None, None)
    assert ask(ITEM, run_id, 2).status == 404


def test_parameters_that_are_just_being_deleted_are_null() -> None:
    run_id = run_of({"to": "a"}, {"to": "b"})
    delete_files(run_id)
    assert ask(ITEM, run_id, 1).body["parameters"] is None


def test_steps_of_an_item_that_starts_in_a_later_run_do_not_start_it_in_this_one() -> None:
    """Steps are kept in the item's first run."""
    run_id = run_of({"to": "a"}, {"to": "b"})
    cancel(run_id)
    step = Step(
        name="charged", kind="step", order=0, status="succeeded", run_id=run_id, started_at=0
    )
    StepRecords(run_id, 1, 1_900_000_000).keep(step)
    assert ask(ITEM, run_id, 1).body["status"] == "pending"
    assert [row["status"] for row in rows_of(run_id)] == ["pending", "pending"]


def test_the_event_that_a_step_has_waited_for_has_its_time_as_all_times_are() -> None:
    run_id = run_of({"to": "a"})
    event = {"type": "order.paid", "data": {}, "received_at": 1_795_800_892.66}
    about: Any = {"name": "paid", "kind": "wait_for", "order": 0, "status": "succeeded"}
    step = Step(**about, run_id=run_id, started_at=0, result=event)
    StepRecords(run_id, 0, 1_900_000_000).keep(step)
    (shown,) = ask("GET /runs/{run_id}/steps", run_id).body["steps"]
    assert shown["result"] == event | {"received_at": "2026-11-27T17:34:52Z"}


@pytest.mark.parametrize("route", [EXPORT, ITEM])
def test_each_call_needs_the_scope_of_the_workflow(route: str) -> None:
    run_id = failed({"to": "a"}, {"to": "b"})
    assert ask(route, run_id, 0, scopes=("runs:read", "workflow:verify_send")).status == 403
    assert ask(route, run_id, 0, scopes=("runs:write", f"workflow:{WORKFLOW}")).status == 403
    assert ask(route, f"{WORKFLOW}.{'0' * 26}", 0).status == 404
