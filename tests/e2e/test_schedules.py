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
    about = {
        "workflow": "verify_delete",
        "parameters": {"verification_id": "k1.nothing"},
        "after_seconds": 3600,
    }
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


def status(api: httpx.Client, made: dict[str, Any]) -> str | None:
    """Of the run that a schedule starts; null before it does."""
    shown = api.get(f"/runs/{made['run_id']}")
    return shown.json()["status"] if shown.status_code == 200 else None


def wait_until_another_fires(stack: LocalStack, api: httpx.Client) -> None:
    other = schedule(api)
    make_due(stack, other)
    eventually(lambda: status(api, other))


def test_a_schedule_fires_once_and_is_gone_and_its_run_does_the_work(
    stack: LocalStack, api: httpx.Client, email: str
) -> None:
    sent = api.post("/workflows/verify_send", json={"channel": "email", "to": email}).json()
    made = schedule(api, parameters={"verification_id": sent["verification_id"]})
    assert api.get(f"/schedules/{made['schedule_id']}").json() == made
    make_due(stack, made)
    eventually(lambda: status(api, made) == "succeeded")
    check = {"verification_id": sent["verification_id"], "code": stack.code(email)}
    assert api.post("/workflows/verify_check", json=check).json()["valid"] is False
    eventually(lambda: api.get(f"/schedules/{made['schedule_id']}").status_code == 404)
    assert made not in api.get("/schedules").json()["schedules"]
    objects = stack.emulator.client("s3").list_objects_v2(
        Bucket=stack.running.outputs["RunsBucket"]
    )["Contents"]
    assert f"schedules/{made['schedule_id']}.json" not in {each["Key"] for each in objects}


def test_a_cancelled_schedule_never_fires(stack: LocalStack, api: httpx.Client) -> None:
    made = schedule(api)
    make_due(stack, made)
    assert api.delete(f"/schedules/{made['schedule_id']}").status_code == 200
    wait_until_another_fires(stack, api)
    assert status(api, made) is None


def test_a_paused_schedule_does_not_fire_until_it_is_resumed(
    stack: LocalStack, api: httpx.Client
) -> None:
    made = schedule(api)
    url = f"/schedules/{made['schedule_id']}"
    assert api.patch(url, json={"paused": True}).json()["paused"] is True
    make_due(stack, made)
    wait_until_another_fires(stack, api)
    assert status(api, made) is None
    assert api.get(url).json()["paused"] is True
    assert api.patch(url, json={"paused": False}).json()["paused"] is False
    make_due(stack, made)
    eventually(lambda: status(api, made))


def test_a_cancelled_group_never_fires(stack: LocalStack, api: httpx.Client) -> None:
    group = [schedule(api, group="order-1"), schedule(api, group="order-1")]
    for made in group:
        make_due(stack, made)
    assert api.delete("/schedules", params={"group": "order-1"}).json() == {
        "group": "order-1",
        "cancelled": 2,
    }
    wait_until_another_fires(stack, api)
    assert [status(api, made) for made in group] == [None, None]
    assert api.get("/schedules", params={"group": "order-1"}).json()["schedules"] == []


@pytest.mark.soak(only=True)
def test_a_recurring_schedule_fires_at_least_twice_and_once_a_minute(stack: LocalStack) -> None:
    """Fired every 10 s by the emulator, which is to be one run in a minute: what is delivered twice runs once.

    No other test has runs of this workflow.
    """
    with stack.api(
        stack.new_token("secret", "runs:read,runs:write,workflow:check_app_location")["token"]
    ) as api:
        made = schedule(
            api, workflow="check_app_location", parameters={}, after_seconds=None, every_seconds=60
        )
        began = datetime.now(UTC)
        make_due(stack, made, "rate(0 minutes)")
        eventually(lambda: len(api.get("/runs").json()["runs"]) >= 2, 120)
        minutes = (datetime.now(UTC) - began).total_seconds() / 60
        assert len(api.get("/runs").json()["runs"]) <= minutes + 2
        assert api.delete(f"/schedules/{made['schedule_id']}").status_code == 200


def test_a_past_time_runs_at_once(api: httpx.Client) -> None:
    about = {
        "workflow": "verify_delete",
        "parameters": {"verification_id": "k1.nothing"},
        "at": "2020-01-01T00:00Z",
    }
    started = api.post("/schedules", json=about)
    assert started.status_code == 202
    eventually(lambda: status(api, started.json()) == "succeeded")


def test_parameters_are_validated_by_the_workflow_itself(api: httpx.Client) -> None:
    about = {
        "workflow": "verify_delete",
        "parameters": {"verification_id": 5},
        "after_seconds": 3600,
    }
    refused = api.post("/schedules", json=about)
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (
        422,
        "/parameters/verification_id",
    )
