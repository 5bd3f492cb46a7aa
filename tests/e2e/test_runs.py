"""Runs on the local stack: started and read over HTTP, run by RunWorkflow."""

import json
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from itertools import pairwise
from typing import Any

import httpx
import pytest

from tests.builders.parameters import send_parameters
from tests.e2e import runs
from tests.e2e.conftest import WAIT_SCALE, Json, LocalStack, eventually
from tests.e2e.runs import counts, ended, items_of
from tests.sizes import size

SCOPES = "runs:read,runs:write,workflow:probe,workflow:verify_delete,workflow:verify_send"
PROBE = '''
"""probe: a workflow that does what a test asks it to, also in runs that it starts."""

import os
import threading
from typing import Any

from functions.core.observability import logger
from functions.core.runs.items import outcomes
from functions.core.workflow import Call, Parameters, Result, start, workflow


class Probe(Parameters):
    name: str = ""
    seconds: float = 0
    crashes: int = 0
    start: list[dict[str, Any]] | None = None
    options: dict[str, int] = {}


class Probed(Result):
    item_id: str | None
    run_id: str | None = None


def probe(parameters: Probe, call: Call) -> Probed:
    if parameters.start:
        run = start("probe", parameters.start, **parameters.options)
        return Probed(item_id=None, run_id=run.run_id)
    logger.info("probed", probe=parameters.name)
    threading.Event().wait(parameters.seconds)
    run_id, _, index = call.item_id.partition("/")
    outcome = outcomes.find_outcome(run_id, int(index))
    if outcome and outcome.attempts <= parameters.crashes:
        os._exit(1)
    return Probed(item_id=call.item_id)


lambda_handler = workflow(probe, starts=["probe"])
'''
ASYNC = {"prefer": "respond-async"}


@pytest.fixture(scope="module")
def probes(stack: LocalStack) -> LocalStack:
    """The stack with a workflow that starts its own runs, which POST /runs does not know."""
    stack.add_workflow("probe", PROBE)
    return stack


@pytest.fixture(scope="module")
def api(probes: LocalStack) -> Iterator[httpx.Client]:
    """Client that may start and read the runs of this module."""
    with probes.new_api(SCOPES) as client:
        yield client


@pytest.fixture
def name() -> str:
    """Name of a test's probes, which identifies them in the logs."""
    return uuid.uuid4().hex


def start_probes(stack: LocalStack, items: list[Json], **options: int) -> str:
    """Starts a run of probes; returns its id."""
    return str(stack.invoke("probe", start=items, options=options)["run_id"])


def works(stack: LocalStack, name: str) -> int:
    """Number of times that a probe of that name did its work."""
    return sum(f'"probe":"{name}"' in line for line in stack.logs())


def map_run(stack: LocalStack, run_id: str) -> dict[str, int]:
    """Item counts from Step Functions, which a cancelled run does not show."""
    states = stack.emulator.client("stepfunctions")
    (found,) = states.list_map_runs(executionArn=execution_arn(stack, run_id))["mapRuns"]
    counted: dict[str, int] = states.describe_map_run(mapRunArn=found["mapRunArn"])["itemCounts"]
    return counted


def execution_arn(stack: LocalStack, run_id: str) -> str:
    machine: str = stack.running.outputs["RunWorkflowArn"]
    return f"{machine.replace(':stateMachine:', ':execution:')}:{run_id}"


def test_an_async_call_answers_202_at_once_and_its_run_has_the_result(api: httpx.Client) -> None:
    answer = api.post("/workflows/verify_delete", json={"verification_id": "k1.x"}, headers=ASYNC)
    assert (answer.status_code, answer.headers["preference-applied"]) == (202, "respond-async")
    run_id = answer.json()["run_id"]
    assert answer.headers["location"] == f"/runs/{run_id}"
    run = ended(api, run_id)
    assert (run["status"], counts(run)) == ("succeeded", (0, 0, 1, 0))
    assert run["result"] == {"verification_id": "k1.x", "deleted": False}
    assert run["problem"] is None
    assert run["finished_at"] is not None


def test_an_async_call_that_waits_is_answered_with_the_result_of_its_run(
    api: httpx.Client,
) -> None:
    waits = {"prefer": "respond-async, wait=20"}
    answer = api.post("/workflows/verify_delete", json={"verification_id": "k1.x"}, headers=waits)
    assert (answer.status_code, answer.headers["preference-applied"]) == (200, "wait=20")
    assert answer.json() == {"verification_id": "k1.x", "deleted": False}
    assert ended(api, answer.headers["location"].rpartition("/")[2])["result"] == answer.json()


