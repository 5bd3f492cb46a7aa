"""Workflows that call and start others. A local server, in place of Lambda, runs their handlers."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from functions.core import aws
from functions.core.definition.workflow import Workflow, WorkflowOptions
from functions.core.email_address import EmailAddress
from functions.core.errors import CallFailed, FieldError, InvalidParameters, NotFound, Unavailable
from functions.core.runs import execution
from functions.core.runs.files import read_item
from functions.core.workflow import Call, Parameters, Result, other_workflow, start, workflow
from functions.core.workflow import call as call_workflow
from functions.core.workflow.handler import LambdaHandler
from functions.core.workflow.references import typed_result
from tests import fakes
from tests.builders import Context, Reply, call
from tests.builders.run_records import started_runs
from tests.workflows.conftest import Settings

pytestmark = pytest.mark.usefixtures("cloud")


class Name(Parameters):
    name: str


class Text(Result):
    text: str


def greet(name: Name) -> Text:
    if name.name == "nobody":
        raise InvalidParameters(FieldError("/name", "is nobody's"))
    if name.name == "gone":
        raise NotFound("She is gone.")
    if name.name == "later":
        raise Unavailable("Not now.", retry_after=7)
    return Text(text=f"Hello, {name.name}")


def welcome(name: Name) -> Text:
    return Text(text=call_workflow("greet", {"name": name.name})["text"] + "!")


def invite(name: Name) -> Text:
    runs = [start("greet", [{"name": name.name}]) for _ in range(2)]
    return Text(text=" ".join(run.run_id for run in runs))


@pytest.fixture
def lambdas(settings: Settings) -> Iterator[None]:
    with _lambda({"local-wf-greet": workflow(greet)}) as url:
        settings.set(AWS_ENDPOINT_URL_LAMBDA=url, WORKFLOW_FUNCTIONS="local-wf-")
        yield


@contextmanager
def _lambda(functions: Mapping[str, LambdaHandler]) -> Iterator[str]:
    def script(request: Any, body: bytes) -> None:
        name = request.path.split("/")[-2]
        answer = json.dumps(functions[name](json.loads(body), Context())).encode()
        fakes.reply(request, 200, answer, {"content-type": "application/json"})

    with fakes.server(script) as url:
        yield url


def ask(function: Callable[..., Result], name: str, **traits: Any) -> Reply:
    scopes = [f"workflow:{function.__name__}"]
    return call(workflow(function, **traits), {"name": name}, scopes=scopes)


@pytest.mark.usefixtures("lambdas")
def test_a_workflow_calls_another_and_gets_its_result() -> None:
    assert ask(welcome, "Ana", calls=["greet"]).body == {"text": "Hello, Ana!"}


@pytest.mark.usefixtures("lambdas")
@pytest.mark.parametrize(
    ("name", "status", "code", "detail"),
    [
        ("nobody", 422, "invalid_parameters", "/name: is nobody's"),
        ("gone", 404, "not_found", "She is gone."),
        ("later", 503, "unavailable", "Not now."),
    ],
)
def test_a_problem_of_the_called_workflow_is_the_callers_where_nobody_catches_it(
    name: str, status: int, code: str, detail: str
) -> None:
    reply = ask(welcome, name, calls=["greet"])
    assert (reply.status, reply.body["code"], reply.body["detail"]) == (status, code, detail)
    assert reply.body["request_id"] == "request-1"
    assert reply.headers.get("retry-after") == ("7" if status == 503 else None)


@pytest.mark.usefixtures("lambdas")
def test_a_problem_can_be_caught() -> None:
    def careful(name: Name) -> Text:
        try:
            return welcome(name)
        except CallFailed as error:
            return Text(text=error.problem["code"])

    assert ask(careful, "gone", calls=["greet"]).body == {"text": "not_found"}


def test_a_workflow_that_crashes_is_unavailable_to_its_caller(settings: Settings) -> None:
    crashed = fakes.answers(200, b'{"errorMessage": "x"}', X_Amz_Function_Error="Unhandled")
    with fakes.server(crashed) as url:
        settings.set(AWS_ENDPOINT_URL_LAMBDA=url, WORKFLOW_FUNCTIONS="local-wf-")
        reply = ask(welcome, "Ana", calls=["greet"])
    assert (reply.status, reply.body["code"]) == (503, "unavailable")


def test_a_throttled_workflow_is_unavailable_and_not_called_twice(settings: Settings) -> None:
    asked: list[bytes] = []

    def throttles(request: Any, body: bytes) -> None:
        asked.append(body)
        fakes.reply(request, 429, b"{}", {"x-amzn-ErrorType": "TooManyRequestsException"})

    with fakes.server(throttles) as url:
        settings.set(AWS_ENDPOINT_URL_LAMBDA=url, WORKFLOW_FUNCTIONS="local-wf-")
        assert ask(welcome, "Ana", calls=["greet"]).status == 503
    assert len(asked) == 1


def test_the_wait_is_as_long_as_a_workflow_may_take() -> None:
    client = aws.client("lambda", attempts=1, answer_seconds=240)
    assert client.meta.config.read_timeout == 240


@pytest.mark.parametrize("function", [welcome, invite])
def test_an_undeclared_workflow_is_neither_called_nor_started(
    function: Callable[..., Result],
) -> None:
    assert ask(function, "Ana").status == 500
    assert started_runs() == []


def test_a_workflow_starts_runs_of_another_for_the_token_that_called_it() -> None:
    first, second = ask(invite, "Ana", starts=["greet"]).body["text"].split()
    assert first != second
    assert [execution.read(run_id)[0].workflow for run_id in (first, second)] == ["greet", "greet"]
    assert execution.read(first)[0].token_id == "0123456789abcdef"


# --- by their functions ---------------------------------------------------------------------------


class Parcel(Parameters):
    to: EmailAddress
    at: datetime


class Stop(Result):
    at: datetime
    items: list[str]


class Route(Result):
    stops: list[Stop]
    labels: dict[str, str]
    late: datetime | None


def ship(parcel: Parcel) -> Route:
    stop = Stop(at=parcel.at, items=[parcel.to])
    return Route(stops=[stop], labels={"keys": "2026-01-31T12:00:00Z"}, late=None)


NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)
ship_elsewhere, ParcelElsewhere = other_workflow("ship")


@pytest.mark.parametrize(("there", "parcel"), [(ship, Parcel), (ship_elsewhere, ParcelElsewhere)])
def test_a_typed_call_has_the_fields_of_the_result_and_times_are_times(
    there: Any, parcel: Any, settings: Settings
) -> None:
    seen: list[Any] = []

    def order(name: Name) -> Text:
        route = call_workflow(there, parcel(to=EmailAddress(name.name), at=NOON))
        seen.append(route)
        return Text(text=route.stops[0].items[0])

    with _lambda({"local-wf-ship": workflow(ship)}) as url:
        settings.set(AWS_ENDPOINT_URL_LAMBDA=url, WORKFLOW_FUNCTIONS="local-wf-")
        reply = ask(order, "ana@example.com", calls=[there])
    assert reply.body == {"text": "ana@example.com"}
    (route,) = seen
    assert (route.stops[0].at, route.late) == (NOON, None)
    assert list(route.labels.values()) == ["2026-01-31T12:00:00Z"], "a text stays one"
    with pytest.raises(AttributeError):
        _ = route.nothing


def test_a_typed_result_is_still_the_json_that_it_was() -> None:
    result = typed_result({"a": [{"items": 1}], "at": "2026-01-31T12:00:00Z"}, [["at"]])
    assert result.a[0].items == 1
    assert msgspec.json.encode(result) == b'{"a":[{"items":1}],"at":"2026-01-31T12:00:00Z"}'


def test_a_call_by_name_has_the_json_alone(settings: Settings) -> None:
    def order(name: Name) -> Text:
        parcel = {"to": EmailAddress(name.name), "at": NOON}
        return Text(text=call_workflow("ship", parcel)["stops"][0]["at"])

    with _lambda({"local-wf-ship": workflow(ship)}) as url:
        settings.set(AWS_ENDPOINT_URL_LAMBDA=url, WORKFLOW_FUNCTIONS="local-wf-")
        reply = ask(order, "ana@example.com", calls=["ship"])
    assert reply.body == {"text": "2026-01-31T12:00:00Z"}


@pytest.mark.parametrize(("there", "parcel"), [(ship, Parcel), (ship_elsewhere, ParcelElsewhere)])
def test_a_typed_start_has_the_items_as_json(there: Any, parcel: Any) -> None:
    def order(name: Name) -> Text:
        items = [parcel(to=EmailAddress(name.name), at=NOON)]
        return Text(text=start(there, items).run_id)

    begun = execution.read(ask(order, "ana@example.com", starts=[there]).body["text"])[0]
    item = read_item(begun.items_key, begun.reference.start, begun.reference.length)
    assert (begun.workflow, item) == (
        "ship",
        {"to": "ana@example.com", "at": "2026-01-31T12:00:00Z"},
    )


def test_an_item_that_is_tried_again_starts_the_same_runs() -> None:
    nothing: frozenset[str] = frozenset()
    traits = WorkflowOptions(
        background=True,
        idempotency="heeded",
        public=False,
        calls=nothing,
        starts=frozenset({"greet"}),
    )
    invites: Workflow[Name, Text] = Workflow(invite, traits)
    item = Call(
        request_id="x", trigger="run", item_id="invite.a/0", run_token_id="fedcba9876543210"
    )
    first, again = (invites.run({"name": "Ana"}, item).text for _ in range(2))
    assert first == again
    assert len(started_runs()) == 2
    assert execution.read(first.split()[0])[0].token_id == "fedcba9876543210"
