"""The trigger `run`: one item of a run, delivered at least once and done once."""

import io
import json
import subprocess
import sys
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from functions.core.errors import Conflict, Unavailable
from functions.core.runs import cancellation
from functions.core.runs.items import attempts, outcomes
from functions.core.runs.items.attempts import LEASE_SECONDS, Attempt, Busy
from functions.core.triggers import run_item
from functions.core.triggers.run_item import WillTryAgain
from functions.core.workflow import Call, Parameters, Result, workflow
from functions.workflows.send_email_template.handler import lambda_handler as send_email_template
from functions.workflows.verify_send.handler import lambda_handler as verify_send
from tests import fakes
from tests.builders import Context
from tests.builders.run_items import RUN_ID, delivery, outcome
from tests.workflows.conftest import Clock, Settings, sent_emails

pytestmark = pytest.mark.usefixtures("cloud")


class Greeting(Parameters):
    name: str


class Greeted(Result):
    text: str


class Greeter:
    """A workflow's function that remembers its calls, and may do something else first."""

    def __init__(self, do: Callable[[], object] = lambda: None) -> None:
        self.calls: list[Call] = []
        self.do = do
        self.handler = workflow(self.greet)

    def greet(self, greeting: Greeting, call: Call) -> Greeted:
        self.calls.append(call)
        self.do()
        return Greeted(text=f"Hello, {greeting.name}")

    def deliver(self, event: dict[str, Any] | None = None, remaining_ms: int = 245_000) -> str:
        answer = self.handler(event or delivery(), Context(remaining_ms))
        assert list(answer) == ["status"]
        return str(answer["status"])


def problem_code() -> str | None:
    """Code of the item's problem."""
    found = outcome().problem
    return found.code if found else None


def fails(error: Exception) -> Callable[[], None]:
    def fail() -> None:
        raise error

    return fail


def test_an_item_is_run_with_its_own_parameters_and_its_result_is_kept() -> None:
    greeter = Greeter()
    assert greeter.deliver() == "succeeded"
    assert (outcome().status, outcome().attempts, outcome().problem) == ("succeeded", 1, None)
    assert outcome().result == {"text": "Hello, Ana"}
    assert greeter.calls[0].trigger == "run"
    assert (greeter.calls[0].caller, greeter.calls[0].item_id) == (None, f"{RUN_ID}/1")


def test_an_item_that_is_delivered_again_is_not_done_again() -> None:
    greeter = Greeter()
    assert [greeter.deliver() for _ in range(3)] == ["succeeded"] * 3
    assert len(greeter.calls) == 1
    assert outcome().attempts == 1


@pytest.mark.parametrize(
    ("parameters", "do", "code"),
    [
        ({"nmae": "Ana"}, lambda: None, "invalid_parameters"),
        ({"name": "Ana"}, fails(Conflict("It is so.")), "conflict"),
    ],
)
def test_a_permanent_error_is_an_answer_and_an_outcome(
    parameters: dict[str, Any], do: Callable[[], object], code: str
) -> None:
    greeter = Greeter(do)
    assert [greeter.deliver(delivery(parameters)) for _ in range(2)] == ["failed", "failed"]
    assert len(greeter.calls) <= 1
    assert (outcome().status, outcome().attempts, problem_code()) == ("failed", 1, code)
    assert list(outcomes.failed_indexes(RUN_ID)) == [1]


@pytest.mark.parametrize(
    ("error", "code"),
    [(Unavailable("Later."), "unavailable"), (ValueError("ana@example.com"), "internal_error")],
)
def test_a_transient_error_is_raised_without_the_items_data_and_the_next_try_may_succeed(
    error: Exception, code: str
) -> None:
    greeter = Greeter(fails(error))
    with pytest.raises(WillTryAgain) as raised:
        greeter.deliver()
    assert (str(raised.value), raised.value.__cause__, raised.value.__context__) == (
        code,
        None,
        None,
    )
    shown = outcome()
    assert shown.problem
    assert (shown.status, shown.problem.code) == ("running", code)
    greeter.do = lambda: None
    assert greeter.deliver() == "succeeded"
    assert (outcome().attempts, outcome().problem) == (2, None)
    assert list(outcomes.failed_indexes(RUN_ID)) == []


def test_while_an_item_runs_another_delivery_of_it_is_told_to_come_back() -> None:
    def deliver_again() -> None:
        with pytest.raises(WillTryAgain, match=r"^unavailable$"):
            greeter.deliver()

    greeter = Greeter(deliver_again)
    assert [greeter.deliver() for _ in range(2)] == ["succeeded"] * 2
    assert len(greeter.calls) == 1


def test_a_dead_attempt_makes_room_and_has_no_say_any_more(clock: Clock) -> None:
    dead = attempts.claim(RUN_ID, 1, 1_900_000_000)
    with pytest.raises(Busy):
        attempts.claim(RUN_ID, 1, 1_900_000_000)
    clock.advance(LEASE_SECONDS + 1)
    alive = attempts.claim(RUN_ID, 1, 1_900_000_000)
    assert isinstance(dead, Attempt)
    assert isinstance(alive, Attempt)
    assert dead.succeed('"too late"') == "running"
    assert alive.succeed('"in time"') == "succeeded"
    assert (outcome().result, outcome().attempts) == ("in time", 2)


