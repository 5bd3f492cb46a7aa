"""Runs as clients see them: started, uploaded, watched and read over HTTP."""

from typing import Any

import httpx

from tests.e2e.conftest import WAIT_SECONDS, Json, LocalStack, eventually

BEGINS = """
from typing import Any

from functions.core.workflow import Parameters, Result, start, workflow


class Items(Parameters):
    items: list[dict[str, Any]]


class Begun(Result):
    run_id: str


def NAME_begin(asked: Items) -> Begun:
    return Begun(run_id=start("NAME", asked.items).run_id)


lambda_handler = workflow(NAME_begin, starts=["NAME"])
"""


def add_start(stack: LocalStack, workflow: str) -> None:
    """Adds a workflow that starts runs of another: the API knows only those of the template."""
    stack.add_workflow(f"{workflow}_begin", BEGINS.replace("NAME", workflow))


def begin(stack: LocalStack, workflow: str, *items: Json) -> str:
    """Starts a run by a workflow that was added so, and returns its id."""
    return str(stack.invoke(f"{workflow}_begin", items=items)["run_id"])


def upload(api: httpx.Client, text: str, kind: str = "csv") -> str:
    """Uploads a list as a client does; returns the upload's id."""
    made = api.post("/runs/uploads", json={"format": kind})
    assert made.status_code == 201, made.text
    form = made.json()
    files = {"file": ("list", text.encode())}
    sent = httpx.post(form["url"], data=form["fields"], files=files, timeout=60)
    assert sent.status_code == 204, sent.text
    return str(form["upload_id"])


def start(api: httpx.Client, workflow: str, **wanted: Any) -> Json:
    """Starts a run and returns its first state."""
    started = api.post("/runs", json={"workflow": workflow} | wanted)
    assert started.status_code == 202, started.text
    run: Json = started.json()
    return run


def read(api: httpx.Client, run_id: str) -> Json:
    """Current state of a run."""
    shown: Json = api.get(f"/runs/{run_id}").raise_for_status().json()
    ended_otherwise = shown["waiting"] + shown["skipped"]
    assert sum(counts(shown)) + ended_otherwise == shown["total"], shown
    return shown


def counts(run: Json) -> tuple[int, int, int, int]:
    return run["pending"], run["running"], run["succeeded"], run["failed"]


def has_ended(run: Json) -> bool:
    return bool(run["status"] != "running")


def ended(api: httpx.Client, run_id: str, seconds: float = WAIT_SECONDS) -> Json:
    """Waits until a run has ended, and returns it."""
    return eventually(f"{run_id} has ended", lambda: read(api, run_id), has_ended, seconds)


def items_of(api: httpx.Client, run_id: str, **query: Any) -> list[Json]:
    """Outcomes of a run's items, over all pages."""
    return _pages(api, f"/runs/{run_id}/items", "items", query)


def failed_indexes(api: httpx.Client, run_id: str) -> list[int]:
    return [item["index"] for item in items_of(api, run_id, status="failed", limit=30)]


def readable(api: httpx.Client) -> list[Json]:
    """All runs that the token may read, over all pages.

    A page can be empty where other tests' runs fill it.
    """
    return _pages(api, "/runs", "runs", {})


def _pages(api: httpx.Client, url: str, name: str, query: Json) -> list[Json]:
    found: list[Json] = []
    while True:
        page = api.get(url, params=query).raise_for_status().json()
        found += page[name]
        if page["cursor"] is None:
            return found
        query = query | {"cursor": page["cursor"]}
