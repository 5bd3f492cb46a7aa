"""infra/run_workflow.asl.yaml under a second interpreter, moto's.

It starts no Lambda: the item's trigger answers in this process. moto reads no JSON Lines and knows
no Express children; both are replaced here, and e2e has them. Waits are noted, not waited.
"""

import io
import json
import os
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
import yaml
from moto import mock_aws
from moto.awslambda.exceptions import LambdaClientError
from moto.awslambda_simple.models import LambdaSimpleBackend
from moto.stepfunctions.parser.asl.component.common.retry import retrier_decl
from moto.stepfunctions.parser.asl.component.state.exec.state_task import lambda_eval_utils
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service import (
    state_task_service_dynamodb,
)
from moto.stepfunctions.parser.asl.component.state.wait.wait_function.wait_function import (
    WaitFunction,
)
from moto.stepfunctions.parser.asl.utils.boto_client import boto_client_for

from functions.api.runs.handler import lambda_handler as end_of_runs
from functions.core.aws import step_functions
from functions.core.errors import Conflict, Unavailable
from functions.core.runs import execution
from functions.core.runs.items import outcomes
from functions.core.runs.run import Run, describe
from functions.core.runs.start import start
from functions.core.workflow import Parameters, Result, workflow
from infra import sam
from tests.builders import Context
from tests.workflows.conftest import ACCOUNT, Settings, account, admin

pytestmark = pytest.mark.slow

CONFIG: Any = {"stepfunctions": {"execute_state_machine": True}, "lambda": {"use_docker": False}}
UNKNOWN = {
    '"InputType": "JSONL"': '"InputType": "JSON"',
    '"ExecutionType": "EXPRESS"': '"ExecutionType": "STANDARD"',
    '"ToleratedFailurePercentage": 100': '"ToleratedFailurePercentage": 100.0',
}
"""Parts of the definition that moto cannot read, with their replacements."""
MOTOS_JSON = (
    "moto.stepfunctions.parser.asl.component.state.exec.state_map.item_reader.eval"
    ".resource_output_transformer.transformer_json.json"
)
"""Module with which moto reads a list of items."""
RUN_SECONDS = 60
"""A run that takes longer than this never ends."""

Event = dict[str, Any]
Answer = Callable[[Event], object]


class Greeting(Parameters):
    name: str


class Greeted(Result):
    text: str


class Functions:
    """Lambda, with the one function `greet`.

    Each call takes the next answer of the script; later ones run the item.
    """

    def __init__(self) -> None:
        self.script: list[Answer] = []
        self.do: Callable[[Greeting], object] = lambda _: None
        self.called: list[int] = []
        """Index of each called item, including throttled calls."""
        self.ran: list[str] = []
        """Name in each item that ran."""
        self.lock = threading.Lock()
        self.handler = workflow(self.greet)

    def greet(self, greeting: Greeting) -> Greeted:
        with self.lock:
            self.ran.append(greeting.name)
        self.do(greeting)
        return Greeted(text=f"Hello, {greeting.name}")

    def invoke(
        self, function_name: str, _qualifier: object, body: str, _headers: object, headers: Any
    ) -> bytes:
        event = json.loads(body)
        if function_name == "stack-runs":
            return json.dumps(self.end(event)).encode()
        assert (function_name, event["trigger"]) == ("stack-wf-greet", "run")
        with self.lock:
            self.called.append(event["index"])
            answer = self.script.pop(0) if self.script else lambda _: None
        try:
            return json.dumps(answer(event) or self.handler(event, Context(245_000))).encode()
        except LambdaClientError:
            raise
        except Exception as error:  # noqa: BLE001 - as Lambda's runtime has it
            headers["x-amz-function-error"] = "Unhandled"
            name = error.args[0] if isinstance(error, Crash) else type(error).__name__
            return json.dumps({"errorType": name, "errorMessage": "…"}).encode()

    def end(self, event: Event) -> Event:
        """The API of runs; moto has no Map Runs, so the outcomes are counted here."""
        run_id = event["execution"]["run_id"]
        stored = outcomes.list_outcomes(run_id)[0]
        counted = Counter(each.status for each in stored)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(execution, "count_items", lambda _: counted)
            return dict(end_of_runs(event, Context(245_000)))


