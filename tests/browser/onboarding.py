"""A long workflow for the console's tests and pictures: a step that is tried again, a sleep, a wait
for a person.
"""

import httpx
from playwright.sync_api import BrowserContext, Page

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


def add(pages: Page | BrowserContext, stack: LocalStack) -> None:
    """Adds the workflow to a stack, and gives pages a token that may read it, too."""
    stack.add_workflow(NAME, _CODE)
    stack.add_workflow(f"{NAME}_begin", _BEGIN)
    about, workflows = (
        httpx.get(f"{stack.url}/_local/{of}").json() for of in ("about", "workflows")
    )
    names = [NAME, *(each["name"] for each in workflows)]
    scopes = ["runs:read", "runs:write", "events:write", *(f"workflow:{name}" for name in names)]
    about["tokens"]["secret"] = stack.new_token("secret", ",".join(scopes))["token"]
    pages.route("**/_local/about", lambda route: route.fulfill(json=about))


def begin(stack: LocalStack, order: str, seconds: float = 3 * 86_400) -> str:
    """Starts a run of the workflow; returns its id.

    Args:
        stack: where it runs.
        order: number of the order.
        seconds: longest wait for the approval.
    """
    return str(stack.invoke(f"{NAME}_begin", order=order, seconds=seconds)["run_id"])
