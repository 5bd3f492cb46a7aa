"""HTTP API of runs: requests that start a run, and requests that are refused.

The e2e tests let the runs run.
"""

import base64
import io
import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest

from functions.api.runs import validation
from functions.api.runs.handler import lambda_handler
from functions.core.errors import Conflict
from functions.core.http.gateway import MAX_BODY_BYTES
from functions.core.runs import cancellation, execution, uploads
from functions.core.runs.files import read_item, read_references
from functions.core.runs.items import attempts
from functions.core.runs.items.attempts import Attempt
from functions.core.runs.validation import Findings
from functions.workflows.verify_check.handler import lambda_handler as verify_check
from functions.workflows.verify_delete.handler import lambda_handler as verify_delete
from tests.builders import Context, Reply, http_event
from tests.builders.run_records import finish
from tests.fakes import nobody, server
from tests.fakes import reply as answer_with
from tests.workflows.conftest import Settings, admin

SCOPES = ("runs:read", "runs:write", "workflow:verify_delete", "workflow:verify_check")
TWO = [{"verification_id": "k1.one"}, {"verification_id": "k1.two"}]
WORKFLOWS = {"wf-verify_delete": verify_delete, "wf-verify_check": verify_check}
Uses = dict[str, Any]


def lambdas(request: BaseHTTPRequestHandler, body: bytes) -> None:
    """AWS Lambda, limited to Invoke: POST /2015-03-31/functions/<name>/invocations."""
    answer = WORKFLOWS[request.path.split("/")[3]](json.loads(body), Context())
    answer_with(request, 200, json.dumps(answer).encode(), {})


@pytest.fixture(autouse=True)
def stack(settings: Settings, cloud: None) -> Iterator[None]:  # noqa: ARG001 - what the settings belong to
    with server(lambdas) as url:
        settings.set(AWS_ENDPOINT_URL_LAMBDA=url, WORKFLOW_FUNCTIONS="wf-")
        yield


def ask(
    route: str,
    body: object = None,
    *,
    run_id: str = "",
    token_id: str | None = None,
    **options: Any,
) -> Reply:
    """Calls a route, with all scopes unless others are given."""
    event = http_event(body, **({"scopes": SCOPES} | options))
    event |= {"routeKey": route, "pathParameters": {"run_id": run_id}}
    if token_id:
        event["requestContext"]["authorizer"]["lambda"]["token_id"] = token_id
    answer = lambda_handler(event, Context())
    return Reply(answer["statusCode"], answer["headers"], json.loads(answer["body"]))


def start(**parameters: Any) -> Reply:
    return ask("POST /runs", {"workflow": "verify_delete"} | parameters)


def upload(text: str, kind: str = "csv") -> str:
    """Uploads a list; returns the upload's id.

    moto's S3 takes the file as a client's form would upload it.
    """
    form = ask("POST /runs/uploads", {"format": kind}).body
    admin("s3").put_object(Bucket="runs", Key=form["fields"]["key"], Body=text.encode())
    return str(form["upload_id"])


def items_of(run_id: str) -> list[dict[str, Any]]:
    """Parameters of each item, as its function reads them."""
    about, _ = execution.read(run_id)
    references = read_references(about.references_key) if about.total > 1 else [about.reference]
    return [read_item(about.items_key, each.start, each.length) for each in references]


def started() -> list[str]:
    return [run["run_id"] for run in ask("GET /runs").body["runs"]]


def stored(prefix: str) -> list[str]:
    return [
        each["Key"]
        for each in admin("s3").list_objects_v2(Bucket="runs", Prefix=prefix).get("Contents", [])
    ]