class Crash(Exception):
    """Lambda's error for a function that ends without an answer."""


def crashed(name: str = "Runtime.ExitError") -> Answer:
    def answer(_: Event) -> None:
        raise Crash(name)

    return answer


def throttled(_: Event) -> None:
    raise LambdaClientError("TooManyRequestsException", "Rate Exceeded.")


class Waits(list[float]):
    """Seconds that the interpreter would have waited."""

    def sleep(self, seconds: float) -> None:
        self.append(seconds)


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> Waits:
    noted = Waits()
    monkeypatch.setattr(retrier_decl, "time", noted)
    monkeypatch.setattr(
        WaitFunction,
        "_wait_interval",
        lambda _, env, wait_seconds: noted.append(wait_seconds),  # noqa: ARG005
    )
    return noted


@pytest.fixture(scope="module")
def machine() -> Iterator[None]:
    """One machine for all tests, because moto takes long to read it; each test has its own run."""
    with pytest.MonkeyPatch.context() as monkeypatch, mock_aws(config=CONFIG):
        settings = Settings(monkeypatch)
        monkeypatch.setattr(MOTOS_JSON, SimpleNamespace(loads=read_lines))
        monkeypatch.setattr(lambda_eval_utils, "boto_client_for", one_client)
        monkeypatch.setattr(state_task_service_dynamodb, "boto_client_for", one_client)
        with account(settings):
            role = f"arn:aws:iam::{ACCOUNT}:role/runs"
            made = admin("stepfunctions").create_state_machine(
                name="Runs", definition=definition(), roleArn=role
            )
            settings.set(RUN_WORKFLOW=made["stateMachineArn"])
            yield


@pytest.fixture
def functions(
    machine: None,  # noqa: ARG001
    waits: Waits,  # noqa: ARG001
    log: io.StringIO,  # noqa: ARG001
    monkeypatch: pytest.MonkeyPatch,
) -> Functions:
    """The log is not checked for errors, because the failures here are intended."""
    stand_in = Functions()
    monkeypatch.setattr(
        LambdaSimpleBackend, "invoke", lambda _, *arguments: stand_in.invoke(*arguments)
    )
    return stand_in


def one_client(region: str, service: str, **_: object) -> Any:
    """Replaces the interpreter's client per task; a new client is the slow part of a test."""
    return cached_client(region, service)


cached_client = cache(boto_client_for)


def definition() -> str:
    text = json.dumps(yaml.safe_load((sam.ROOT / "infra/run_workflow.asl.yaml").read_text()))
    values = {
        "Partition": "aws",
        "RunsFunction": "stack-runs",
        "Functions": "stack-wf-",
        "OutcomesTable": "local-outcomes",
        "RunsBucket": "runs",
    }
    for name, value in values.items():
        text = text.replace(f"${{{name}}}", value)
    for theirs, known in UNKNOWN.items():
        text = text.replace(theirs, known)
    return text


def read_lines(text: str) -> list[Any]:
    return [json.loads(line) for line in text.splitlines()]


def run(names: Iterable[str] = ("Ana",), **options: Any) -> Run:
    """Starts a run and waits until it has ended."""
    begun = start(
        "greet", [{"name": name} for name in names], token_id="0123456789abcdef", **options
    )
    wait_for(step_functions._arn(os.environ["RUN_WORKFLOW"], begun.run_id))
    return begun


def wait_for(arn: str) -> None:
    for _ in range(RUN_SECONDS * 100):
        if admin("stepfunctions").describe_execution(executionArn=arn)["status"] != "RUNNING":
            return
        threading.Event().wait(0.01)
    raise AssertionError(f"{arn} has not ended")


