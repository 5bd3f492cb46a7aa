"""A restart of `make run` while items wait: the emulator ends their runs, and a retry goes on."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from infra import sam
from infra.generate.new_test import NewTest
from infra.generate.plan import Plan, plan
from infra.generate.write import write
from tests.builders.project_copies import NOT_IN_A_COPY
from tests.e2e import runs
from tests.e2e.conftest import Json, LocalStack, eventually

HANDLER = '''
"""rest: sleeps, then waits."""

from functions.core.workflow import Call, Parameters, Result, workflow


class Rest(Parameters):
    """The parameters of a call."""

    sleep: float = 0
    wait: float = 0


class RestResult(Result):
    """The answer."""

    activated: bool


def rest(parameters: Rest, call: Call) -> RestResult:
    """Sleeps, then waits."""
    if parameters.sleep:
        call.sleep("nap", seconds=parameters.sleep)
    event = call.wait_for("user.activated", seconds=parameters.wait) if parameters.wait else None
    return RestResult(activated=event is not None)


lambda_handler = workflow(rest, long=True)
'''


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of the project with a long workflow."""
    copy = tmp_path / "project"
    shutil.copytree(sam.ROOT, copy, ignore=NOT_IN_A_COPY)
    write(copy, plan(copy, "rest", "blank"), unchecked)
    (copy / "functions/workflows/rest/handler.py").write_text(HANDLER)
    return copy


def unchecked(_: Path, planned: Plan) -> NewTest:
    return planned.tests[0]


@pytest.fixture
def started(tmp_path: Path, project: Path) -> Iterator[list[LocalStack]]:
    """The stack, whose restarts a test adds; the last one is stopped after it."""
    stacks = [LocalStack.start(tmp_path / "state", project)]
    yield stacks
    stacks[-1].stop()


def begin(api: httpx.Client, key: str, **parameters: Any) -> httpx.Response:
    return api.post("/workflows/rest", json=parameters, headers={"idempotency-key": key})


def until_it_waits(api: httpx.Client, run_id: str) -> Json:
    return eventually(
        f"{run_id} waits", lambda: runs.read(api, run_id), lambda run: run["waiting"] == 1
    )


def retry(api: httpx.Client, run_id: str) -> str:
    answer = api.post(f"/runs/{run_id}/retry")
    assert answer.status_code == 202, answer.text
    return str(answer.json()["run_id"])


@pytest.mark.soak(only=True)
def test_runs_that_a_restart_ends_are_named_and_go_on_by_a_retry(
    started: list[LocalStack], project: Path
) -> None:
    stack = started[0]
    with stack.api() as api:
        first = begin(api, "sleeps-for-ten-minutes", sleep=600)
        assert first.status_code == 202, first.text
        sleeps = first.json()["run_id"]
        # The same key and parameters are the same run.
        assert begin(api, "sleeps-for-ten-minutes", sleep=600).json()["run_id"] == sleeps
        assert begin(api, "sleeps-for-ten-minutes", sleep=601).status_code == 422
        waits = begin(api, "waits-for-ten-minutes", wait=600).json()["run_id"]
        until = until_it_waits(api, sleeps)["waiting_until"]
        until_it_waits(api, waits)
    stack.end()

    again = LocalStack.start(stack.state, project)
    started.append(again)
    again.wait_for_text(f"runs/{sleeps}/retry")
    again.wait_for_text(f"runs/{waits}/retry")
    with again.api() as api:
        assert runs.read(api, sleeps)["status"] == "failed"
        assert until_it_waits(api, retry(api, sleeps))["waiting_until"] == until
        going_on = retry(api, waits)
        until_it_waits(api, going_on)
        sent = api.post(f"/runs/{going_on}/events", json={"type": "user.activated"})
        assert sent.status_code == 202, sent.text
        assert runs.ended(api, going_on)["result"] == {"activated": True}