def test_a_list_in_the_request_starts_a_run_that_is_found_at_its_location() -> None:
    reply = start(items=TWO[:1])
    assert reply.status == 202
    assert reply.headers["location"] == f"/runs/{reply.body['run_id']}"
    assert "preference-applied" not in reply.headers
    shown = ask("GET /runs/{run_id}", run_id=reply.body["run_id"])
    assert (shown.status, shown.body["status"], shown.body["total"]) == (200, "running", 1)
    assert set(shown.body) == set(reply.body)
    assert items_of(reply.body["run_id"]) == TWO[:1]


def test_parameters_are_for_what_an_item_does_not_say_itself() -> None:
    reply = start(items=[{}, TWO[1]], parameters=TWO[0])
    assert items_of(reply.body["run_id"]) == TWO


@pytest.mark.parametrize(
    ("parameters", "pointers"),
    [
        (
            {"items": [*TWO, {}, {"verification_id": 5}]},
            ["/items/2/verification_id", "/items/3/verification_id"],
        ),
        (
            {"items": [{}, {}], "parameters": {"verification_id": 5}},
            ["/parameters/verification_id"],
        ),
        ({"items": [{}], "parameters": {}}, ["/items/0/verification_id"]),
        ({"items": TWO, "parameters": {"nonsense": 1}}, ["/parameters/nonsense"]),
        ({"items": []}, ["/items"]),
        ({}, ["/items"]),
        ({"items": TWO, "upload_id": "x"}, ["/upload_id"]),
        ({"items": TWO, "workflow": "no_such"}, ["/workflow"]),
        ({"items": TWO, "workflow": "../api/runs"}, ["/workflow"]),
        ({"items": TWO, "workflow": "verify_check"}, ["/workflow"]),
        ({"items": TWO, "max_concurrency": 1001}, ["/max_concurrency"]),
        ({"items": TWO, "interval_seconds": -1}, ["/interval_seconds"]),
        ({"items": TWO, "nonsense": 1}, ["/nonsense"]),
    ],
)
def test_an_error_is_named_by_its_place_and_nothing_starts(
    parameters: dict[str, Any], pointers: list[str]
) -> None:
    reply = start(**parameters)
    assert (reply.status, [each["pointer"] for each in reply.body["errors"]]) == (422, pointers)
    assert (started(), stored("runs/")) == ([], [])


def test_a_body_that_is_too_large_is_told_where_long_lists_go() -> None:
    reply = ask("POST /runs", '{"x": "' + "x" * MAX_BODY_BYTES + '"}')
    assert reply.status == 413
    assert "POST /runs/uploads" in reply.body["detail"]


CALLS = [
    ("POST /runs", {"workflow": "verify_delete", "items": TWO}, "runs:write"),
    ("POST /runs/uploads", {"format": "csv"}, "runs:write"),
    ("GET /runs", None, "runs:read"),
    ("GET /runs/{run_id}", None, "runs:read"),
    ("GET /runs/{run_id}/items", None, "runs:read"),
    ("GET /runs/{run_id}/items/{index}", None, "runs:read"),
    ("POST /runs/{run_id}/export", None, "runs:read"),
    ("POST /runs/{run_id}/retry", None, "runs:write"),
    ("DELETE /runs/{run_id}", None, "runs:write"),
]


@pytest.mark.parametrize(("route", "body", "scope"), CALLS)
def test_each_call_needs_its_scope_and_a_secret_token(route: str, body: object, scope: str) -> None:
    run_id = execution.new_run_id("verify_delete")
    others = set(SCOPES) - {scope}
    assert ask(route, body, run_id=run_id, scopes=others).status == 403
    assert ask(route, body, run_id=run_id, kind="publishable").status == 403
    assert ask(route, body, run_id=run_id, authorized=False).status == 401
    assert started() == []


@pytest.mark.parametrize(
    ("route", "body", "scope"),
    [call for call in CALLS if call[0] not in ("GET /runs", CALLS[1][0])],
)
def test_a_run_is_only_for_tokens_with_its_workflows_scope_whether_it_exists_or_not(
    route: str, body: object, scope: str
) -> None:
    there = start(items=TWO).body["run_id"]
    for run_id in (there, execution.new_run_id("verify_delete")):
        assert (
            ask(route, body, run_id=run_id, scopes=(scope, "workflow:verify_check")).status == 403
        )