def test_a_token_without_the_scope_starts_no_run(stack: LocalStack) -> None:
    with stack.new_api("workflow:verify_delete") as limited:
        refused = limited.post(
            "/workflows/verify_delete", json={"verification_id": "k1.x"}, headers=ASYNC
        )
    assert (refused.status_code, refused.json()["code"]) == (403, "not_permitted")
    with stack.api() as api:
        checked = api.post(
            "/workflows/verify_check", json={"verification_id": "k1.x", "code": "1"}, headers=ASYNC
        )
    assert (checked.status_code, checked.json()["code"]) == (422, "not_in_background")


def test_a_run_of_one_item_that_stays_wrong_fails_with_its_problem(
    probes: LocalStack, api: httpx.Client
) -> None:
    """Started by a workflow, because a request with wrong items is refused before it starts."""
    run = ended(api, start_probes(probes, [{"name": 5}]))
    assert (run["status"], counts(run), run["result"]) == ("failed", (0, 0, 0, 1), None)
    assert run["problem"]["code"] == "invalid_parameters"
    assert run["started_by"] == {"kind": "workflow", "id": "probe", "index": None}


def test_an_upload_of_wrong_items_starts_nothing(api: httpx.Client) -> None:
    wanted = {
        "workflow": "verify_delete",
        "upload_id": runs.upload(api, "verification_id\nno id\n"),
    }
    refused = api.post("/runs", json=wanted)
    assert (refused.status_code, refused.json()["code"]) == (422, "invalid_parameters")


def test_a_list_counts_right_while_it_runs_and_at_its_end_and_a_retry_runs_the_failed_only(
    probes: LocalStack, api: httpx.Client, name: str
) -> None:
    """Every third item is wrong. The others take two seconds in total, so that progress shows."""
    items: list[Json] = [{"name": name if n % 3 else 5, "seconds": 0.2} for n in range(30)]
    run_id = start_probes(probes, items, max_concurrency=2)
    seen: list[Json] = []

    def look() -> Json:
        seen.append(runs.read(api, run_id))
        return seen[-1]

    eventually(f"{run_id} has ended", look, runs.has_ended)
    assert {each["total"] for each in seen} == {30}
    assert [each["succeeded"] for each in seen] == sorted(each["succeeded"] for each in seen)
    assert len({counts(each) for each in seen}) > 2, "no progress was seen"
    assert (seen[-1]["status"], counts(seen[-1])) == ("partly_failed", (0, 0, 20, 10))
    failed = items_of(api, run_id, status="failed")
    assert [each["index"] for each in failed] == list(range(0, 30, 3))
    assert {(each["status"], each["attempts"], each["problem"]["code"]) for each in failed} == {
        ("failed", 1, "invalid_parameters")
    }
    assert len(items_of(api, run_id)) == 30
    retried = api.post(f"/runs/{run_id}/retry")
    assert retried.status_code == 202, retried.text
    again = ended(api, retried.json()["run_id"])
    assert (again["total"], counts(again)) == (10, (0, 0, 0, 10))
    assert [each["index"] for each in items_of(api, again["run_id"])] == list(range(0, 30, 3))


def test_paced_items_run_one_after_the_other_with_a_wait_between(
    probes: LocalStack, api: httpx.Client
) -> None:
    interval = size(round(1 / WAIT_SCALE), 1)
    run_id = start_probes(probes, [{"name": "paced"}] * 3, interval_seconds=interval)
    run = ended(api, run_id)
    assert (run["status"], counts(run)) == ("succeeded", (0, 0, 3, 0))
    times = [
        (moment(each["started_at"]), moment(each["finished_at"])) for each in items_of(api, run_id)
    ]
    waits = [(begin - end).total_seconds() for (_, end), (begin, _) in pairwise(times)]
    assert len(waits) == 2
    assert min(waits) >= 0.99, waits


def moment(text: str | None) -> datetime:
    assert text
    return datetime.fromisoformat(text)


