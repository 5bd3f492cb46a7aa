"""The pages Workflows and Runs: a list is started, watched to its end, read and retried."""

import re
import time

from playwright.sync_api import Page, expect

from infra.local import development
from infra.local.deploy import Deployment
from infra.workflows import workflows
from tests.browser.accessibility import axe
from tests.e2e import runs
from tests.e2e.conftest import WAIT_SECONDS, LocalStack

LONG_MS = WAIT_SECONDS * 1000
BROKEN = """
from functions.core.workflow import Parameters, Result, start, workflow


class Asked(Parameters):
    start: bool = False


class Answered(Result):
    run_id: str


def NAME(asked: Asked) -> Answered:
    if asked.start:
        return Answered(run_id=start("NAME", [{}]).run_id)
    raise RuntimeError("a deliberate exception")


lambda_handler = workflow(NAME, starts=["NAME"])
"""


def test_a_list_of_200_is_watched_to_its_end_and_its_failures_are_retried(
    page: Page, stack: LocalStack
) -> None:
    page.goto(f"{stack.url}/console/workflows/send_email_template")
    page.get_by_role("tab", name="On a list").click()
    page.get_by_role("button", name="Make a sample of 200 items, 5 of them wrong").click()
    page.get_by_role("button", name="Start 200 items").click()
    page.get_by_role("link", name="Open the run").click()
    progress = page.get_by_role("region", name="Progress")
    expect(progress.get_by_role("progressbar")).to_be_visible()
    expect(progress).to_contain_text("5 failed", timeout=LONG_MS)
    expect(progress.locator(".succeeded")).to_contain_text("195")

    page.get_by_role("group", name="Items").get_by_role("button", name="Failed").click()
    items = page.get_by_role("list", name="Items").get_by_role("listitem")
    expect(items.filter(has_text="failed")).to_have_count(5)
    expect(page.get_by_role("list", name="Items").locator(":scope > li")).to_have_count(5)
    axe(page)

    page.get_by_role("button", name="Retry 5 failed items").click()
    expect(page.get_by_role("main")).to_contain_text("Retries what failed in the run before it")
    expect(page.get_by_role("region", name="Progress")).to_contain_text("failed", timeout=LONG_MS)


def test_a_failing_item_is_opened_to_its_traceback(page: Page, stack: LocalStack) -> None:
    name = f"broken_{time.time_ns()}"
    stack.add_workflow(name, BROKEN.replace("NAME", name))
    # The console's token reads runs of the workflows in its scopes only.
    deployment = Deployment(stack.emulator, stack.running.outputs)
    development.write_tokens(deployment, [*workflows(), name])
    with stack.new_api(f"runs:read,workflow:{name}") as api:
        run_id = stack.invoke(name, start=True)["run_id"]
        runs.ended(api, run_id)
    page.goto(f"{stack.url}/console/runs/{run_id}")
    page.get_by_role("list", name="Items").locator("summary").first.click()
    outcome = page.get_by_role("list", name="Items").get_by_role("listitem").first
    expect(outcome).to_contain_text("Log")
    expect(outcome).to_contain_text(re.compile("Traceback|RuntimeError"))
    expect(outcome).to_contain_text("a deliberate exception")


def test_a_workflow_is_called_now_and_its_request_is_shown(
    page: Page, stack: LocalStack, email: str
) -> None:
    page.goto(f"{stack.url}/console/workflows/send_email_template")
    page.get_by_role("textbox", name="to required").fill(email)
    page.get_by_role("button", name="Call send_email_template").click()
    answer = page.get_by_role("region", name="Answer").first
    expect(answer).to_contain_text("200")
    expect(answer).to_contain_text("message_id")
    answer.get_by_role("link", name="Log of this request").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(
        "POST /workflows/send_email_template"
    )
    expect(page.get_by_role("main")).to_contain_text("answered")
    axe(page)
    page.go_back()
    expect(page.get_by_role("textbox", name="to required")).to_have_value(email)