@pytest.mark.parametrize("route", [call[0] for call in CALLS if "{run_id}" in call[0]])
@pytest.mark.parametrize("run_id", ["verify_delete." + "0" * 26, "uploads", ""])
def test_a_run_that_there_is_not_is_a_404(route: str, run_id: str) -> None:
    assert ask(route, run_id=run_id).status == 404


def test_outcomes_are_paged_and_the_failed_ones_can_be_asked_for() -> None:
    run_id = start(items=[{"verification_id": f"k1.{n}"} for n in range(5)]).body["run_id"]
    finish(run_id, failed={1, 3})
    first = ask("GET /runs/{run_id}/items", run_id=run_id, query="limit=3").body
    rest = ask(
        "GET /runs/{run_id}/items", run_id=run_id, query=f"limit=3&cursor={first['cursor']}"
    ).body
    assert [item["index"] for item in first["items"] + rest["items"]] == [0, 1, 2, 3, 4]
    assert rest["cursor"] is None
    failed = ask("GET /runs/{run_id}/items", run_id=run_id, query="status=failed").body["items"]
    assert [(item["index"], item["problem"]["code"]) for item in failed] == [
        (1, "conflict"),
        (3, "conflict"),
    ]


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=1001",
        "limit=x",
        "cursor=%25",
        "cursor=eHg",
        "cursor=Inh4Ig",
        "status=x",
        "a=1",
    ],
)
def test_a_query_that_is_not_understood_is_refused(query: str) -> None:
    run_id = start(items=TWO).body["run_id"]
    reply = ask("GET /runs/{run_id}/items", run_id=run_id, query=query)
    assert (reply.status, reply.body["errors"][0]["pointer"]) == (
        422,
        f"/{query.partition('=')[0]}",
    )


def test_an_unknown_status_is_answered_with_the_allowed_one() -> None:
    run_id = start(items=TWO).body["run_id"]
    reply = ask("GET /runs/{run_id}/items", run_id=run_id, query="status=x")
    assert reply.body["errors"] == [{"pointer": "/status", "detail": "must be one of: failed"}]


def test_a_retry_repeats_only_what_failed() -> None:
    run_id = start(items=TWO).body["run_id"]
    finish(run_id, failed={1})
    again = ask("POST /runs/{run_id}/retry", run_id=run_id)
    assert (again.status, again.headers["location"]) == (202, f"/runs/{again.body['run_id']}")
    assert items_of(again.body["run_id"]) == TWO[1:]


def test_a_cancelled_run_is_answered_as_it_is_then() -> None:
    run_id = start(items=TWO[:1]).body["run_id"]
    reply = ask("DELETE /runs/{run_id}", run_id=run_id)
    assert (reply.status, reply.body["status"], reply.body["pending"]) == (200, "cancelled", 1)
    assert cancellation.is_cancelled(run_id)


def test_the_list_has_only_runs_that_the_token_may_read() -> None:
    run_id = start(items=TWO).body["run_id"]
    assert started() == [run_id]
    assert ask("GET /runs", scopes=("runs:read", "workflow:verify_check")).body == {
        "runs": [],
        "cursor": None,
    }


def test_runs_are_listed_in_pages() -> None:
    made = {start(items=TWO).body["run_id"] for _ in range(3)}
    first = ask("GET /runs", query="limit=2").body
    rest = ask("GET /runs", query=f"limit=2&cursor={first['cursor']}").body
    assert {run["run_id"] for run in first["runs"] + rest["runs"]} == made
    assert (len(first["runs"]), rest["cursor"]) == (2, None)
    assert first["runs"][0] == {
        "run_id": first["runs"][0]["run_id"],
        "workflow": "verify_delete",
        "status": "running",
        "started_by": {"kind": "token", "id": "0123456789abcdef", "index": None},
        "retry_of": None,
        "total": 2,
        "succeeded": None,
        "failed": None,
        "skipped": None,
        "started_at": first["runs"][0]["started_at"],
        "finished_at": None,
    }


