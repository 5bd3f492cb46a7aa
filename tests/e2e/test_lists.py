"""Runs on lists, over HTTP and really running: progress, failures, retry, upload, export, cancel.

Each item is a cheap verify_delete of a verification that does not exist. An item with a malformed
id fails.
"""

import httpx
import pytest

from tests.e2e import runs
from tests.e2e.conftest import LocalStack, eventually
from tests.e2e.runs import ended, failed_indexes, upload
from tests.sizes import size

WORKFLOW = "verify_delete"


LIST = size(100, 1000)
LONG_LIST = size(2_000, 20_000)


@pytest.mark.soak
@pytest.mark.timeout(300)
def test_a_list_with_every_tenth_wrong_is_counted_listed_and_retried(api: httpx.Client) -> None:
    """Uploaded, because a request with wrong items is refused before anything starts."""
    lines = "".join(f"k1.{n:022}\n" if n % 10 else "no id\n" for n in range(LIST))
    started = api.post(
        "/runs",
        json={
            "workflow": WORKFLOW,
            "upload_id": upload(api, f"verification_id\n{lines}"),
            "max_concurrency": size(2, 20),
        },
    )
    assert (started.status_code, started.json()["total"]) == (202, LIST)
    run_id = started.json()["run_id"]
    assert started.headers["location"] == f"/runs/{run_id}"
    seen = eventually(
        "an item has succeeded", lambda: runs.read(api, run_id), lambda run: run["succeeded"]
    )
    assert (seen["status"], seen["finished_at"]) == ("running", None)
    done = ended(api, run_id, 150)
    assert (done["status"], done["succeeded"], done["failed"]) == (
        "partly_failed",
        LIST * 9 // 10,
        LIST // 10,
    )
    assert failed_indexes(api, run_id) == list(range(0, LIST, 10))
    again = api.post(f"/runs/{run_id}/retry")
    assert (again.status_code, again.json()["total"]) == (202, LIST // 10)
    retried = ended(api, again.json()["run_id"])
    assert (retried["succeeded"], retried["failed"]) == (0, LIST // 10)
    assert failed_indexes(api, retried["run_id"]) == list(range(0, LIST, 10))


def test_a_wrong_item_in_a_request_is_named_and_nothing_starts(stack: LocalStack) -> None:
    """No other test runs this workflow, so the token sees only the runs of this test."""
    with stack.new_api("runs:read,runs:write,workflow:check_app_location") as api:
        items = [{"stage": "dev"}, {"stage": 5}]
        refused = api.post("/runs", json={"workflow": "check_app_location", "items": items})
        assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (
            422,
            "/items/1/stage",
        )
        assert runs.readable(api) == []


@pytest.mark.soak
def test_a_long_csv_is_accepted_and_what_has_not_started_when_it_is_cancelled_never_starts(
    api: httpx.Client,
) -> None:
    text = "verification_id\n" + "".join(f"k1.{n:022}\n" for n in range(LONG_LIST))
    upload_id = upload(api, text)
    started = api.post("/runs", json={"workflow": WORKFLOW, "upload_id": upload_id})
    assert (started.status_code, started.json()["total"]) == (202, LONG_LIST)
    run_id = started.json()["run_id"]
    assert api.post("/runs", json={"workflow": WORKFLOW, "upload_id": upload_id}).status_code == 409
    eventually("an item has begun", lambda: api.get(f"/runs/{run_id}/items").json()["items"])
    cancelled = api.delete(f"/runs/{run_id}")
    assert (cancelled.status_code, cancelled.json()["status"]) == (200, "cancelled")
    begun = highest_index(api, run_id)
    assert api.delete(f"/runs/{run_id}").json()["status"] == "cancelled"
    assert highest_index(api, run_id) <= begun + 8, "only running items may finish"
    assert begun < LONG_LIST / 2


def highest_index(api: httpx.Client, run_id: str) -> int:
    page = api.get(f"/runs/{run_id}/items", params={"limit": 1000}).json()["items"]
    return max((item["index"] for item in page), default=0)


def test_a_csv_that_cannot_be_read_is_refused_with_its_row(api: httpx.Client) -> None:
    upload_id = upload(api, "verification_id\nk1.one\nk1.two,three\n")
    refused = api.post("/runs", json={"workflow": WORKFLOW, "upload_id": upload_id})
    assert (refused.status_code, refused.json()["code"]) == (422, "unreadable_items")
    assert "row 3 has 2 cells" in refused.json()["detail"]
    assert api.post("/runs", json={"workflow": WORKFLOW, "upload_id": upload_id}).status_code == 404


def test_an_exported_list_is_corrected_and_uploaded_as_it_is(api: httpx.Client) -> None:
    upload_id = upload(api, "verification_id\nk1.one\nno id\nk1.three\n")
    run = ended(api, runs.start(api, WORKFLOW, upload_id=upload_id)["run_id"])
    assert run["status"] == "partly_failed"
    made = api.post(f"/runs/{run['run_id']}/export")
    assert made.status_code == 201, made.text
    opened = {"sec-fetch-site": "same-site", "sec-fetch-mode": "navigate"}
    file = httpx.get(made.json()["url"], headers=opened, timeout=60)
    assert (file.status_code, file.headers["content-type"]) == (200, "text/csv; charset=utf-8")
    corrected = file.text.replace("no id", "k1.two")
    again = ended(api, runs.start(api, WORKFLOW, upload_id=upload(api, corrected))["run_id"])
    assert (again["status"], again["total"]) == ("succeeded", 1)
    item = api.get(f"/runs/{again['run_id']}/items/0").json()
    assert (item["row"], item["parameters"]) == (3, {"verification_id": "k1.two"})


def test_s3_takes_no_upload_outside_the_sizes_of_the_form(api: httpx.Client) -> None:
    form = api.post("/runs/uploads", json={"format": "csv"}).json()
    empty = httpx.post(form["url"], data=form["fields"], files={"file": ("list", b"")}, timeout=60)
    assert (empty.status_code, "EntityTooSmall" in empty.text) == (400, True)


def test_runs_are_only_for_tokens_with_their_scopes(stack: LocalStack) -> None:
    with stack.new_api(f"runs:read,workflow:{WORKFLOW}") as api:
        assert api.get("/runs").status_code == 200
        refused = api.post(
            "/runs", json={"workflow": WORKFLOW, "items": [{"verification_id": "k1.one"}]}
        )
        assert (refused.status_code, refused.json()["code"]) == (403, "not_permitted")
