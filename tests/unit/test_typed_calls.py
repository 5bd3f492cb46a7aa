"""mypy checks what a workflow calls and starts by the other workflow's own types."""

import re

import pytest
from mypy import api

from infra import sam
from tests.documents import approval, typed_workflows

pytestmark = pytest.mark.slow

MODULE = """
from datetime import datetime
from typing import TYPE_CHECKING

from functions.core.workflow import Parameters, Result, call, other_workflow, start, workflow

if TYPE_CHECKING:
    from functions.workflows.deliver_event.handler import DeliverEvent, deliver_event
    from functions.workflows.track_delivery.handler import TrackDelivery, track_delivery
else:
    deliver_event, DeliverEvent = other_workflow("deliver_event")
    track_delivery, TrackDelivery = other_workflow("track_delivery")


class Order(Parameters):
    number: str


class Shipped(Result):
    status: int | None


def ship(order: Order) -> Shipped:
    told = DeliverEvent(type="order.shipped", data={"number": order.number})
    report = TrackDelivery(provider="ses", status="delivery", message_id="1")
    {line}
    return Shipped(status=call(deliver_event, told).status)


lambda_handler = workflow(ship, calls=[deliver_event, "track_delivery"], starts=[deliver_event])
"""


class Case:
    """A line of a workflow, and what mypy says of it: part of a message, or nothing."""

    def __init__(self, line: str, says: str = "") -> None:
        self.line = line
        self.says = says


CASES = {
    "a right call": Case("delivered: bool = call(deliver_event, told).delivered"),
    "a right call of a function without the call": Case(
        "run_id: str | None = call(track_delivery, report).run_id"
    ),
    "a right start": Case(
        "run_id: str = start(deliver_event, [told, told], max_concurrency=5).run_id"
    ),
    "a right call by name": Case(
        'run_id: str = call("track_delivery", {"status": "delivery"})["run_id"]'
    ),
    "a right start by name": Case('run_id: str = start("deliver_event", [{"type": "a.b"}]).run_id'),
    "a field that is not there": Case(
        'call(deliver_event, DeliverEvent(typ="a.b", data={}))', 'Unexpected keyword argument "typ"'
    ),
    "a field that is missing": Case(
        'call(deliver_event, DeliverEvent(type="a.b"))', 'Missing positional argument "data"'
    ),
    "a field of another type": Case(
        "call(deliver_event, DeliverEvent(type=1, data={}))",
        'Argument "type" to "DeliverEvent" has incompatible type "int"',
    ),
    "a value that is none of those": Case(
        'call(track_delivery, TrackDelivery(provider="x", status="a", message_id="1"))',
        'Argument "provider" to "TrackDelivery" has incompatible type',
    ),
    "parameters of another workflow": Case(
        "call(deliver_event, report)", 'Argument 1 to "call" has incompatible type'
    ),
    "a dictionary in their place": Case(
        'call(deliver_event, {"type": "a.b"})', 'No overload variant of "call" matches'
    ),
    "a field that the result has not": Case(
        "call(deliver_event, told).deliverd", '"EventDelivered" has no attribute "deliverd"'
    ),
    "a wrong use of the result": Case(
        "moment: datetime = call(deliver_event, told).delivered", 'expression has type "bool"'
    ),
    "items of another workflow": Case(
        "start(deliver_event, [told, report])", 'Argument 1 to "start" has incompatible type'
    ),
    "an item with a field that is not there": Case(
        'start(deliver_event, [DeliverEvent(type="a.b", data={}, at=1)])',
        'Unexpected keyword argument "at"',
    ),
    "an option that is not there": Case(
        "start(deliver_event, [told], max_concurency=5)", 'did you mean "max_concurrency"?'
    ),
}


@pytest.fixture(scope="module")
def messages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What mypy says of each case, in one run."""
    folder = tmp_path_factory.mktemp("calls")
    modules = {name: MODULE.replace("{line}", case.line) for name, case in CASES.items()}
    modules |= typed_workflows() | approval()
    files = {name: folder / f"case_{number}.py" for number, name in enumerate(modules)}
    for name, path in files.items():
        path.write_text(modules[name])
    said, broken, _ = api.run(
        ["--config-file", str(sam.ROOT / "pyproject.toml"), *map(str, files.values())]
    )
    assert not broken
    return {name: "\n".join(re.findall(rf"{path.name}.*", said)) for name, path in files.items()}


@pytest.mark.parametrize("name", typed_workflows() | approval())
def test_mypy_finds_nothing_in_the_documents_examples(name: str, messages: dict[str, str]) -> None:
    assert messages[name] == ""


@pytest.mark.parametrize("name", CASES)
def test_mypy_finds_what_is_wrong_with_a_call_and_nothing_else(
    name: str, messages: dict[str, str]
) -> None:
    says = CASES[name].says
    assert says in messages[name] if says else messages[name] == ""