LISTS = [
    ("json", json.dumps(TWO)),
    ("jsonl", "\n\n".join(map(json.dumps, TWO))),
    ("csv", "verification_id\r\nk1.one\r\nk1.two\r\n"),
]


@pytest.mark.parametrize(("kind", "text"), LISTS)
def test_an_upload_starts_a_run_over_its_items_and_leaves_none_behind(kind: str, text: str) -> None:
    upload_id = upload(text, kind)
    reply = start(upload_id=upload_id)
    assert (reply.status, items_of(reply.body["run_id"])) == (202, TWO)
    assert execution.read(reply.body["run_id"])[0].lenient is (kind == "csv")
    assert [key for key in stored("uploads/") if not key.endswith(".run")] == []


LONG = 100_000


def long_list(kind: str) -> str:
    if kind == "csv":
        return "verification_id\n" + "\n".join(f"k1.{number}" for number in range(LONG))
    lines = [json.dumps({"verification_id": f"k1.{number}"}) for number in range(LONG)]
    return f"[{','.join(lines)}]" if kind == "json" else "\n".join(lines)


@pytest.mark.parametrize(
    "kind",
    ["csv", *(pytest.param(kind, marks=pytest.mark.soak(only=True)) for kind in ("json", "jsonl"))],
)
def test_one_upload_of_100_000_items_is_accepted_and_started(kind: str) -> None:
    reply = start(upload_id=upload(long_list(kind), kind))
    assert (reply.status, reply.body["total"], reply.body["status"]) == (202, LONG, "running")
    begun, about = execution.read(reply.body["run_id"])
    assert (about["status"], begun.total, begun.branch) == ("RUNNING", LONG, "many")
    first, *_, last = references = list(read_references(begun.references_key))
    assert [each.index for each in references] == list(range(LONG))
    assert [
        read_item(begun.items_key, each.start, each.length)["verification_id"]
        for each in (first, last)
    ] == ["k1.0", f"k1.{LONG - 1}"]


def test_a_form_is_for_one_file_of_one_token_below_the_largest_size() -> None:
    reply = ask("POST /runs/uploads", {"format": "csv"})
    assert reply.status == 201
    assert set(reply.body) == {"upload_id", "url", "fields", "max_bytes", "expires_at"}
    assert reply.body["fields"]["key"] == f"uploads/0123456789abcdef/{reply.body['upload_id']}"
    policy = json.loads(base64.b64decode(reply.body["fields"]["policy"]))
    assert ["content-length-range", 1, 100_000_000] in policy["conditions"]
    assert {"key": reply.body["fields"]["key"]} in policy["conditions"]


def test_an_upload_starts_one_run_whatever_workflow_the_second_names() -> None:
    upload_id = upload(*reversed(LISTS[0]))
    first = start(upload_id=upload_id)
    again = start(upload_id=upload_id)
    assert again.status == 409
    assert first.body["run_id"] in again.body["detail"]
    assert started() == [first.body["run_id"]]


def test_one_of_two_starts_that_read_an_upload_at_the_same_time_is_a_run() -> None:
    """The second reads the whole upload before the first claims it."""
    mine = uploads.Upload("0123456789abcdef", upload(*reversed(LISTS[0])))
    with mine.open(), mine.open():
        mine.claim("verify_delete.first")
        with pytest.raises(Conflict):
            mine.claim("verify_delete.second")
        mine.claim("verify_delete.first")  # the SDK's repetition


@pytest.mark.parametrize("upload_id", ["x", "../x", f"{'0' * 32}.csv", f"{'0' * 32}.exe"])
def test_an_upload_that_there_is_not_is_a_404(upload_id: str) -> None:
    assert start(upload_id=upload_id).status == 404


