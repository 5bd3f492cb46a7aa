"""Runs on the local stack: started and read by functions.core.runs in this process, run by RunWorkflow."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from itertools import pairwise
from typing import Any

import httpx
import pytest

from functions.core.runs import execution, outcomes
from functions.core.runs.outcomes import ItemOutcome
from functions.core.runs.run import Run, cancel, describe
from functions.core.runs.start import retry, start
from tests.e2e.conftest import WAIT_SCALE, LocalStack, ended, eventually
from tests.sizes import size

PROBE = '''
"""probe: a workflow that does what a test asks it to."""

import os
import threading

from functions.core.workflow import Call, Parameters, Result, workflow
from functions.core.observability import logger
from functions.core.runs import outcomes


class Probe(Parameters):
    name: str
    seconds: float = 0
    crashes: int = 0


class Probed(Result):
    item_id: str | None


def probe(parameters: Probe, call: Call) -> Probed:
    logger.info("probed", probe=parameters.name)
    threading.Event().wait(parameters.seconds)
    run_id, _, index = call.item_id.partition("/")
    if outcomes.find_outcome(run_id, int(index)).attempts <= parameters.crashes:
        os._exit(1)
    return Probed(item_id=call.item_id)


lambda_handler = workflow(probe)
'''


@pytest.fixture(scope="module", autouse=True)
def probe(stack: LocalStack, in_stack: None) -> None:  # noqa: ARG001 - whose environment the tests need
    stack.add_workflow("probe", PROBE)


def counts(run: Run) -> tuple[int, int, int, int]:
    return run.pending, run.running, run.succeeded, run.failed


def all_outcomes(run: Run) -> list[ItemOutcome]:
    return outcomes.list_outcomes(run.run_id)[0]


def works(stack: LocalStack, name: str) -> int:
    """How often a probe of that name did its work."""
    return sum(f'"probe":"{name}"' in line for line in stack.logs())


def test_an_async_call_answers_202_at_once_and_its_run_has_the_result(stack: LocalStack) -> None:
    token = stack.new_token("secret", "workflow:verify_delete,runs:write")["token"]
    with stack.api(token) as api:
        answer = api.post(
            "/workflows/verify_delete", json={"verification_id": "k1.x"}, headers=ASYNC
        )
    assert (answer.status_code, answer.headers["preference-applied"]) == (202, "respond-async")
    run_id = answer.json()["run_id"]
    assert answer.headers["location"] == f"/runs/{run_id}"
    run = ended(describe(run_id))
    assert (run.status, counts(run)) == ("succeeded", (0, 0, 1, 0))
    assert (run.result, run.problem) == ({"verification_id": "k1.x", "deleted": False}, None)
    assert run.finished_at is not None


ASYNC = {"prefer": "respond-async"}


def test_a_token_without_the_scope_starts_no_run(api: httpx.Client, stack: LocalStack) -> None:
    token = stack.new_token("secret", "workflow:verify_delete")["token"]
    with stack.api(token) as limited:
        refused = limited.post(
            "/workflows/verify_delete", json={"verification_id": "k1.x"}, headers=ASYNC
        )
    assert (refused.status_code, refused.json()["code"]) == (403, "not_permitted")
    checked = api.post(
        "/workflows/verify_check", json={"verification_id": "k1.x", "code": "1"}, headers=ASYNC
    )
    assert (checked.status_code, checked.json()["code"]) == (422, "not_in_background")


def test_a_run_of_one_item_that_stays_wrong_fails_with_its_problem() -> None:
    run = ended(start("verify_delete", [{"verification_id": 1}], token_id=None))
    assert (run.status, counts(run), run.result) == ("failed", (0, 0, 0, 1), None)
    assert run.problem["code"] == "invalid_parameters"


def test_a_list_counts_right_while_it_runs_and_at_its_end_and_a_retry_runs_the_failed_only() -> (
    None
):
    """Every third item is wrong."""
    items: list[dict[str, Any]] = [
        {"verification_id": "k1.x" if n % 3 else "not an id"} for n in range(30)
    ]
    run = start("verify_delete", items, token_id="0123456789abcdef")
    seen = [run]

    def look() -> bool:
        seen.append(describe(run.run_id))
        return seen[-1].status != "running"

    eventually(look)
    assert all(sum(counts(each)) == each.total == 30 for each in seen)
    assert [each.succeeded for each in seen] == sorted(each.succeeded for each in seen)
    assert len({counts(each) for each in seen}) > 2, "progress was seen"
    assert (seen[-1].status, counts(seen[-1])) == ("succeeded", (0, 0, 20, 10))
    failed, _ = outcomes.list_outcomes(run.run_id, failed_only=True)
    assert [each.index for each in failed] == list(range(0, 30, 3))
    assert {(each.status, each.attempts, each.problem["code"]) for each in failed} == {
        ("failed", 1, "invalid_parameters")
    }
    assert len(all_outcomes(run)) == 30
    again = ended(retry(run.run_id, token_id=None))
    assert (again.total, counts(again)) == (10, (0, 0, 0, 10))
    assert [each.index for each in all_outcomes(again)] == [each.index for each in failed]


def test_paced_items_run_one_after_the_other_with_a_wait_between() -> None:
    items = [{"name": f"paced{number}"} for number in range(3)]
    run = ended(
        start("probe", items, token_id=None, interval_seconds=size(round(1 / WAIT_SCALE), 1))
    )
    assert (run.status, counts(run)) == ("succeeded", (0, 0, 3, 0))
    times = [(moment(each.started_at), moment(each.finished_at)) for each in all_outcomes(run)]
    waits = [(begin - end).total_seconds() for (_, end), (begin, _) in pairwise(times)]
    assert len(waits) == 2
    assert min(waits) >= 0.99, waits


def moment(text: str | None) -> datetime:
    assert text
    return datetime.fromisoformat(text)


def test_an_item_that_is_delivered_many_times_also_at_once_is_done_once(stack: LocalStack) -> None:
    run = start("probe", [{"name": "delivered", "seconds": 1}], token_id=None)
    planned, _ = execution.read(run.run_id)
    event = {
        "trigger": "run",
        "run_id": run.run_id,
        "origin_run_id": run.run_id,
        "items_key": planned.items_key,
        "index": 0,
        "start": planned.reference.start,
        "length": planned.reference.length,
        "token_id": None,
        "started_at": run.started_at.isoformat(),
        "delete_at": planned.delete_at,
    }
    client = stack.emulator.client("lambda")

    def deliver() -> dict[str, Any]:
        answer = client.invoke(FunctionName="local-wf-probe", Payload=json.dumps(event))["Payload"]
        return dict(json.load(answer))

    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda _: deliver(), range(6)))
    assert {answer.get("status") for answer in answers} <= {"succeeded", None}, (
        "None: told to come back"
    )
    assert ended(run).status == "succeeded"
    assert deliver() == {"status": "succeeded"}
    assert works(stack, "delivered") == 1
    assert all_outcomes(run)[0].attempts == 1


def test_what_has_not_started_when_a_run_is_cancelled_never_starts(stack: LocalStack) -> None:
    run = start("probe", [{"name": "cancelled", "seconds": 0.5}] * 20, token_id=None)
    eventually(lambda: describe(run.run_id).succeeded)
    assert cancel(run.run_id).status == "cancelled"
    # The emulator goes on with the items of a run that was stopped, where AWS ends them.
    eventually(lambda: all_called(run))
    shown = describe(run.run_id)
    assert (shown.status, shown.running, shown.failed) == ("cancelled", 0, 0)
    assert shown.succeeded == len(all_outcomes(run)) == works(stack, "cancelled")
    assert 0 < shown.pending == 20 - shown.succeeded


def all_called(run: Run) -> bool:
    left = execution.count_items(run.run_id)
    return left["pending"] == left["running"] == 0


@pytest.mark.soak(only=True)
def test_an_item_whose_function_crashes_is_tried_again_and_in_the_end_recorded_as_failed() -> None:
    """Items that crash always, once, never. Its tries take most of a minute."""
    items: list[dict[str, Any]] = [
        {"name": "always", "crashes": 9},
        {"name": "once", "crashes": 1},
        {"name": "never"},
    ]
    run = ended(start("probe", items, token_id=None), 150)
    assert (run.status, counts(run)) == ("succeeded", (0, 0, 2, 1))
    always, once, never = all_outcomes(run)
    assert (always.status, always.problem["code"]) == ("failed", "item_crashed")
    assert always.attempts > 1
    assert (once.status, once.attempts, once.problem) == ("succeeded", 2, None)
    assert (never.status, never.attempts, never.result) == (
        "succeeded",
        1,
        {"item_id": f"{run.run_id}/2"},
    )
    assert list(outcomes.failed_indexes(run.run_id)) == [0]


def test_step_functions_keeps_nothing_of_an_item(stack: LocalStack) -> None:
    """Neither in inputs and outputs nor in what its failures say."""
    client = stack.emulator.client("stepfunctions")
    run = ended(
        start("verify_send", [{"channel": "email", "to": "history@example.com"}], token_id=None)
    )
    assert run.status == "succeeded"
    arn = (
        stack.running.outputs["RunWorkflowArn"].replace(":stateMachine:", ":execution:")
        + f":{run.run_id}"
    )
    history = client.get_execution_history(executionArn=arn, includeExecutionData=True)["events"]
    assert len(history) > 3
    assert "history@" not in json.dumps(history, default=str)
    assert len(stack.inbox("history@example.com")) == 1
