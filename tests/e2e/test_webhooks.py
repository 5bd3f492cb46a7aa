"""Webhooks in and events out, on the local stack.

A signed delivery of another application starts a run here. An event of this stack reaches a
receiver, which verifies it.
"""

import json
import subprocess
import sys
import time
import uuid

import httpx
import pytest
from standardwebhooks.webhooks import WebhookVerificationError

from infra import sam
from tests.builders import deliveries
from tests.builders.codes import stands_in
from tests.builders.parameters import check_parameters, send_parameters
from tests.e2e.conftest import LocalStack, Receiver, eventually
from tests.e2e.runs import ended

SECURITY_TOKEN = "usersnaps-security-token"
PORTAL_SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
SAMPLE = {
    "feedback_number": 1000,
    "comment": {"text": "This example feedback will show"},
    "state": {"identifier": "open"},
}
"""Usersnap's sample feedback (help.usersnap.com/docs/webhook), shortened."""


@pytest.fixture(scope="session")
def stack(special: LocalStack) -> LocalStack:
    return special


@pytest.fixture(scope="module")
def portal(stack: LocalStack, receiver_url: str) -> str:
    """Path of the client portal, with Usersnap switched on and its webhook set up."""
    command = [sys.executable, "-m", "infra.webhooks", "--state", str(stack.state), "usersnap"]
    done = subprocess.run(
        command, cwd=sam.ROOT, input=SECURITY_TOKEN, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    switch = {
        "enabled": True,
        "space_api_key": "4e8e2b1c-7d09-4a3f-9c55-0d6a8f3b2e71",
        "portal_url": f"{receiver_url}/portal",
        "portal_secret": PORTAL_SECRET,
    }
    with stack.api() as api:
        answer = api.post("/workflows/update_usersnap", json=switch)
    assert answer.status_code == 200, answer.text
    return "/portal"


def feedback(
    stack: LocalStack, about: object, *, key: str = SECURITY_TOKEN, late_seconds: int = 0
) -> httpx.Response:
    """Delivery as Usersnap signs it."""
    arrived = deliveries.usersnap(json.dumps(about).encode(), key, time.time() - late_seconds)
    headers = {"content-type": "application/json", **arrived.headers}
    return httpx.post(
        f"{stack.url}/webhooks/usersnap", content=arrived.body, headers=headers, timeout=60
    )


def test_feedback_that_usersnap_signed_reaches_the_portal_which_verifies_it(
    stack: LocalStack, receiver: Receiver, portal: str
) -> None:
    answer = feedback(stack, SAMPLE)
    assert answer.status_code == 200, answer.text
    event = receiver.wait_for_event(
        portal, PORTAL_SECRET, "usersnap.feedback", feedback_number=1000
    )
    assert event["data"] == SAMPLE
    run_id = answer.json()["run_id"]
    with stack.api() as api:
        run = ended(api, run_id)
    assert (run["status"], run["result"]["delivered"]) == ("succeeded", True)
    with pytest.raises(WebhookVerificationError):
        receiver.events(portal, "whsec_" + "A" * 32, "usersnap.feedback", feedback_number=1000)


def test_the_same_feedback_twice_is_delivered_once(
    stack: LocalStack, receiver: Receiver, portal: str
) -> None:
    again = SAMPLE | {"feedback_number": 1001}
    assert feedback(stack, again).json() == feedback(stack, again).json()
    feedback(stack, SAMPLE | {"feedback_number": 1002})
    for number in (1001, 1002):
        receiver.wait_for_event(portal, PORTAL_SECRET, "usersnap.feedback", feedback_number=number)
    arrived = receiver.events(portal, PORTAL_SECRET, "usersnap.feedback", feedback_number=1001)
    assert len(arrived) == 1


def test_a_delivery_is_listed_and_replayed(
    stack: LocalStack, receiver: Receiver, portal: str
) -> None:
    about = SAMPLE | {"feedback_number": 1005}
    run_id = feedback(stack, about).json()["run_id"]
    receiver.wait_for_event(portal, PORTAL_SECRET, "usersnap.feedback", feedback_number=1005)
    with stack.api() as api:
        listed = api.get("/webhooks/usersnap/deliveries", params={"status": "started"}).json()
        found = next(each for each in listed["deliveries"] if each["run_id"] == run_id)
        path = f"/webhooks/usersnap/deliveries/{found['id']}"
        assert api.get(path).json()["payload"] == about
        again = api.post(f"{path}/replay")
        assert (again.status_code, again.json()["run_id"] != run_id) == (202, True)
        assert ended(api, again.json()["run_id"])["status"] == "succeeded"
        assert api.get(path).json()["run_id"] == again.json()["run_id"]


@pytest.mark.usefixtures("portal")
def test_feedback_that_is_forged_or_old_is_refused(stack: LocalStack) -> None:
    forged, old = feedback(stack, SAMPLE, key="a guess"), feedback(stack, SAMPLE, late_seconds=400)
    assert [(each.status_code, each.json()["code"]) for each in (forged, old)] == [
        (401, "wrong_signature"),
        (400, "stale_delivery"),
    ]
    assert httpx.post(f"{stack.url}/webhooks/nobody", content=b"{}", timeout=60).status_code == 404


def test_a_receiver_that_was_down_gets_the_event_later_under_the_same_id(
    stack: LocalStack, receiver: Receiver, portal: str
) -> None:
    number = b'"feedback_number":1003'
    receiver.fail_once(number)
    feedback(stack, SAMPLE | {"feedback_number": 1003})
    eventually(
        "the event has arrived twice",
        lambda: receiver.arrived_with(number),
        lambda arrived: len(arrived) == 2,
    )
    assert len({headers["webhook-id"] for _, headers in receiver.arrived_with(number)}) == 1
    assert receiver.events(portal, PORTAL_SECRET, "usersnap.feedback", feedback_number=1003)


def test_the_life_of_a_verification_is_told_in_events(
    stack: LocalStack, receiver: Receiver, phone: str
) -> None:
    """The message is sent, delivered (Twilio's signed status callback) and its code approved."""
    events_key = stack.secret("EventsKeySecret")
    with stack.api() as api:
        about = send_parameters(phone, channel="whatsapp", purpose="sign_in")
        sent = api.post("/workflows/verify_send", json=about).json()
        known = {"verification_id": sent["verification_id"], "to": phone, "purpose": "sign_in"}
        receiver.wait_for_event("/events", events_key, "verification.delivered", **known)
        code = stack.code(phone)
        body = check_parameters(sent["verification_id"], code)
        assert api.post("/workflows/verify_check", json=body).json()["valid"] is True
    receiver.wait_for_event("/events", events_key, "verification.approved", **known)
    arrived = b"\n".join(body for _, _, body in receiver.arrived).decode()
    assert not stands_in(code, arrived), "the code is in an event"


def test_a_verification_that_nobody_completes_is_told_to_have_expired(
    stack: LocalStack, receiver: Receiver, email: str
) -> None:
    """Expiry takes ten minutes, so the test makes it expired and its deletion due."""
    events_key = stack.secret("EventsKeySecret")
    with stack.api() as api:
        sent = api.post("/workflows/verify_send", json=send_parameters(email)).json()
    about = {"verification_id": sent["verification_id"], "to": email}
    receiver.wait_for_event("/events", events_key, "verification.sent", **about)
    stack.emulator.client("dynamodb").update_item(
        TableName="local-verifications",
        Key={"verification_id": {"S": sent["verification_id"]}},
        UpdateExpression="SET expires_at = :now",
        ExpressionAttributeValues={":now": {"N": str(int(time.time()))}},
    )
    stack.make_due(sent["verification_id"], "local-verifications")
    receiver.wait_for_event("/events", events_key, "verification.expired", **about)


def test_nothing_of_an_event_or_delivery_is_in_the_logs(
    stack: LocalStack, receiver: Receiver, portal: str
) -> None:
    text = f"What somebody wrote, {uuid.uuid4()}"
    feedback(stack, SAMPLE | {"feedback_number": 1004, "comment": {"text": text}})
    receiver.wait_for_event(portal, PORTAL_SECRET, "usersnap.feedback", feedback_number=1004)
    logs = "\n".join(stack.logs())
    assert "deliver_event" in logs
    assert text not in logs
    assert SECURITY_TOKEN not in logs