def test_an_upload_of_another_token_is_a_404() -> None:
    body = {"workflow": "verify_delete", "upload_id": upload(*reversed(LISTS[0]))}
    assert ask("POST /runs", body, token_id="fedcba9876543210").status == 404


def test_a_list_that_cannot_be_read_starts_nothing_and_leaves_nothing_behind(
    log: io.StringIO,
) -> None:
    reply = start(upload_id=upload("verification_id\nk1.one\nk1.two,secret-cell\n", "csv"))
    assert (reply.status, reply.body["code"]) == (422, "unreadable_items")
    assert reply.body["errors"] == [
        {"pointer": "/upload_id", "detail": "row 3 has 2 cells, but row 1 has 1 names"}
    ]
    assert (started(), stored("")) == ([], [])
    assert "secret-cell" not in log.getvalue()


def test_an_upload_of_which_all_is_wrong_starts_nothing_and_says_in_which_rows() -> None:
    upload_id = upload("verificaton_id\n\n" + "k1.one\n" * 1500)
    reply = start(upload_id=upload_id)
    assert (reply.status, reply.body["code"]) == (422, "invalid_parameters")
    *rows, last = reply.body["errors"]
    assert len(rows) == 2 * 20
    assert rows[:2] == [
        {
            "pointer": "/items/0/verificaton_id",
            "detail": "row 3: is not a parameter here; did you mean verification_id?",
        },
        {"pointer": "/items/0/verification_id", "detail": "row 3: is required"},
    ]
    assert (last["pointer"], "the same upload" in last["detail"]) == ("/upload_id", True)
    assert (started(), stored("runs/")) == ([], [])


def test_an_upload_that_was_refused_starts_once_the_request_is_right() -> None:
    upload_id = upload("\n".join(json.dumps(item) for item in TWO), "jsonl")
    refused = start(upload_id=upload_id, parameters={"nonsense": 1})
    assert [each["pointer"] for each in refused.body["errors"]] == [
        "/parameters/nonsense",
        "/upload_id",
    ]
    assert start(upload_id=upload_id).status == 202


def test_an_upload_starts_where_the_first_thousand_are_not_all_wrong() -> None:
    """The wrong ones fail as they run."""
    lines = ["no id"] * 999 + ["k1.one"] + ["no id"] * 2
    reply = start(upload_id=upload("\n".join(["verification_id", *lines])))
    assert (reply.status, reply.body["total"]) == (202, 1002)
    wrong = start(upload_id=upload("\n".join(["verification_id", "no id", *lines])))
    assert wrong.status == 422


def test_items_too_large_for_one_event_are_validated_as_far_as_they_fit() -> None:
    lines = "".join(json.dumps({"verification_id": "x" * 199_000}) + "\n" for _ in range(40))
    reply = start(upload_id=upload(lines, "jsonl"))
    assert (reply.status, len(reply.body["errors"])) == (422, 16 + 1)


def test_an_item_of_an_upload_keeps_its_row() -> None:
    reply = start(upload_id=upload("verification_id\nk1.one\n\nk1.two\n"))
    assert reply.status == 202
    references = read_references(execution.read(reply.body["run_id"])[0].references_key)
    assert [each.row for each in references] == [2, 4]


def test_objects_common_to_all_are_merged_with_columns_before_the_workflow_sees_them() -> None:
    reply = start(
        upload_id=upload("verification_id.a\nx\n"), parameters={"verification_id": {"b": 1}}
    )
    assert reply.body["errors"][0] == {
        "pointer": "/items/0/verification_id",
        "detail": "row 2: must be text, not an object",
    }


def dry_run(**parameters: Any) -> Reply:
    return start(dry_run=True, **parameters)


