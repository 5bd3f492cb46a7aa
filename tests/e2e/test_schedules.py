"""Schedules that really fire: over HTTP, on template.yaml as deployed, with IAM enforced.

A test makes a schedule for a distant time through the API, then makes it due in the emulator, which
looks every 10 s. If another schedule that is due has fired meanwhile, a schedule does not fire.
"""

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from tests.builders.parameters import check_parameters, send_parameters
from tests.e2e.conftest import LocalStack, eventually
from tests.e2e.runs import ended, readable

GROUP = "local-schedules"
SCOPES = "runs:read,runs:write,workflow:verify_send,workflow:verify_check,workflow:verify_delete"


@pytest.fixture
def api(stack: LocalStack) -> Iterator[httpx.Client]:
    with stack.new_api(SCOPES) as client:
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


def status(api: httpx.Client, made: dict[str, Any]) -> str | None:
    """Status of the run that a schedule starts; null before it starts."""
    shown = api.get(f"/runs/{made['run_id']}")
    return shown.json()["status"] if shown.status_code == 200 else None


def wait_until_another_fires(stack: LocalStack, api: httpx.Client) -> None:
    other = schedule(api)
    stack.make_due(other["schedule_id"], GROUP)
    eventually("another schedule has fired", lambda: status(api, other))


def test_a_schedule_fires_once_and_is_gone_and_its_run_does_the_work(
    stack: LocalStack, api: httpx.Client, email: str
) -> None:
    sent = api.post("/workflows/verify_send", json=send_parameters(email)).json()
    made = schedule(api, parameters={"verification_id": sent["verification_id"]})
    assert api.get(f"/schedules/{made['schedule_id']}").json() == made
    stack.make_due(made["schedule_id"], GROUP)
    eventually("its run has succeeded", lambda: status(api, made), lambda seen: seen == "succeeded")
    check = check_parameters(sent["verification_id"], stack.code(email))
    assert api.post("/workflows/verify_check", json=check).json()["valid"] is False
    url = f"/schedules/{made['schedule_id']}"
    eventually("the schedule is gone", lambda: api.get(url).status_code, lambda seen: seen == 404)
    listed = [each["schedule_id"] for each in api.get("/schedules").json()["schedules"]]
    assert made["schedule_id"] not in listed
    kept = stack.emulator.client("s3").list_objects_v2(
        Bucket=stack.running.outputs["RunsBucket"], Prefix=f"schedules/{made['schedule_id']}"
    )
    assert kept.get("Contents", []) == []


def test_a_cancelled_schedule_never_fires(stack: LocalStack, api: httpx.Client) -> None:
    made = schedule(api)
    stack.make_due(made["schedule_id"], GROUP)
    assert api.delete(f"/schedules/{made['schedule_id']}").status_code == 200
    wait_until_another_fires(stack, api)
    assert status(api, made) is None


def test_a_paused_schedule_does_not_fire_until_it_is_resumed(
    stack: LocalStack, api: httpx.Client
) -> None:
    made = schedule(api)
    url = f"/schedules/{made['schedule_id']}"
    assert api.patch(url, json={"paused": True}).json()["paused"] is True
    stack.make_due(made["schedule_id"], GROUP)
    wait_until_another_fires(stack, api)
    assert status(api, made) is None
    assert api.get(url).json()["paused"] is True
    assert api.patch(url, json={"paused": False}).json()["paused"] is False
    stack.make_due(made["schedule_id"], GROUP)
    eventually("it has fired", lambda: status(api, made))


def test_a_cancelled_group_never_fires(stack: LocalStack, api: httpx.Client) -> None:
    name = uuid.uuid4().hex
    group = [schedule(api, group=name), schedule(api, group=name)]
    for made in group:
        stack.make_due(made["schedule_id"], GROUP)
    assert api.delete("/schedules", params={"group": name}).json() == {
        "group": name,
        "cancelled": 2,
    }
    wait_until_another_fires(stack, api)
    assert [status(api, made) for made in group] == [None, None]
    assert api.get("/schedules", params={"group": name}).json()["schedules"] == []


def test_a_schedule_of_a_revoked_token_is_paused_and_another_token_takes_it_over(
    stack: LocalStack, api: httpx.Client
) -> None:
    issued = stack.new_token("secret", SCOPES)
    with stack.api(issued["token"]) as old:
        made = schedule(old)
    stack.token("revoke", issued["token_id"])
    stack.make_due(made["schedule_id"], GROUP)
    url = f"/schedules/{made['schedule_id']}"
    shown = eventually("it is paused", lambda: api.get(url).json(), lambda seen: seen["paused"])
    assert shown["paused_because"] == "token_revoked"
    resumed = api.patch(url, json={"paused": False, "after_seconds": 7200}).json()
    assert (resumed["paused"], resumed["paused_because"]) == (False, None)
    assert api.delete(url).status_code == 200


def test_a_schedule_gets_other_times_and_runs_beside_them(api: httpx.Client) -> None:
    made = schedule(api)
    url = f"/schedules/{made['schedule_id']}"
    changed = api.patch(url, json={"cron": "0 9 * * 1", "timezone": "Europe/Berlin"}).json()
    assert changed["meaning"] == "at 09:00 on Mondays (Europe/Berlin)"
    run_id = api.post(f"{url}/run", json={}).json()["run_id"]
    assert ended(api, run_id)["status"] == "succeeded"
    assert api.get(url).json()["last_run_id"] == run_id
    assert api.delete(url).status_code == 200


@pytest.mark.soak(only=True)
def test_a_recurring_schedule_fires_at_least_twice_and_once_a_minute(stack: LocalStack) -> None:
    """The emulator fires it every 10 s, and repeated firings within a minute are one run.

    No other test has runs of this workflow.
    """
    with stack.new_api("runs:read,runs:write,workflow:check_app_location") as api:
        made = schedule(
            api, workflow="check_app_location", parameters={}, after_seconds=None, every_seconds=60
        )
        began = datetime.now(UTC)
        stack.make_due(made["schedule_id"], GROUP, "rate(0 minutes)")
        eventually("it has fired twice", lambda: readable(api), lambda runs: len(runs) >= 2)
        minutes = (datetime.now(UTC) - began).total_seconds() / 60
        assert len(readable(api)) <= minutes + 2
        assert api.delete(f"/schedules/{made['schedule_id']}").status_code == 200


def test_a_past_time_runs_at_once(api: httpx.Client) -> None:
    about = {
        "workflow": "verify_delete",
        "parameters": {"verification_id": "k1.nothing"},
        "at": "2020-01-01T00:00Z",
    }
    started = api.post("/schedules", json=about)
    assert started.status_code == 202
    run_id = started.json()["run_id"]
    assert ended(api, run_id)["status"] == "succeeded"


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