def test_an_attempt_that_lives_keeps_its_lease(monkeypatch: pytest.MonkeyPatch) -> None:
    renewed = threading.Event()
    monkeypatch.setattr(run_item, "LEASE_SECONDS", 0.03)
    monkeypatch.setattr(Attempt, "renew", lambda _: renewed.set())
    assert Greeter(lambda: renewed.wait(20)).deliver() == "succeeded"
    assert renewed.is_set()


def test_an_attempt_that_is_reported_dead_but_ends_well_has_ended_well() -> None:
    """Step Functions records a crash when an item has no tries left.

    An outcome from the item itself is more accurate.
    """
    attempt = attempts.claim(RUN_ID, 1, 1_900_000_000)
    assert isinstance(attempt, Attempt)
    outcomes.Outcome.update_if(RUN_ID, [outcomes.Outcome.status.set("failed")], None, range_key=1)
    assert attempt.succeed('"done"') == "succeeded"


def test_an_item_that_has_not_started_when_its_run_is_cancelled_never_starts() -> None:
    greeter = Greeter()
    cancellation.cancel(RUN_ID)
    assert greeter.deliver() == "cancelled"
    assert greeter.calls == []
    assert outcomes.find_outcome(RUN_ID, 1) is None


def test_an_item_whose_tries_have_used_up_its_time_is_not_tried_again() -> None:
    greeter = Greeter()
    late = delivery(started_at=(datetime.now(UTC) - timedelta(seconds=277)).isoformat())
    assert greeter.deliver(late) == "failed"
    assert (greeter.calls, problem_code()) == ([], "too_slow")


def test_an_item_that_hangs_fails_before_lambda_ends_it() -> None:
    assert Greeter(lambda: threading.Event().wait(60)).deliver(remaining_ms=1500) == "failed"
    assert problem_code() == "too_slow"


def test_a_result_that_is_too_large_is_a_failed_item() -> None:
    assert Greeter().deliver(delivery({"name": "x" * 200_000})) == "failed"
    assert problem_code() == "result_too_large"


def test_an_item_keeps_its_id_in_a_run_that_repeats_it() -> None:
    greeter = Greeter()
    greeter.deliver()
    greeter.deliver(delivery(run_id=f"greet.{'1' * 26}"))
    assert [call.item_id for call in greeter.calls] == [f"{RUN_ID}/1"] * 2


def test_a_workflow_of_secrets_does_not_run_in_the_background() -> None:
    greeter = Greeter()
    handler = workflow(greeter.greet, background=False)
    assert handler(delivery(), Context()) == {"status": "failed"}
    answer = handler({"trigger": "validate", "items": [{"name": "Ana"}]}, Context())
    assert (answer["problems"], answer["problem"]["code"]) == ([], "not_in_background")
    assert greeter.calls == []


def test_validate_says_what_is_wrong_also_where_nothing_runs_in_the_background() -> None:
    answer = workflow(Greeter().greet, background=False)(
        {"trigger": "validate", "items": [{}]}, Context()
    )
    assert answer["problem"]["code"] == "not_in_background"
    assert answer["problems"] == [
        {"index": 0, "errors": [{"pointer": "/name", "detail": "is required"}]}
    ]


def test_an_event_that_is_no_delivery_is_raised_by_its_code_alone() -> None:
    with pytest.raises(WillTryAgain, match=r"^internal_error$"):
        Greeter().handler({"trigger": "run", "parameters": {"name": "Eve"}}, Context())


def test_validate_says_what_is_wrong_with_which_item_and_runs_nothing() -> None:
    greeter = Greeter()
    items = [{"name": "Ana"}, {"name": 1}, {"name": "Eve", "age": 3}]
    answer = greeter.handler({"trigger": "validate", "items": items}, Context())
    assert answer["problem"] is None
    assert answer["problems"] == [
        {
            "index": 1,
            "errors": [{"pointer": "/name", "detail": "must be text, not a whole number"}],
        },
        {"index": 2, "errors": [{"pointer": "/age", "detail": "is not a parameter here"}]},
    ]
    assert greeter.calls == []


def test_validate_tells_of_twenty_items() -> None:
    answer = Greeter().handler({"trigger": "validate", "items": [{}] * 1000}, Context())
    assert [each["index"] for each in answer["problems"]] == list(range(20))
    assert (answer["checked"], answer["invalid"]) == (1000, 1000)


def test_validate_stops_when_its_time_is_over_and_says_how_far_it_came() -> None:
    answer = Greeter().handler(
        {"trigger": "validate", "items": [{}] * 1000, "seconds": -1.0}, Context()
    )
    assert (answer["problems"], answer["checked"], answer["invalid"]) == ([], 0, 0)


class Aged(Parameters):
    age: int


def be(aged: Aged) -> Greeted:
    return Greeted(text=str(aged.age))