def test_a_dry_run_says_what_is_wrong_in_the_request_and_starts_nothing() -> None:
    items = [*TWO, {"verification_id": "no id"}, {}]
    reply = dry_run(items=items)
    assert (reply.status, reply.body) == (
        200,
        {
            "total": 4,
            "checked": 4,
            "invalid": 2,
            "problems": [
                {
                    "index": 2,
                    "row": None,
                    "errors": [
                        {
                            "pointer": "/items/2/verification_id",
                            "detail": "does not have the right form",
                        }
                    ],
                },
                {
                    "index": 3,
                    "row": None,
                    "errors": [{"pointer": "/items/3/verification_id", "detail": "is required"}],
                },
            ],
        },
    )
    assert (started(), stored("")) == ([], [])


@pytest.mark.parametrize(
    ("kind", "rows"), [("csv", [3, 5]), ("jsonl", [3, 5]), ("json", [None] * 2)]
)
def test_a_dry_run_of_an_upload_names_rows_and_leaves_it_to_be_started(
    kind: str, rows: list[int | None]
) -> None:
    ids = ["k1.one", "no id", "k1.two", "no more"]
    texts = {
        "csv": "\n".join(["verification_id", *ids]),
        "jsonl": "\n" + "\n".join(json.dumps({"verification_id": each}) for each in ids),
        "json": json.dumps([{"verification_id": each} for each in ids]),
    }
    upload_id = upload(texts[kind], kind)
    for _ in range(2):
        reply = dry_run(upload_id=upload_id)
        assert (reply.status, reply.body["total"], reply.body["invalid"]) == (200, 4, 2)
        assert [each["index"] for each in reply.body["problems"]] == [1, 3]
        assert [each["row"] for each in reply.body["problems"]] == rows
    assert start(upload_id=upload_id).status == 202
    assert dry_run(upload_id=upload_id).status == 409


def test_a_dry_run_counts_all_that_is_wrong_and_shows_the_first_twenty() -> None:
    upload_id = upload("verification_id\n" + "k1.one\n" * 1500 + "no id\n" * 1000)
    reply = dry_run(upload_id=upload_id).body
    assert (reply["total"], reply["checked"], reply["invalid"]) == (2500, 2500, 1000)
    assert [each["row"] for each in reply["problems"]] == list(range(1502, 1522))
    assert reply["problems"][0]["errors"][0]["pointer"] == "/items/1500/verification_id"


def test_a_dry_run_whose_time_is_over_counts_the_rest_without_validating_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(validation, "SECONDS", 0)
    reply = dry_run(upload_id=upload("verification_id\n" + "no id\n" * 1500)).body
    assert reply == {"total": 1500, "checked": 0, "invalid": 0, "problems": []}


def test_a_dry_run_says_how_far_the_workflow_came_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(validation, "check_items", lambda *_, **__: Findings([], 600, 0))
    reply = dry_run(upload_id=upload("verification_id\n" + "k1.one\n" * 1500)).body
    assert (reply["total"], reply["checked"]) == (1500, 1200)


