"""Long workflows on the local stack: steps, sleeps, waits for events, runs within runs."""

import json
from collections.abc import Iterator

import httpx
import pytest

from tests.e2e import runs
from tests.e2e.conftest import Json, LocalStack, eventually
from tests.e2e.runs import ended

ONBOARD = '''
"""join: greets, waits for the activation, reminds or grants."""

from functions.core.errors import Unavailable
from functions.core.observability import logger
from functions.core.workflow import Call, Parameters, Result, workflow


class Person(Parameters):
    user_id: str
    fails: int = 0
    seconds: float = 600


class Onboarded(Result):
    activated: bool
    granted: int


def join(person: Person, call: Call) -> Onboarded:
    def welcome() -> str:
        logger.info("welcomed", user=person.user_id)
        return "welcome"

    call.step("welcome", welcome)
    call.sleep("look around", seconds=1)
    event = call.wait_for("user.activated", key=person.user_id, seconds=person.seconds)
    if event is None:
        return Onboarded(activated=False, granted=0)
    features = event.data["features"]
    granted = call.run("grant", [{"feature": each, "fails": person.fails} for each in features])
    return Onboarded(activated=granted.failed == 0, granted=granted.succeeded)


lambda_handler = workflow(join, long=True, starts=["grant"])
'''
GRANT = '''
"""grant: grants a feature, at the third try."""

from functions.core.errors import Conflict, Unavailable
from functions.core.observability import logger
from functions.core.workflow import Call, Parameters, Result, workflow

tries: dict[str, int] = {}


class Feature(Parameters):
    feature: str
    fails: int = 0


class Granted(Result):
    feature: str


def grant(feature: Feature) -> Granted:
    logger.info("granted", feature=feature.feature)
    return Granted(feature=feature.feature)


lambda_handler = workflow(grant)
'''
SCOPES = "runs:read,runs:write,events:write,workflow:join,workflow:grant"
NAPPING = 10_000
"""Items in the test of long lists: each has an execution of its own."""


@pytest.fixture(scope="module")
def onboards(stack: LocalStack) -> LocalStack:
    stack.add_workflow("join", ONBOARD)
    stack.add_workflow("grant", GRANT)
    runs.add_start(stack, "join")
    return stack


@pytest.fixture(scope="module")
def api(onboards: LocalStack) -> Iterator[httpx.Client]:
    with onboards.new_api(SCOPES) as client:
        yield client


def waiting_for(api: httpx.Client, run_id: str, event: str | None) -> Json:
    return eventually(
        f"{run_id} waits for {event}",
        lambda: runs.read(api, run_id),
        lambda run: run["waiting"] == 1 and run["waiting_for"] == event,
    )


def test_an_item_sleeps_waits_for_an_event_and_for_a_run(
    onboards: LocalStack, api: httpx.Client
) -> None:
    run_id = runs.begin(onboards, "join", {"user_id": "u1"})
    waiting_for(api, run_id, "user.activated")
    sent = {"type": "user.activated", "key": "u1", "data": {"features": ["a", "b"]}}
    assert api.post("/events", json=sent).status_code == 202
    run = ended(api, run_id)
    assert (run["status"], run["result"]) == ("succeeded", {"activated": True, "granted": 2})
    steps = api.get(f"/runs/{run_id}/steps").json()["steps"]
    assert [(each["name"], each["kind"], each["status"]) for each in steps] == [
        ("welcome", "step", "succeeded"),
        ("look around", "sleep", "succeeded"),
        ("user.activated", "wait_for", "succeeded"),
        ("grant", "run", "succeeded"),
    ]
    assert json.dumps(steps)
    welcomed = [line for line in onboards.logs() if '"welcomed"' in line and '"u1"' in line]
    assert len(welcomed) == 1


def test_items_of_a_list_wait_and_each_goes_on_by_itself(
    onboards: LocalStack, api: httpx.Client
) -> None:
    run_id = runs.begin(onboards, "join", *({"user_id": f"list-{number}"} for number in range(6)))
    listen = ["user.activated"] * 6
    eventually(
        "all wait for the event",
        lambda: [each["waiting_for"] for each in runs.items_of(api, run_id)],
        lambda found: found == listen,
    )
    assert runs.read(api, run_id)["waiting"] == 6
    for number in range(5):
        sent = {"type": "user.activated", "key": f"list-{number}", "data": {"features": ["a"]}}
        assert api.post("/events", json=sent).status_code == 202
    eventually("five end", lambda: runs.read(api, run_id), lambda run: run["succeeded"] == 5)
    shown = runs.read(api, run_id)
    assert (shown["status"], shown["waiting"]) == ("running", 1)
    last = {"type": "user.activated", "index": 5, "data": {"features": []}}
    api.post(f"/runs/{run_id}/events", json=last).raise_for_status()
    assert ended(api, run_id)["status"] == "succeeded"


NAP = '''
"""nap: sleeps until somebody wakes it."""

from functions.core.workflow import Call, Parameters, Result, workflow


class Nap(Parameters):
    number: int


class Rested(Result):
    number: int


def nap(parameters: Nap, call: Call) -> Rested:
    call.sleep("nap", hours=3)
    return Rested(number=parameters.number)


lambda_handler = workflow(nap, long=True)
'''


@pytest.mark.soak(only=True)
@pytest.mark.timeout(2400)
def test_thousands_of_items_wait_and_are_counted_and_cancelled(stack: LocalStack) -> None:
    stack.add_workflow("nap", NAP)
    runs.add_start(stack, "nap")
    with stack.new_api("runs:read,runs:write,workflow:nap") as api:
        run_id = runs.begin(stack, "nap", *({"number": number} for number in range(NAPPING)))
        eventually(
            "all wait",
            lambda: runs.read(api, run_id),
            lambda run: run["waiting"] == NAPPING,
            seconds=1800,
            every=10,  # the emulator reads all records of the run for each look
        )
        shown = runs.read(api, run_id)
        assert (shown["status"], shown["running"], shown["pending"]) == ("running", 0, 0)
        assert api.delete(f"/runs/{run_id}").json()["status"] == "cancelled"
        again = api.post(f"/runs/{run_id}/retry", json={}).json()
        assert again["total"] == NAPPING
        api.delete(f"/runs/{again['run_id']}").raise_for_status()
