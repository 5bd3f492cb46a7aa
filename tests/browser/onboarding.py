"""A long workflow for the console's tests and pictures: a step that is tried again, a sleep, a wait
for a person.
"""

import hashlib

from infra.local.development import SECRET
from tests.e2e.conftest import LocalStack

EVENT = "order.approved"
NAME = "approve_order"
_CODE = f"""
from functions.core.errors import Unavailable
from functions.core.workflow import Call, Parameters, Result, workflow

asked: list[str] = []


class Order(Parameters):
    order: str
    seconds: float = 3 * 86_400


class Approved(Result):
    approved: bool
    by: str | None = None


def {NAME}(order: Order, call: Call) -> Approved:
    def ask() -> dict[str, str]:
        asked.append(order.order)
        if asked.count(order.order) == 1:
            raise Unavailable("The mail server does not answer.")
        return {{"sent_to": "dana@example.com"}}

    call.step("ask the manager", ask, first=1)
    call.sleep("let it settle", seconds=1)
    event = call.wait_for("{EVENT}", key=order.order, seconds=order.seconds)
    if event is None:
        return Approved(approved=False)
    return Approved(approved=True, by=event.data["by"])


lambda_handler = workflow({NAME}, long=True)
"""
_BEGIN = f"""
from functions.core.workflow import Parameters, Result, start, workflow


class Order(Parameters):
    order: str
    seconds: float


class Begun(Result):
    run_id: str


def {NAME}_begin(order: Order) -> Begun:
    items = [{{"order": order.order, "seconds": order.seconds}}]
    return Begun(run_id=start("{NAME}", items).run_id)


lambda_handler = workflow({NAME}_begin, starts=["{NAME}"])
"""


def begin(stack: LocalStack, order: str, seconds: float = 3 * 86_400) -> str:
    """Starts a run of the workflow, which the development token may read; returns its id.

    Args:
        stack: where it runs; the workflow is added to it.
        order: number of the order.
        seconds: longest wait for the approval.
    """
    stack.add_workflow(NAME, _CODE)
    stack.add_workflow(f"{NAME}_begin", _BEGIN)
    _permit(stack)
    return str(stack.invoke(f"{NAME}_begin", order=order, seconds=seconds)["run_id"])


def _permit(stack: LocalStack) -> None:
    """Lets the development token see the workflow, which no template names."""
    dynamodb = stack.emulator.client("dynamodb")
    table = stack.running.outputs["TokensTable"]
    token_id = hashlib.sha256(SECRET.encode()).hexdigest()[:16]
    dynamodb.update_item(
        TableName=table,
        Key={"token_id": {"S": token_id}},
        UpdateExpression="ADD scopes :scopes",
        ExpressionAttributeValues={":scopes": {"SS": [f"workflow:{NAME}"]}},
    )