@pytest.mark.parametrize(("kind", "text"), LISTS)
def test_the_cells_of_a_csv_are_validated_as_texts(
    kind: str, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[bool] = []

    def check(*_: object, lenient: bool, **__: object) -> Findings:
        seen.append(lenient)
        return Findings([], 2, 0)

    monkeypatch.setattr(validation, "check_items", check)
    upload_id = upload(text, kind)
    assert (dry_run(upload_id=upload_id).status, start(upload_id=upload_id).status) == (200, 202)
    assert seen == [kind == "csv"] * 2


def test_a_dry_run_of_a_list_that_cannot_be_read_leaves_the_upload_too() -> None:
    upload_id = upload("verification_id\nk1.one\nk1.two,x\n")
    for _ in range(2):
        reply = dry_run(upload_id=upload_id)
        assert (reply.status, reply.body["code"]) == (422, "unreadable_items")


@pytest.mark.parametrize(
    ("parameters", "status"),
    [
        ({"items": []}, 422),
        ({"items": TWO, "workflow": "verify_check"}, 422),
        ({"items": TWO, "workflow": "no_such"}, 422),
        ({"upload_id": f"{'0' * 32}.csv"}, 404),
        ({"items": TWO, "workflow": "verify_send"}, 403),
    ],
)
def test_a_dry_run_is_refused_as_a_start_would_be(parameters: dict[str, Any], status: int) -> None:
    assert (dry_run(**parameters).status, start(**parameters).status) == (status, status)


def test_a_dry_run_refuses_a_longer_list_than_a_run_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(validation, "MAX_ITEMS", 1200)
    upload_id = upload("verification_id\n" + "k1.one\n" * 1201)
    reply = dry_run(upload_id=upload_id)
    assert (reply.status, reply.body["errors"][0]["detail"]) == (422, "has more than 1,200 items")


@pytest.mark.parametrize(
    ("item", "parameters", "pointer"),
    [
        ({}, {"data": {"url": 1}}, "/parameters/data/url"),
        ({"data": {"url": None}}, {"data": {"url": 1}}, "/parameters/data/url"),
        ({"data": {"url": 1}}, {"data": {"url": 2}}, "/items/0/data/url"),
        ({"data": {}}, {"data": {}}, "/items/0/data/url"),
        ({}, {"data": {}}, "/items/0/data/url"),
        ({"data": 5}, {"data": {"url": 1}}, "/items/0/data/url"),
        ({}, {}, "/items/0/data/url"),
    ],
)
def test_a_problem_points_to_whichever_said_the_value(
    item: dict[str, Any], parameters: dict[str, Any], pointer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    problem_of_url = {"index": 0, "errors": [{"pointer": "/data/url", "detail": "is wrong"}]}
    found = Findings([problem_of_url], 1, 1)
    monkeypatch.setattr(validation, "check_items", lambda *_, **__: found)
    reply = dry_run(items=[item], parameters=parameters)
    assert reply.body["problems"][0]["errors"][0]["pointer"] == pointer


def test_an_upload_can_be_used_again_when_something_else_was_wrong() -> None:
    upload_id = upload(*reversed(LISTS[0]))
    assert start(upload_id=upload_id, workflow="verify_check").status == 422
    assert start(upload_id=upload_id, interval_seconds=86_400 + 1).status == 422
    assert start(upload_id=upload_id).status == 202


KEY = {"idempotency-key": "import-2026-11"}


def forget_answers() -> None:
    """Simulates a process that dies between starting a run and storing the answer."""
    for item in admin("dynamodb").scan(TableName="local-idempotency")["Items"]:
        admin("dynamodb").delete_item(TableName="local-idempotency", Key={"call": item["call"]})


def test_the_same_key_twice_starts_one_run_also_where_the_first_answer_was_lost() -> None:
    body = {"workflow": "verify_delete", "items": TWO}
    first, again = (ask("POST /runs", body, headers=KEY) for _ in range(2))
    forget_answers()
    late = ask("POST /runs", body, headers=KEY)
    assert [reply.status for reply in (first, again, late)] == [202, 202, 202]
    assert {reply.body["run_id"] for reply in (first, again, late)} == set(started())
    assert len(started()) == 1


def test_a_key_with_other_items_is_refused() -> None:
    ask("POST /runs", {"workflow": "verify_delete", "items": TWO}, headers=KEY)
    reply = ask("POST /runs", {"workflow": "verify_delete", "items": TWO[:1]}, headers=KEY)
    assert (reply.status, reply.body["code"]) == (422, "idempotency_key_reused")


def test_the_same_key_twice_retries_a_run_once() -> None:
    run_id = start(items=TWO).body["run_id"]
    finish(run_id, failed={1})
    retries = []
    for _ in range(2):
        retries.append(
            ask("POST /runs/{run_id}/retry", {}, run_id=run_id, headers=KEY).body["run_id"]
        )
        forget_answers()
    assert retries[0] == retries[1]
    assert len(started()) == 2


@pytest.mark.parametrize("headers", [{}, KEY])
def test_an_upload_whose_run_could_not_be_started_starts_it_later(
    headers: dict[str, str], settings: Settings
) -> None:
    body = {"workflow": "verify_delete", "upload_id": upload(json.dumps(TWO), "json")}
    settings.set(AWS_ENDPOINT_URL_SFN=nobody())
    assert ask("POST /runs", body, headers=headers).status == 503
    settings.unset("AWS_ENDPOINT_URL_SFN")
    reply = ask("POST /runs", body, headers=headers)
    assert reply.status == 202
    assert items_of(reply.body["run_id"]) == TWO
    assert ask("POST /runs", body).status == 409
    assert len(started()) == 1


def test_a_run_is_retried_once_however_often_that_is_asked_for() -> None:
    run_id = start(items=TWO).body["run_id"]
    finish(run_id, failed={1})
    retries = [ask("POST /runs/{run_id}/retry", {}, run_id=run_id) for _ in range(2)]
    assert [reply.status for reply in retries] == [202, 202]
    assert len({reply.body["run_id"] for reply in retries}) == 1
    assert len(started()) == 2


def test_an_execution_that_somebody_else_started_is_no_run() -> None:
    run_id = start(items=TWO[:1]).body["run_id"]
    machine = admin("stepfunctions").list_state_machines()["stateMachines"][0]["stateMachineArn"]
    admin("stepfunctions").start_execution(
        stateMachineArn=machine, name="8e03978e-40d5", input="{}"
    )
    assert started() == [run_id]


@pytest.mark.parametrize("position", [-5, 10**38])
def test_a_cursor_beyond_a_list_is_refused(position: int) -> None:
    run_id = start(items=TWO[:1]).body["run_id"]
    cursor = base64.urlsafe_b64encode(str(position).encode()).decode()
    reply = ask("GET /runs/{run_id}/items", run_id=run_id, query=f"cursor={cursor}")
    assert (reply.status, reply.body["errors"][0]["pointer"]) == (422, "/cursor")


def test_a_page_of_outcomes_is_measured_in_bytes() -> None:
    run_id = start(items=TWO * 20).body["run_id"]
    for index in range(30):
        attempt = attempts.claim(run_id, index, 1_900_000_000)
        assert isinstance(attempt, Attempt)
        attempt.succeed(json.dumps({"text": "\u3042" * 60_000}, ensure_ascii=False))
    page = ask("GET /runs/{run_id}/items", run_id=run_id)
    assert len(json.dumps(page.body, ensure_ascii=False).encode()) < 4_000_000
    assert page.body["cursor"]


def test_a_key_is_not_heeded_where_nothing_is_made() -> None:
    run_id = start(items=TWO[:1]).body["run_id"]
    before = ask("GET /runs/{run_id}", run_id=run_id, headers=KEY).body["status"]
    ask("DELETE /runs/{run_id}", run_id=run_id)
    assert (before, ask("GET /runs/{run_id}", run_id=run_id, headers=KEY).body["status"]) == (
        "running",
        "cancelled",
    )


def test_requests_about_a_run_are_among_its_log_lines(log: io.StringIO) -> None:
    """The log lines of the run begin with its starter."""
    run_id = start(items=TWO[:1]).body["run_id"]
    ask("DELETE /runs/{run_id}", run_id=run_id)
    ask("GET /runs/{run_id}", run_id=run_id, scopes=("runs:read",))
    lines = [
        json.loads(line) for line in log.getvalue().splitlines() if '"service":"tests"' in line
    ]
    told = [
        (each.get("status") or each["outcome"], each["workflow"], each["run_id"])
        for each in lines
        if each.get("run_id")
    ]
    assert told == [(each, "verify_delete", run_id) for each in (202, "cancelled", 200, 403)]