def status(begun: Run) -> tuple[str, str | None]:
    """Status of the execution, and its error."""
    _, about = execution.read(begun.run_id)
    return about["status"], about.get("error")


def outcome(begun: Run, index: int = 0) -> tuple[str, int, str | None]:
    """Status and attempts of an item, and the code of its problem."""
    found = outcomes.find_outcome(begun.run_id, index)
    assert found
    return found.status, found.attempts, found.problem.code if found.problem else None


def test_an_item_that_succeeds_is_a_run_that_succeeds(functions: Functions) -> None:
    begun = run()
    assert status(begun) == ("SUCCEEDED", None)
    assert outcome(begun) == ("succeeded", 1, None)
    assert describe(begun.run_id).result == {"text": "Hello, Ana"}
    assert functions.called == [0]


def test_an_item_that_fails_is_not_tried_again_and_fails_its_run(functions: Functions) -> None:
    functions.do = raises(Conflict("It is so."))
    begun = run()
    assert status(begun) == ("FAILED", "RunFailed")
    assert outcome(begun) == ("failed", 1, "conflict")
    assert functions.called == [0]


def raises(error: Exception) -> Callable[[Greeting], None]:
    def do(_: Greeting) -> None:
        raise error

    return do


def test_an_item_that_crashes_is_tried_again_until_it_succeeds(
    functions: Functions, waits: Waits
) -> None:
    functions.script = [crashed(), crashed("Runtime.OutOfMemory")]
    begun = run()
    assert (status(begun)[0], outcome(begun)) == ("SUCCEEDED", ("succeeded", 1, None))
    assert within(waits, 3, 6)


def within(waits: Waits, *longest: float) -> bool:
    """Whether there are as many waits as limits, each at most as long as its limit."""
    return len(waits) == len(longest) and all(
        0 <= wait <= most for wait, most in zip(waits, longest, strict=True)
    )


def test_an_item_that_crashes_at_every_try_is_recorded_as_crashed(
    functions: Functions, waits: Waits
) -> None:
    functions.script = [crashed()] * 6
    begun = run()
    assert status(begun) == ("FAILED", "RunFailed")
    assert outcome(begun) == ("failed", 0, "item_crashed")
    assert list(outcomes.failed_indexes(begun.run_id)) == [0]
    assert within(waits, 3, 6, 12, 24, 30)


def test_a_transient_error_that_persists_keeps_the_problem_of_its_last_try(
    functions: Functions,
) -> None:
    functions.do = raises(Unavailable("The provider is away."))
    begun = run()
    assert status(begun) == ("FAILED", "RunFailed")
    assert outcome(begun) == ("failed", 6, "unavailable")


def test_an_item_that_hung_until_lambda_ended_it_is_not_tried_again(functions: Functions) -> None:
    functions.script = [crashed("Sandbox.Timedout")]
    begun = run()
    assert outcome(begun) == ("failed", 0, "item_crashed")
    assert functions.called == [0]


def test_an_item_whose_answers_are_lost_stays_as_it_ended(functions: Functions) -> None:
    """The record of a crash is refused for an item that is done."""

    def loses_the_answer(event: Event) -> None:
        functions.handler(event, Context(245_000))
        raise Crash("Runtime.ExitError")

    functions.script = [loses_the_answer] + [crashed()] * 5
    begun = run()
    assert status(begun) == ("SUCCEEDED", None)
    assert outcome(begun) == ("succeeded", 1, None)


def test_a_throttled_item_has_not_run_and_runs_once_when_there_is_room(
    functions: Functions, waits: Waits
) -> None:
    functions.script = [throttled] * 20
    begun = run()
    assert (status(begun)[0], outcome(begun)) == ("SUCCEEDED", ("succeeded", 1, None))
    assert functions.ran == ["Ana"]
    assert within(waits, 1, 2, 4, 8, *[12] * 16)


