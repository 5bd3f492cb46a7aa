"""Events, executions, files and records that one release writes and another one reads.

A deployment replaces the code while executions continue and schedules wait. After a rollback, older
code reads what newer code wrote.
"""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from functions.api.authorize.handler import lambda_handler as authorize
from functions.api.schedules.handler import lambda_handler as schedules_handler
from functions.core.auth.lookup import read_token
from functions.core.auth.tokens import issue_token
from functions.core.aws import s3
from functions.core.runs import execution, records
from functions.core.runs.files import read_references
from functions.core.runs.items import outcomes
from functions.core.runs.start import start
from functions.core.schedules.definition import Definition, find_definition
from functions.core.schedules.times.timing import Timing
from functions.core.workflow import Parameters, Result, workflow
from tests.builders import Context, call
from tests.workflows.conftest import Settings, admin

pytestmark = pytest.mark.usefixtures("cloud")

UNKNOWN = {"of_the_next_release": {"any": "thing"}}
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


class Greeting(Parameters):
    name: str


class Greeted(Result):
    text: str


def greet(greeting: Greeting) -> Greeted:
    return Greeted(text=f"Hello, {greeting.name}")


HANDLER = workflow(greet)
GREETED = {"text": "Hello, Ana"}
SCOPES = ("workflow:greet", "runs:write")


def a_call(trigger: str) -> None:
    event = {"trigger": trigger, "parameters": {"name": "Ana"}} | UNKNOWN
    assert HANDLER(event, Context()) == {"result": GREETED, "problem": None}


def an_item_of_a_run() -> None:
    admin("s3").put_object(Bucket="runs", Key="runs/items.jsonl", Body=b'{"name": "Ana"}')
    run_id = f"greet.{'0' * 26}"
    event = {
        "trigger": "run",
        "run_id": run_id,
        "origin_run_id": run_id,
        "index": 0,
        "start": 0,
        "length": 15,
        "items_key": "runs/items.jsonl",
        "token_id": None,
        "started_at": datetime.now(UTC).isoformat(),
        "delete_at": "1900000000",
    }
    assert HANDLER(event | UNKNOWN, Context(245_000)) == {"status": "succeeded"}


def a_validation() -> None:
    event = {"trigger": "validate", "items": [{"name": "Ana"}], "parameters": {}} | UNKNOWN
    answer = HANDLER(event, Context())
    assert answer == {"problems": [], "checked": 1, "invalid": 0, "problem": None}


def the_input_of_an_execution() -> None:
    begun = start("greet", [{"name": "Ana"}], token_id=None)
    about, described = execution.read(begun.run_id)
    again = msgspec.structs.replace(about, run_id=f"greet.{'1' * 26}")
    text = json.dumps(msgspec.to_builtins(again) | UNKNOWN)
    machine = described["stateMachineArn"]
    admin("stepfunctions").start_execution(stateMachineArn=machine, name=again.run_id, input=text)
    assert execution.read(again.run_id)[0] == again


def references_to_items() -> None:
    line = json.dumps({"index": 0, "start": 0, "length": 15} | UNKNOWN)
    admin("s3").put_object(Bucket="runs", Key="runs/references.jsonl", Body=f"{line}\n".encode())
    assert [each.length for each in read_references("runs/references.jsonl")] == [15]


def an_event_of_a_schedule() -> None:
    fired = {
        "trigger": "schedule",
        "schedule_id": definition().schedule_id,
        "scheduled_at": "2026-11-22T12:00:00Z",
    }
    run_id = schedules_handler(fired | UNKNOWN, Context())["run_id"]
    assert records.find(run_id)


def definition() -> Definition:
    """Definition of a schedule with an unknown field in its stored form and in its timing."""
    token_id = issue_token("server", "secret", SCOPES).token.token_id
    timing = Timing(kind="once", expression="at(2026-11-22T12:00:00)", first_at=NOW)
    made = Definition(
        schedule_id=f"greet.{'0' * 16}",
        workflow="greet",
        parameters={"name": "Ana"},
        timing=timing,
        token_id=token_id,
        created_at=NOW,
    )
    stored = msgspec.to_builtins(made) | UNKNOWN
    stored["timing"] |= UNKNOWN
    s3.write(f"schedules/{made.schedule_id}.json", msgspec.json.encode(stored))
    assert find_definition(made.schedule_id) == made
    return made


def an_outcome() -> None:
    """An outcome, which the state machine can write too."""
    item = {
        "run_id": {"S": "r"},
        "index": {"N": "0"},
        "status": {"S": "failed"},
        "delete_at": {"N": "1"},
    }
    admin("dynamodb").put_item(
        TableName="local-outcomes", Item=item | {"next": {"M": {"any": {"S": "thing"}}}}
    )
    found = outcomes.find_outcome("r", 0)
    assert found
    assert found.status == "failed"


def a_token() -> None:
    text, token = issue_token("server", "secret", SCOPES)
    admin("dynamodb").update_item(
        TableName="local-tokens",
        Key={"token_id": {"S": token.token_id}},
        UpdateExpression="SET of_the_next_release = :any",
        ExpressionAttributeValues={":any": {"S": "thing"}},
    )
    assert read_token(token.token_id)
    asked = {"version": "2.0", "type": "REQUEST", "headers": {"authorization": f"Bearer {text}"}}
    assert authorize(asked | UNKNOWN, Context())["isAuthorized"] is True


READ = {
    "a direct call": lambda: a_call("direct"),
    "a call by a schedule": lambda: a_call("schedule"),
    "an item of a run": an_item_of_a_run,
    "a validation": a_validation,
    "the input of an execution": the_input_of_an_execution,
    "references to items": references_to_items,
    "an event of a schedule, and its definition": an_event_of_a_schedule,
    "an outcome": an_outcome,
    "a token": a_token,
}


@pytest.mark.parametrize("read", READ.values(), ids=READ)
def test_a_field_of_another_release_changes_nothing(
    read: Callable[[], Any], settings: Settings
) -> None:
    function = "arn:aws:lambda:us-east-1:123456789012:function:local-schedules"
    settings.set(WORKFLOW_FUNCTIONS="local-wf-", SCHEDULES_FUNCTION=function)
    read()


def test_a_field_that_a_client_made_up_is_still_refused() -> None:
    """Parameters come from clients; an unknown field in them is a mistake."""
    reply = call(HANDLER, {"name": "Ana"} | UNKNOWN, scopes=SCOPES)
    assert (reply.status, reply.body["errors"][0]["pointer"]) == (422, "/of_the_next_release")
