"""Items that wait: time-outs, early events, cancellation, crashes, retries, branches."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.e2e import runs
from tests.e2e.conftest import Json, LocalStack, eventually
from tests.e2e.runs import ended

PATIENT = '''
"""patient: waits in every way, and breaks in some."""

import os

from functions.core.errors import Unavailable
from functions.core.observability import logger
from functions.core.runs.items import outcomes
from functions.core.workflow import Call, Parameters, Result, workflow


class Patient(Parameters):
    name: str
    sleep: float = 0
    wait: float = 0
    crashes: bool = False
    fails: bool = False
    branches: list[float] = []


class Ended(Result):
    activated: bool = False
    branches: int = 0


def outcome(call: Call) -> outcomes.ItemOutcome:
    """Of the item in its first run."""
    run_id, _, index = call.item_id.partition("/")
    return outcomes.find_outcome(run_id, int(index))


def patient(parameters: Patient, call: Call) -> Ended:
    def say(text: str) -> None:
        logger.info(text, patient=parameters.name)

    def crash_once() -> None:
        if outcome(call).attempts == 1:
            os._exit(1)

    def fail_in_the_first_run() -> None:
        say("tried")
        if outcome(call).status != "failed":
            raise Unavailable("It is down.")

    call.step("welcome", lambda: say("welcomed"))
    if parameters.crashes:
        call.step("crash", crash_once)
    if parameters.fails:
        call.step("fail", fail_in_the_first_run, retries=1, first=0.1)
    if parameters.sleep:
        call.sleep("rest", seconds=parameters.sleep)
    event = None
    if parameters.wait:
        event = call.wait_for("user.activated", seconds=parameters.wait)
    succeeded = 0
    if parameters.branches:
        items = [{"name": parameters.name, "sleep": each} for each in parameters.branches]
        succeeded = call.run("patient", items).succeeded
    return Ended(activated=event is not None, branches=succeeded)


lambda_handler = workflow(patient, long=True, starts=["patient"])
'''
SCOPES = "runs:read,runs:write,events:write,workflow:patient"


@pytest.fixture(scope="module")
def patients(stack: LocalStack) -> LocalStack:
    stack.add_workflow("patient", PATIENT)
    runs.add_start(stack, "patient")
    return stack


@pytest.fixture(scope="module")
def api(patients: LocalStack) -> Iterator[httpx.Client]:
    with patients.new_api(SCOPES) as client:
        yield client


def begin(patients: LocalStack, name: str, **parameters: Any) -> str:
    """Starts a run over one item; returns its id."""
    return runs.begin(patients, "patient", {"name": name} | parameters)


def until_it_waits(api: httpx.Client, run_id: str) -> Json:
    return eventually(
        f"{run_id} waits", lambda: runs.read(api, run_id), lambda run: run["waiting"] == 1
    )


def send(api: httpx.Client, run_id: str) -> int:
    return api.post(f"/runs/{run_id}/events", json={"type": "user.activated"}).status_code


def steps(api: httpx.Client, run_id: str) -> list[tuple[str, str, int]]:
    listed = api.get(f"/runs/{run_id}/steps").raise_for_status().json()["steps"]
    return [(each["name"], each["status"], each["attempts"]) for each in listed]


def said(patients: LocalStack, text: str, name: str) -> int:
    """Number of log lines with this text about the item."""
    parts = f'"message":"{text}"', f'"patient":"{name}"'
    return sum(all(part in line for part in parts) for line in patients.logs())


def test_a_wait_ends_without_an_event_when_its_time_is_over(
    patients: LocalStack, api: httpx.Client
) -> None:
    run = ended(api, begin(patients, "timeout", wait=1))
    assert (run["status"], run["result"]["activated"]) == ("succeeded", False)


def test_an_event_that_comes_before_the_wait_counts(
    patients: LocalStack, api: httpx.Client
) -> None:
    run_id = begin(patients, "early", sleep=2, wait=600)
    assert until_it_waits(api, run_id)["waiting_for"] is None
    assert send(api, run_id) == 202
    assert ended(api, run_id)["result"]["activated"] is True


@pytest.mark.parametrize("wait", [{"sleep": 600}, {"wait": 600}], ids=["sleeping", "waiting"])
def test_a_run_is_cancelled_at_once_while_its_item_waits(
    wait: Json, patients: LocalStack, api: httpx.Client
) -> None:
    run_id = begin(patients, "cancelled", **wait)
    until_it_waits(api, run_id)
    assert api.delete(f"/runs/{run_id}").json()["status"] == "cancelled"
    run = runs.read(api, run_id)
    assert (run["status"], run["waiting"], run["pending"]) == ("cancelled", 0, 1)
    assert send(api, run_id) == 409


def test_a_retry_goes_on_at_the_step_that_was_out_of_retries(
    patients: LocalStack, api: httpx.Client
) -> None:
    run_id = begin(patients, "retried", fails=True)
    run = ended(api, run_id)
    assert (run["status"], run["problem"]["code"]) == ("failed", "step_failed")
    assert steps(api, run_id) == [("welcome", "succeeded", 1), ("fail", "failed", 2)]
    retry = api.post(f"/runs/{run_id}/retry")
    assert retry.status_code == 202, retry.text
    again = ended(api, retry.json()["run_id"])
    assert again["status"] == "succeeded"
    assert steps(api, again["run_id"]) == [("welcome", "succeeded", 1), ("fail", "succeeded", 1)]
    assert (said(patients, "welcomed", "retried"), said(patients, "tried", "retried")) == (1, 3)


@pytest.mark.soak(only=True)
def test_a_worker_killed_inside_a_step_does_not_repeat_the_steps_before(
    patients: LocalStack, api: httpx.Client
) -> None:
    """The lease of the killed attempt ends after 12 s; shortened pauses would be over by then."""
    run = ended(api, begin(patients, "killed", crashes=True))
    assert run["status"] == "succeeded", run
    assert steps(api, run["run_id"]) == [("welcome", "succeeded", 1), ("crash", "succeeded", 2)]
    assert said(patients, "welcomed", "killed") == 1


def test_branches_go_side_by_side_while_one_sleeps(patients: LocalStack, api: httpx.Client) -> None:
    run = ended(api, begin(patients, "branches", branches=[0, 0, 1, 0, 0]))
    assert (run["status"], run["result"]["branches"]) == ("succeeded", 5)
    assert said(patients, "welcomed", "branches") == 6