def test_throttles_use_up_no_try_of_an_item_that_crashes(functions: Functions) -> None:
    functions.script = [
        each for _ in range(5) for each in (throttled, throttled, throttled, throttled, crashed())
    ]
    begun = run()
    assert (status(begun)[0], outcome(begun)) == ("SUCCEEDED", ("succeeded", 1, None))


def test_an_item_that_is_throttled_to_the_end_is_recorded_and_can_be_retried(
    functions: Functions,
) -> None:
    functions.script = [throttled] * 21
    begun = run()
    assert status(begun) == ("FAILED", "RunFailed")
    assert outcome(begun) == ("failed", 0, "item_crashed")
    assert (len(functions.called), functions.ran) == (21, [])


def test_a_list_runs_every_item_and_its_run_succeeds_though_some_fail(functions: Functions) -> None:
    functions.do = lambda greeting: (
        raises(Conflict("It is so."))(greeting) if greeting.name == "Eve" else None
    )
    begun = run(["Ana", "Eve", "Bo"])
    assert status(begun)[0] == "SUCCEEDED"
    found = [outcome(begun, index) for index in range(3)]
    assert found == [("succeeded", 1, None), ("failed", 1, "conflict"), ("succeeded", 1, None)]
    assert Counter(functions.ran) == Counter(["Ana", "Eve", "Bo"])


def test_items_of_a_list_that_crash_or_are_throttled_are_tried_again_each_on_its_own(
    functions: Functions,
) -> None:
    functions.script = [throttled, crashed(), throttled, crashed()]
    begun = run(["Ana", "Eve", "Bo"], max_concurrency=1)
    assert status(begun)[0] == "SUCCEEDED"
    assert [outcome(begun, index)[0] for index in range(3)] == ["succeeded"] * 3
    assert functions.called == [0, 0, 0, 0, 0, 1, 2]


def test_as_many_items_of_a_list_run_at_once_as_it_says(functions: Functions) -> None:
    together, now, most = threading.Barrier(2, timeout=30), Counter[str](), [0]

    def meets_another(_: Greeting) -> None:
        with functions.lock:
            now["running"] += 1
            most[0] = max(most[0], now["running"])
        together.wait()
        with functions.lock:
            now["running"] -= 1

    functions.do = meets_another
    begun = run("abcdef", max_concurrency=2)
    assert [outcome(begun, index)[0] for index in range(6)] == ["succeeded"] * 6
    assert most == [2]


def test_results_of_children_are_written_where_the_machines_role_may_whatever_its_input_says(
    functions: Functions,
) -> None:
    assert functions
    about, described = execution.read(run(["Ana", "Eve"]).run_id)
    again = msgspec.json.encode(about).decode()
    machine = described["stateMachineArn"]
    started = admin("stepfunctions").start_execution(
        stateMachineArn=machine, name="by-hand", input=again
    )
    wait_for(started["executionArn"])
    written = admin("s3").list_objects_v2(Bucket="runs", Prefix="runs/by-hand/results/")["Contents"]
    assert [each["Key"].endswith("/manifest.json") for each in written] == [True]


def test_paced_items_run_in_their_order_with_the_wait_between_them(
    functions: Functions, waits: Waits
) -> None:
    begun = run(["Ana", "Eve", "Bo"], interval_seconds=7)
    assert status(begun)[0] == "SUCCEEDED"
    assert functions.ran == ["Ana", "Eve", "Bo"]
    assert waits == [7, 7]


def test_a_paced_item_that_crashes_is_recorded_and_the_next_one_runs(functions: Functions) -> None:
    functions.script = [crashed()] * 6
    begun = run(["Ana", "Eve"], interval_seconds=7)
    assert [outcome(begun, index) for index in range(2)] == [
        ("failed", 0, "item_crashed"),
        ("succeeded", 1, None),
    ]
    assert functions.ran == ["Eve"]
