"""Schedules that really fire: over HTTP, on template.yaml as it is deployed, with IAM enforced.

A schedule is made through the API for a time that is far, and then made due in the emulator, which looks every 10 s. That
something does not fire is seen when another one, due as well, has.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from tests.e2e.conftest import LocalStack, eventually

GROUP = "local-schedules"
SCOPES = "runs:read,runs:write,workflow:verify_send,workflow:verify_check,workflow:verify_delete"


@pytest.fixture
def api(stack: LocalStack) -> Iterator[httpx.Client]:
    with stack.api(stack.new_token("secret", SCOPES)["token"]) as client:
        yield client


def schedule(api: httpx.Client, **wanted: Any) -> dict[str, Any]:
    about = {"workflow": "verify_delete", "parameters": {"verification_id": "k1.nothing"}, "after_seconds": 3600}
    made = api.post("/schedules", json=about | wanted)
    assert made.status_code == 201, made.text
    body: dict[str, Any] = made.json()
    return body


def make_due(stack: LocalStack, made: dict[str, Any], expression: str | None = None) -> None:
    """Leaves all but its time as the API made it."""
    scheduler = stack.emulator.client("scheduler")
    about = scheduler.get_schedule(Name=made["schedule_id"], GroupName=GROUP)
    kept = ("State", "Target", "FlexibleTimeWindow", "ActionAfterCompletion")
    scheduler.update_schedule(
        Name=made["schedule_id"],
        GroupName=GROUP,
        ScheduleExpression=expression or f"at({datetime.now(UTC):%Y-%m-%dT%H:%M:%S})",
        **{name: about[name] for name in kept},
    )


def runs(stack: LocalStack, status: str | None = None) -> set[str]:
    machine = stack.running.outputs["RunWorkflowArn"]
    filters = {"statusFilter": status} if status else {}
    found = stack.emulator.client("stepfunctions").list_executions(stateMachineArn=machine, **filters)["executions"]
    return {each["name"] for each in found}


def wait_until_another_fires(stack: LocalStack, api: httpx.Client) -> None:
    other = schedule(api)
    make_due(stack, other)
    eventually(lambda: other["run_id"] in runs(stack))


def test_a_schedule_fires_once_and_is_gone_and_its_run_does_the_work(
    stack: LocalStack, api: httpx.Client, email: str
) -> None:
    sent = api.post("/workflows/verify_send", json={"channel": "email", "to": email}).json()
    made = schedule(api, parameters={"verification_id": sent["verification_id"]})
    assert api.get(f"/schedules/{made['schedule_id']}").json() == made
    make_due(stack, made)
    eventually(lambda: made["run_id"] in runs(stack, "SUCCEEDED"))
    check = {"verification_id": sent["verification_id"], "code": stack.code(email)}
    assert api.post("/workflows/verify_check", json=check).json()["valid"] is False
    eventually(lambda: api.get(f"/schedules/{made['schedule_id']}").status_code == 404)
    assert made not in api.get("/schedules").json()["schedules"]
    objects = stack.emulator.client("s3").list_objects_v2(Bucket=stack.running.outputs["RunsBucket"])["Contents"]
    assert f"schedules/{made['schedule_id']}.json" not in {each["Key"] for each in objects}


def test_a_cancelled_schedule_never_fires(stack: LocalStack, api: httpx.Client) -> None:
    made = schedule(api)
    make_due(stack, made)
    assert api.delete(f"/schedules/{made['schedule_id']}").status_code == 200
    wait_until_another_fires(stack, api)
    assert made["run_id"] not in runs(stack)


def test_a_paused_schedule_does_not_fire_until_it_is_resumed(stack: LocalStack, api: httpx.Client) -> None:
    made = schedule(api)
    url = f"/schedules/{made['schedule_id']}"
    assert api.patch(url, json={"paused": True}).json()["paused"] is True
    make_due(stack, made)
    wait_until_another_fires(stack, api)
    assert made["run_id"] not in runs(stack)
    assert api.get(url).json()["paused"] is True
    assert api.patch(url, json={"paused": False}).json()["paused"] is False
    make_due(stack, made)
    eventually(lambda: made["run_id"] in runs(stack))


def test_a_cancelled_group_never_fires(stack: LocalStack, api: httpx.Client) -> None:
    group = [schedule(api, group="order-1"), schedule(api, group="order-1")]
    for made in group:
        make_due(stack, made)
    assert api.delete("/schedules", params={"group": "order-1"}).json() == {"group": "order-1", "cancelled": 2}
    wait_until_another_fires(stack, api)
    assert {made["run_id"] for made in group} & runs(stack) == set()
    assert api.get("/schedules", params={"group": "order-1"}).json()["schedules"] == []


def test_a_recurring_schedule_fires_at_least_twice_and_once_a_minute(stack: LocalStack, api: httpx.Client) -> None:
    """Fired every 10 s by the emulator, which is to be one run in a minute: what is delivered twice runs once."""
    before = runs(stack)
    made = schedule(api, after_seconds=None, every_seconds=60)
    began = datetime.now(UTC)
    make_due(stack, made, "rate(0 minutes)")
    eventually(lambda: len(runs(stack) - before) >= 2, 120)
    minutes = (datetime.now(UTC) - began).total_seconds() / 60
    assert len(runs(stack) - before) <= minutes + 2
    assert api.delete(f"/schedules/{made['schedule_id']}").status_code == 200


def test_a_past_time_runs_at_once(stack: LocalStack, api: httpx.Client) -> None:
    about = {"workflow": "verify_delete", "parameters": {"verification_id": "k1.nothing"}, "at": "2020-01-01T00:00Z"}
    started = api.post("/schedules", json=about)
    assert started.status_code == 202
    eventually(lambda: started.json()["run_id"] in runs(stack, "SUCCEEDED"))


def test_parameters_are_validated_by_the_workflow_itself(api: httpx.Client) -> None:
    about = {"workflow": "verify_delete", "parameters": {"verification_id": 5}, "after_seconds": 3600}
    refused = api.post("/schedules", json=about)
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "/parameters/verification_id")