def test_an_item_that_is_delivered_many_times_also_at_once_is_done_once(
    probes: LocalStack, api: httpx.Client, name: str
) -> None:
    run_id = start_probes(probes, [{"name": name, "seconds": 1}])
    about = probes.emulator.client("stepfunctions").describe_execution(
        executionArn=execution_arn(probes, run_id)
    )
    planned = json.loads(about["input"])
    event = {
        "trigger": "run",
        "run_id": run_id,
        "origin_run_id": run_id,
        "items_key": planned["items_key"],
        "index": 0,
        "start": planned["reference"]["start"],
        "length": planned["reference"]["length"],
        "token_id": None,
        "started_at": about["startDate"].isoformat(),
        "delete_at": planned["delete_at"],
    }
    client = probes.emulator.client("lambda")

    def deliver() -> dict[str, Any]:
        answer = client.invoke(FunctionName="local-wf-probe", Payload=json.dumps(event))["Payload"]
        return dict(json.load(answer))

    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda _: deliver(), range(6)))
    assert {answer.get("status") for answer in answers} <= {"succeeded", None}, (
        f"a null answer means: come back later; {answers}"
    )
    assert ended(api, run_id)["status"] == "succeeded"
    assert deliver() == {"status": "succeeded"}
    assert works(probes, name) == 1
    assert items_of(api, run_id)[0]["attempts"] == 1


def test_items_that_have_not_started_when_a_run_is_cancelled_never_start(
    probes: LocalStack, api: httpx.Client, name: str
) -> None:
    """Items that take ten seconds in total, two at a time: cancelled long before its end."""
    run_id = start_probes(probes, [{"name": name, "seconds": 0.5}] * 40, max_concurrency=2)
    eventually(
        "an item has succeeded", lambda: runs.read(api, run_id), lambda run: run["succeeded"]
    )
    assert api.delete(f"/runs/{run_id}").json()["status"] == "cancelled"
    # The emulator continues the items of a stopped run, where AWS stops them.
    eventually(
        "all items were called",
        lambda: map_run(probes, run_id),
        lambda seen: seen["pending"] == seen["running"] == 0,
    )
    shown = runs.read(api, run_id)
    assert (shown["status"], shown["running"], shown["failed"]) == ("cancelled", 0, 0)
    assert shown["succeeded"] == len(items_of(api, run_id)) == works(probes, name)
    assert 0 < shown["pending"] == 40 - shown["succeeded"]
    again = api.post(f"/runs/{run_id}/retry").json()
    assert (again["total"], again["retry_of"]) == (40, run_id)
    assert counts(ended(api, again["run_id"])) == (0, 0, 40, 0)
    assert works(probes, name) == 40, "an item that had succeeded was repeated"


def test_a_run_that_is_stopped_in_aws_is_found_among_cancelled_ones(
    probes: LocalStack, api: httpx.Client
) -> None:
    """EventBridge tells of it; nobody reads the run itself."""
    run_id = start_probes(probes, [{"name": "stopped", "seconds": 5}])
    states = probes.emulator.client("stepfunctions")
    states.stop_execution(executionArn=execution_arn(probes, run_id))
    eventually(
        "the run is listed as cancelled",
        lambda: api.get("/runs?status=cancelled&workflow=probe").json()["runs"],
        lambda listed: run_id in [each["run_id"] for each in listed],
    )


@pytest.mark.soak(only=True)
def test_an_item_whose_function_crashes_is_tried_again_and_in_the_end_recorded_as_failed(
    probes: LocalStack, api: httpx.Client
) -> None:
    """Three items: one always crashes, one crashes once, one never.

    The tries take most of a minute.
    """
    items: list[Json] = [
        {"name": "always", "crashes": 9},
        {"name": "once", "crashes": 1},
        {"name": "never"},
    ]
    run_id = start_probes(probes, items)
    run = ended(api, run_id, 200)
    assert (run["status"], counts(run)) == ("partly_failed", (0, 0, 2, 1))
    always, once, never = items_of(api, run_id)
    assert (always["status"], always["problem"]["code"]) == ("failed", "item_crashed")
    assert always["attempts"] > 1
    assert (once["status"], once["attempts"], once["problem"]) == ("succeeded", 2, None)
    assert (never["status"], never["attempts"]) == ("succeeded", 1)
    assert never["result"] == {"item_id": f"{run_id}/2", "run_id": None}
    assert runs.failed_indexes(api, run_id) == [0]


def test_step_functions_keeps_nothing_of_an_item(
    stack: LocalStack, api: httpx.Client, email: str
) -> None:
    """Neither inputs and outputs nor error texts contain it."""
    client = stack.emulator.client("stepfunctions")
    run_id = runs.start(api, "verify_send", items=[send_parameters(email)])["run_id"]
    assert ended(api, run_id)["status"] == "succeeded"
    arn = execution_arn(stack, run_id)
    history = client.get_execution_history(executionArn=arn, includeExecutionData=True)["events"]
    assert len(history) > 3
    assert email.partition("@")[0] not in json.dumps(history, default=str)
    assert len(stack.inbox(email)) == 1
