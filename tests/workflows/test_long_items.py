"""Items of long workflows, as RunWorkflow calls their function."""

from typing import Any

import pytest

from functions.core import clock as times
from functions.core.clock import rfc3339, utc
from functions.core.errors import Unavailable
from functions.core.runs import files
from functions.core.runs.items import outcomes
from functions.core.runs.items.suspension import MOST_WAITS
from functions.core.triggers.run_item import WillTryAgain
from functions.core.workflow import Call, Parameters, Result, workflow
from tests.builders import Context, call
from tests.builders.run_items import RUN_ID, delivery, outcome
from tests.workflows.conftest import Clock, admin

HOUR = 3600


@pytest.fixture(autouse=True)
def clock(cloud: None, clock: Clock) -> Clock:  # noqa: ARG001 - the account comes first
    return clock


class Person(Parameters):
    name: str


class Done(Result):
    text: str


def rest(person: Person, call: Call) -> Done:
    call.sleep("rest", hours=1)
    event = call.wait_for("user.activated", key=person.name, hours=1)
    return Done(text=f"{person.name} {event.data if event else 'late'}")


LONG = workflow(rest, long=True)


def deliver(handler: Any = LONG, **fields: object) -> dict[str, Any]:
    return run(delivery(), handler, **fields)


def run(event: dict[str, Any], handler: Any = LONG, **fields: object) -> dict[str, Any]:
    """Delivers an item, as the state that is entered now does."""
    entered = {"started_at": rfc3339(utc(times.now()))}
    answer: dict[str, Any] = handler(event | entered | fields, Context(245_000))
    return answer


def test_an_item_that_sleeps_says_until_when_and_what_it_is_after_that(clock: Clock) -> None:
    first = deliver()
    assert (first["status"], first["seconds"]) == ("waiting", HOUR + 1), "never too early"
    assert "listens" not in first
    assert (outcome().status, outcome().waiting_for) == ("waiting", None)
    assert outcome().waiting_until == first["until"]
    clock.advance(HOUR + 1)
    second = deliver()
    by_item, by_key = second["listens"]["addresses"]
    assert by_item == f"item user.activated {RUN_ID}/1"
    assert by_key.startswith("key user.activated ")
    assert outcome().waiting_for == "user.activated"
    clock.advance(HOUR + 1)
    assert deliver() == {"status": "succeeded", "waited": True}
    assert outcome().result == {"text": "Ana late"}


def test_an_item_of_a_list_leaves_at_its_first_wait_and_a_single_one_does_not() -> None:
    assert deliver(branch="many")["leaves"] == 1
    assert deliver(branch="paced")["leaves"] == 2
    assert "leaves" not in deliver(branch="one")


def test_a_single_item_leaves_before_the_history_of_its_execution_is_full() -> None:
    outcomes.Outcome(RUN_ID, 1, status="waiting", waits=MOST_WAITS - 2, delete_at=1).save()
    assert "leaves" not in deliver()
    assert deliver()["leaves"] == MOST_WAITS


def test_its_parameters_outlive_the_files_of_the_run(clock: Clock) -> None:
    event = delivery()
    run(event)
    admin("s3").delete_object(Bucket="runs", Key="runs/items.jsonl")
    for _ in range(2):
        clock.advance(HOUR + 1)
        answer = run(event)
    assert answer["status"] == "succeeded"


def test_a_retry_finds_the_parameters_that_were_kept(clock: Clock) -> None:
    event = delivery()
    run(event)
    admin("s3").delete_object(Bucket="runs", Key="runs/items.jsonl")
    clock.advance(HOUR + 1)
    again = {"run_id": f"rest.{'1' * 26}", "start": 0, "length": 0}
    assert run(event, **again)["status"] == "waiting"
    assert files.read_parked(RUN_ID, 1) == {"name": "Ana"}, "it was not overwritten"


def test_an_execution_of_an_earlier_definition_is_not_told_to_wait() -> None:
    """Its states would take the item for one that has ended."""

    def send(person: Person, call: Call) -> Done:  # noqa: ARG001 - a workflow has parameters
        call.step("send", refuse)
        return Done(text="")

    def refuse() -> None:
        raise Unavailable("Not now.")

    with pytest.raises(WillTryAgain):
        deliver(workflow(send, long=True), branch=None)


def test_its_key_stays_taken_while_it_waits(clock: Clock) -> None:
    keyed = workflow(rest, long=True, one_per="name")
    assert deliver(keyed)["status"] == "waiting"
    clock.advance(HOUR / 2)
    other = f"rest.{'1' * 26}"
    assert deliver(keyed, run_id=other, origin_run_id=other)["status"] == "skipped"


def test_over_http_it_is_always_a_run_and_no_call_waits_for_it() -> None:
    reply = call(LONG, {"name": "Ana"}, scopes=("workflow:rest", "runs:write"))
    assert (reply.status, reply.body["status"]) == (202, "running")
    answer = LONG({"trigger": "direct", "parameters": {"name": "Ana"}}, Context(25_000))
    assert answer["problem"]["code"] == "only_in_background"
