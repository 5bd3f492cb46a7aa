"""Items of a run whose token is revoked, expires or loses its scopes: they stop."""

from collections.abc import Sequence

import pytest

from functions.core.auth import run_token
from functions.core.auth.tokens import Token, issue_token, rescope_tokens, revoke_token
from functions.core.errors import Unavailable
from functions.core.runs.items import outcomes
from functions.core.triggers.run_item import WillTryAgain
from functions.core.workflow import Parameters, Result, workflow
from tests.builders import Context
from tests.builders.run_items import RUN_ID, delivery
from tests.workflows.conftest import Clock

pytestmark = pytest.mark.usefixtures("cloud")

SCOPES = ("runs:write", "workflow:greet")


class Greeting(Parameters):
    name: str


class Greeted(Result):
    text: str


class Greeter:
    """A workflow that remembers whom it greeted."""

    def __init__(self) -> None:
        self.greeted: list[str] = []
        self.handler = workflow(self.greet)

    def greet(self, greeting: Greeting) -> Greeted:
        self.greeted.append(greeting.name)
        return Greeted(text=f"Hello, {greeting.name}")

    def deliver(self, index: int, token_id: str | None, started_by: str | None = "api") -> str:
        event = delivery(index=index, token_id=token_id, started_by=started_by)
        return str(self.handler(event, Context(245_000))["status"])


def issued(scopes: Sequence[str] = SCOPES, valid_seconds: int | None = None) -> str:
    made = issue_token("server", "secret", scopes, valid_seconds=valid_seconds)
    return made.token.token_id


def code_of(index: int) -> str:
    found = outcomes.find_outcome(RUN_ID, index)
    assert found
    assert found.problem
    return found.problem.code


def test_items_of_a_revoked_token_fail_from_the_next_one_on(clock: Clock) -> None:
    greeter, token_id = Greeter(), issued()
    assert greeter.deliver(0, token_id) == "succeeded"
    revoke_token(token_id)
    clock.advance(60)
    assert [greeter.deliver(index, token_id) for index in (1, 2)] == ["failed", "failed"]
    assert (greeter.greeted, code_of(1)) == (["Ana"], "token_revoked")


def test_items_of_an_expired_token_fail(clock: Clock) -> None:
    greeter, token_id = Greeter(), issued(valid_seconds=1000)
    assert greeter.deliver(0, token_id) == "succeeded"
    clock.advance(1001)
    assert (greeter.deliver(1, token_id), code_of(1)) == ("failed", "token_revoked")


def test_items_of_a_deleted_token_fail() -> None:
    greeter, token_id = Greeter(), issued()
    Token.get(token_id).delete()
    assert (greeter.deliver(0, token_id), code_of(0)) == ("failed", "token_revoked")


@pytest.mark.parametrize("left", [["runs:write"], ["workflow:greet"]])
def test_items_of_a_token_that_has_lost_a_scope_fail(left: list[str]) -> None:
    greeter, token_id = Greeter(), issued()
    rescope_tokens("server", left)
    assert (greeter.deliver(0, token_id), code_of(0)) == ("failed", "not_permitted")


def test_a_run_that_a_workflow_started_needs_an_active_token_and_none_of_its_scopes(
    clock: Clock,
) -> None:
    greeter, token_id = Greeter(), issued(["workflow:onboard"])
    assert greeter.deliver(0, token_id, "workflow:onboard") == "succeeded"
    revoke_token(token_id)
    clock.advance(60)
    assert greeter.deliver(1, token_id, "workflow:onboard") == "failed"


@pytest.mark.parametrize(
    ("token_id", "started_by"),
    [("events", "events"), ("webhook:shop", "webhook:stripe:shop"), (None, None)],
)
def test_a_run_without_a_token_asks_for_none(
    token_id: str | None, started_by: str | None, dynamodb_requests: list[str]
) -> None:
    assert Greeter().deliver(0, token_id, started_by) == "succeeded"
    assert dynamodb_requests.count("GetItem") == 1, "whether the run is cancelled"


def test_a_process_reads_a_token_once_a_minute(clock: Clock, dynamodb_requests: list[str]) -> None:
    clock.advance(60 - clock() % 60)
    greeter, token_id = Greeter(), issued()
    for index in range(5):
        greeter.deliver(index, token_id)
    assert dynamodb_requests.count("GetItem") == 5 + 1
    clock.advance(60)
    greeter.deliver(5, token_id)
    assert dynamodb_requests.count("GetItem") == 6 + 2


def test_while_tokens_cannot_be_read_items_are_tried_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def unavailable(_: str) -> None:
        raise Unavailable("The database is not available right now.")

    greeter, token_id = Greeter(), issued()
    monkeypatch.setattr(run_token, "read_token", unavailable)
    with pytest.raises(WillTryAgain, match="unavailable"):
        greeter.deliver(0, token_id)
    assert greeter.greeted == []
