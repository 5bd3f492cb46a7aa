"""The documents' long work: the onboarding, and the sync of every night."""

import json
from collections.abc import Iterator

import httpx
import pytest

from tests.documents import typed_workflows
from tests.e2e import runs
from tests.e2e.conftest import Json, LocalStack, eventually
from tests.e2e.runs import ended, items_of, read
from tests.sizes import size

NAMES = ("onboard", "grant_feature", "sync_all", "sync_customer")
SCOPES = ",".join(
    [
        "runs:read",
        "runs:write",
        "events:write",
        *(f"workflow:{name}" for name in (*NAMES, "onboard_soon")),
    ]
)


@pytest.fixture(scope="module")
def works(stack: LocalStack) -> LocalStack:
    shown = typed_workflows()
    onboard = shown["onboard"].replace("days=3", "seconds=1")
    for name in NAMES:
        stack.add_workflow(name, onboard if name == "onboard" else shown[name])
    stack.add_workflow("onboard_soon", onboard.replace("days=7", "seconds=2"))
    for name in ("onboard", "onboard_soon", "sync_all"):
        runs.add_start(stack, name)
    role = stack.emulator.client("lambda").get_function_configuration(
        FunctionName="local-wf-onboard"
    )["Role"]
    stack.emulator.client("iam").put_role_policy(
        RoleName=role.rpartition("/")[2],
        PolicyName="calls",
        PolicyDocument=json.dumps(
            {
                "Version": "2012-10-17",
                "Statement": {
                    "Effect": "Allow",
                    "Action": "lambda:InvokeFunction",
                    "Resource": "arn:aws:lambda:*:*:function:local-wf-send_email_template",
                },
            }
        ),
    )
    return stack


@pytest.fixture(scope="module")
def api(works: LocalStack) -> Iterator[httpx.Client]:
    with works.new_api(SCOPES) as client:
        yield client


def onboard(works: LocalStack, user_id: str, name: str = "onboard") -> str:
    email = f"{user_id}@example.com"
    person = {"user_id": user_id, "email": email, "first_name": "Ana"}
    return runs.begin(works, name, person)


def subjects(works: LocalStack, user_id: str) -> list[str]:
    return [each["subject"] for each in works.inbox(f"{user_id}@example.com")]


def steps_of(api: httpx.Client, run_id: str) -> list[Json]:
    found: list[Json] = api.get(f"/runs/{run_id}/steps").raise_for_status().json()["steps"]
    return found


def test_a_person_who_begins_is_welcomed_once_and_gets_the_features(
    works: LocalStack, api: httpx.Client
) -> None:
    run_id = onboard(works, "begins")
    eventually(
        "it waits for the event",
        lambda: read(api, run_id),
        lambda run: run["waiting_for"] == "user.activated" or run["status"] == "failed",
    )
    sent = {"type": "user.activated", "key": "begins", "data": {"features": ["export", "api"]}}
    assert api.post("/events", json=sent).status_code == 202
    run = ended(api, run_id)
    assert (run["status"], run["result"]) == ("succeeded", {"activated": True})
    assert len(subjects(works, "begins")) == 1
    shown = steps_of(api, run_id)
    assert [each["kind"] for each in shown] == ["step", "sleep", "wait_for", "run"]
    assert shown[-1]["result"]["total"] == 2


def test_a_person_who_does_not_is_reminded(works: LocalStack, api: httpx.Client) -> None:
    run_id = onboard(works, "forgets", "onboard_soon")
    run = ended(api, run_id)
    assert (run["status"], run["result"]) == ("succeeded", {"activated": False})
    assert subjects(works, "forgets")[0] == "Shall we help?"
    assert len(subjects(works, "forgets")) == 2


@pytest.mark.soak
def test_customers_are_synced_and_one_run_waits_for_all_of_them(
    works: LocalStack, api: httpx.Client
) -> None:
    count = size(40, 500)
    run_id = runs.begin(works, "sync_all", {"count": count})
    run = ended(api, run_id, seconds=240)
    assert (run["status"], run["result"]) == ("succeeded", {"succeeded": count, "failed": 0})
    below = steps_of(api, run_id)[-1]["result"]["run_id"]
    outcomes = items_of(api, below, limit=1000)
    assert [each["status"] for each in outcomes] == ["succeeded"] * count
    assert sum('"message":"fetched"' in line for line in works.logs()) == count
