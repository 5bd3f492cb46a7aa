"""The documents' approval by email: a link decides once, and after the reminder its own does."""

import json
import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests import documents
from tests.e2e import runs
from tests.e2e.conftest import Json, LocalStack, eventually

LINK = re.compile(r"#(approved|rejected)\.([\w-]{43})")


def add(stack: LocalStack, name: str, code: str, *policies: Json, without: str = "") -> None:
    """Adds a workflow whose role has these policies more, and one of the usual less."""
    stack.add_workflow(name, code)
    iam, functions = stack.emulator.client("iam"), stack.emulator.client("lambda")
    known = functions.get_function_configuration(FunctionName="local-wf-verify_delete")
    like, role = known["Role"].rpartition("/")[2], f"local-{name}"
    trust = iam.get_role(RoleName=like)["Role"]["AssumeRolePolicyDocument"]
    made = iam.create_role(RoleName=role, AssumeRolePolicyDocument=json.dumps(trust))["Role"]
    shared = [
        policy_of(stack, like, each)
        for each in iam.list_role_policies(RoleName=like)["PolicyNames"]
        if each != without
    ]
    for number, policy in enumerate([*shared, *policies]):
        about = {"PolicyName": f"p{number}", "PolicyDocument": json.dumps(policy)}
        iam.put_role_policy(RoleName=role, **about)
    functions.update_function_configuration(FunctionName=f"local-wf-{name}", Role=made["Arn"])


def policy_of(stack: LocalStack, role: str, policy: str) -> Any:
    iam = stack.emulator.client("iam")
    return iam.get_role_policy(RoleName=role, PolicyName=policy)["PolicyDocument"]


def role_of(stack: LocalStack, function: str) -> str:
    functions = stack.emulator.client("lambda")
    role: str = functions.get_function_configuration(FunctionName=function)["Role"]
    return role.rpartition("/")[2]


def links(stack: LocalStack, manager: str, emails: int = 1) -> dict[str, str]:
    """Secrets in the newest email, by the decision of their links, once so many have arrived."""
    came = eventually(
        f"{emails} emails have arrived",
        lambda: stack.inbox(manager),
        lambda seen: len(seen) == emails,
    )
    return dict(LINK.findall(came[0]["text"]))


@pytest.fixture(scope="module")
def approvals(stack: LocalStack) -> LocalStack:
    """The stack with the documents' workflows. The first wait for E-2 ends after some seconds."""
    invoke = {"Effect": "Allow", "Action": "lambda:InvokeFunction", "Resource": "*"}
    may_call = {"Version": "2012-10-17", "Statement": [invoke]}
    wakes = policy_of(stack, role_of(stack, "local-webhooks"), "wakes-items")
    code = documents.approval()
    days = "days=4 / 86_400 if expense.number == 'E-2' else 7"
    asks = code["approve_expense"].replace("days=7", days)
    assert asks != code["approve_expense"]
    add(stack, "approve_expense", asks, may_call)
    add(stack, "decide_expense", code["decide_expense"], wakes, without="runs-in-background")
    runs.add_start(stack, "approve_expense")
    return stack


@pytest.fixture(scope="module")
def reader(approvals: LocalStack) -> Iterator[httpx.Client]:
    with approvals.new_api("runs:read,workflow:approve_expense") as client:
        yield client


def begin(stack: LocalStack, number: str, manager: str) -> str:
    expense = {"number": number, "amount": "80.00 EUR", "manager": manager}
    return runs.begin(stack, "approve_expense", expense)


def decide(stack: LocalStack, decision: str, secret: str) -> Json:
    return stack.answer("decide_expense", decision=decision, secret=secret)


def press(stack: LocalStack, decision: str, secret: str) -> None:
    """Decides, once the item listens, which is a moment after its run tells that it waits."""
    eventually(
        f"it is {decision}",
        lambda: decide(stack, decision, secret),
        lambda answer: answer["result"] == {"decision": decision},
    )


def test_a_decision_by_a_link_counts_once(
    approvals: LocalStack, reader: httpx.Client, email: str
) -> None:
    run_id = begin(approvals, "E-1", email)
    secrets = links(approvals, email)
    assert secrets.keys() == {"approved", "rejected"}
    wait_for_its_decision(reader, run_id)
    assert secrets["approved"] not in reader.get(f"/runs/{run_id}/steps").text
    assert decide(approvals, "approved", "x" * 43)["problem"]["code"] == "conflict"
    assert runs.read(reader, run_id)["status"] == "running"
    press(approvals, "approved", secrets["approved"])
    again = decide(approvals, "rejected", secrets["rejected"])
    assert again["problem"]["detail"].startswith("This was decided before")
    run = runs.ended(reader, run_id)
    assert (run["status"], run["result"]) == ("succeeded", {"decision": "approved"})
    assert sum('"booked"' in line for line in approvals.logs()) == 1


def test_after_the_reminder_only_its_links_are_valid(
    approvals: LocalStack, reader: httpx.Client, email: str
) -> None:
    run_id = begin(approvals, "E-2", email)
    first = links(approvals, email)
    reminder = links(approvals, email, emails=2)
    wait_for_its_decision(reader, run_id)
    assert decide(approvals, "approved", first["approved"])["problem"]["code"] == "conflict"
    press(approvals, "rejected", reminder["rejected"])
    assert runs.ended(reader, run_id)["result"] == {"decision": "rejected"}


def wait_for_its_decision(api: httpx.Client, run_id: str) -> None:
    eventually(
        f"{run_id} waits for a decision",
        lambda: runs.read(api, run_id),
        lambda run: run["waiting_for"] == "expense.decided",
    )