def test_validate_reads_cells_as_the_run_will_where_they_are_texts() -> None:
    event = {"trigger": "validate", "items": [{"age": "3"}, {"age": "x"}]}
    answer = workflow(be)(event | {"lenient": True}, Context())
    assert [each["index"] for each in answer["problems"]] == [1]
    assert workflow(be)(event, Context())["invalid"] == 2


def test_the_log_names_run_and_item_and_holds_nothing_of_it(log: io.StringIO) -> None:
    Greeter().deliver(delivery({"name": "Ana Lima"}))
    (line,) = [json.loads(line) for line in log.getvalue().splitlines()]
    assert (line["message"], line["trigger"], line["run_id"], line["index"]) == (
        "answered",
        "run",
        RUN_ID,
        1,
    )
    assert (line["item_id"], line["workflow"], line["request_id"]) == (
        f"{RUN_ID}/1",
        "greet",
        Context.aws_request_id,
    )
    assert line["token_id"] == "0123456789abcdef"
    assert "Ana" not in log.getvalue()


def sends(recipients: list[str], **fields: object) -> dict[str, Any]:
    data = {"subject": "s", "heading": "h", "paragraphs": ["p"]}
    return delivery({"to": recipients, "template": "message", "data": data}, **fields)


def test_a_list_of_recipients_is_tried_again_for_those_that_were_not_sent_to(
    settings: Settings,
) -> None:
    """SES is unavailable for the second recipient of three.

    The item's next try, in a later run, sends to that recipient only.
    """
    answered = iter(
        [(200, b'{"MessageId": "m1"}'), (503, b"{}"), (503, b"{}"), (200, b'{"MessageId": "m3"}')]
    )
    settings.set(RECIPIENT_EMAILS_PER_DAY=2)
    with fakes.server(lambda request, _: fakes.reply(request, *next(answered), {})) as url:
        settings.set(AWS_ENDPOINT_URL_SESV2=url)
        with pytest.raises(WillTryAgain, match="provider_unavailable"):
            send_email_template(
                sends(["a@example.com", "b@example.com", "c@example.com"]), Context(245_000)
            )
    settings.unset("AWS_ENDPOINT_URL_SESV2")
    later = f"send_email_template.{'1' * 26}"
    event = sends(["a@example.com", "b@example.com", "c@example.com"], run_id=later)
    assert send_email_template(event, Context(245_000)) == {"status": "succeeded"}
    assert [mail.destinations["ToAddresses"] for mail in sent_emails()] == [["b@example.com"]]
    found = outcomes.find_outcome(later, 1)
    assert found
    assert [message["message_id"] for message in found.result["messages"]][::2] == ["m1", "m3"]
    once_more = sends(["a@example.com", "c@example.com"], index=2)
    assert send_email_template(once_more, Context(245_000)) == {"status": "succeeded"}, (
        "each recipient must be charged once"
    )


@pytest.mark.parametrize("workflow_name", ["verify_send", "send_email_template"])
def test_the_same_item_delivered_twice_sends_once(workflow_name: str) -> None:
    handlers = {"verify_send": verify_send, "send_email_template": send_email_template}
    event = sends(["a@example.com"])
    if workflow_name == "verify_send":
        event = delivery({"channel": "email", "to": "a@example.com"})
    assert [handlers[workflow_name](event, Context(245_000)) for _ in range(2)] == [
        {"status": "succeeded"}
    ] * 2
    assert len(sent_emails()) == 1


def test_a_step_is_done_once_however_often_its_item_is_tried() -> None:
    done: list[str] = []

    def step(name: str) -> str:
        done.append(name)
        return name.upper()

    def greet(greeting: Greeting, call: Call) -> Greeted:
        text = call.step("first", lambda: step("first"))
        if len(done) == 1:
            raise Unavailable("Not now.")
        return Greeted(text=text + call.step("second", lambda: step("second")) + greeting.name)

    handler = workflow(greet)
    event = delivery()
    with pytest.raises(WillTryAgain):
        handler(event, Context(245_000))
    done.append("tried again")
    assert handler(event, Context(245_000)) == {"status": "succeeded"}
    assert done == ["first", "tried again", "second"]
    found = outcomes.find_outcome(RUN_ID, 1)
    assert found
    assert found.result == {"text": "FIRSTSECONDAna"}


def test_an_item_that_hangs_in_c_ends_its_process_with_its_budget() -> None:
    """No signal reaches the code, and its Express child may end before Lambda's own timeout."""
    hangs = (
        "import ctypes; from functions.core.triggers import run_item\n"
        "run_item._HANGS_SECONDS = 0.1\n"
        "with run_item._ended_if_it_hangs(0.1):\n"
        "    ctypes.PyDLL(None).sleep(60)  # keeps Python's lock\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", hangs], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 1
    assert "Timeout" in done.stderr


def test_an_item_in_time_leaves_nothing_behind_that_ends_its_process() -> None:
    leaves = (
        "import time; from functions.core.triggers import run_item\n"
        "with run_item._ended_if_it_hangs(-run_item._HANGS_SECONDS + 0.05):\n"
        "    pass\n"
        "time.sleep(0.2)\n"
    )
    assert subprocess.run([sys.executable, "-c", leaves], check=False, timeout=60).returncode == 0
