"""Webhooks in and events out, on the local stack: what another application signs starts a run here, and what happens here
reaches a receiver that verifies it.
"""

import json
import subprocess
import sys
import time
from typing import Any

import httpx
import pytest
from standardwebhooks.webhooks import WebhookVerificationError

from infra import sam
from tests.builders import deliveries
from tests.e2e.conftest import LocalStack, Receiver, eventually

SECURITY_TOKEN = "usersnaps-security-token"
PORTAL_SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
SAMPLE = {
    "feedback_number": 1000,
    "comment": {"text": "This example feedback will show"},
    "state": {"identifier": "open"},
}
"""Of Usersnap's sample feedback (help.usersnap.com/docs/webhook), shortened."""


@pytest.fixture(scope="session")
def stack(special: LocalStack) -> LocalStack:
    return special


@pytest.fixture(scope="module")
def events_key(stack: LocalStack) -> str:
    arn = stack.running.outputs["EventsKeySecret"]
    return str(
        stack.emulator.client("secretsmanager").get_secret_value(SecretId=arn)["SecretString"]
    )


@pytest.fixture(scope="module")
def portal(stack: LocalStack, receiver_url: str) -> str:
    """The client portal's path, once Usersnap is switched on and its webhook is set up."""
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
    """A delivery as Usersnap signs it."""
    arrived = deliveries.usersnap(json.dumps(about).encode(), key, time.time() - late_seconds)
    headers = {"content-type": "application/json", **arrived.headers}
    return httpx.post(
        f"{stack.url}/webhooks/usersnap", content=arrived.body, headers=headers, timeout=60
    )


def of_type(found: list[dict[str, Any]], kind: str, **data: Any) -> list[dict[str, Any]]:
    return [each for each in found if each["type"] == kind and each["data"].items() >= data.items()]


def test_feedback_that_usersnap_signed_reaches_the_portal_which_verifies_it(
    stack: LocalStack, receiver: Receiver, portal: str
) -> None:
    answer = feedback(stack, SAMPLE)
    assert answer.status_code == 200, answer.text
    event = eventually(
        lambda: of_type(receiver.events(portal, PORTAL_SECRET), "usersnap.feedback")
    )[0]
    assert event["data"] == SAMPLE
    run_id = answer.json()["run_id"]
    with stack.api() as api:
        eventually(lambda: api.get(f"/runs/{run_id}").json()["status"] != "running")
        run = api.get(f"/runs/{run_id}").json()
    assert (run["status"], run["result"]["delivered"]) == ("succeeded", True)
    with pytest.raises(WebhookVerificationError):
        receiver.events(portal, "whsec_" + "A" * 32)


def test_the_same_feedback_twice_is_delivered_once(
    stack: LocalStack, receiver: Receiver, portal: str
) -> None:
    again = SAMPLE | {"feedback_number": 1001}
    assert feedback(stack, again).json() == feedback(stack, again).json()
    feedback(stack, SAMPLE | {"feedback_number": 1002})
    eventually(
        lambda: of_type(
            receiver.events(portal, PORTAL_SECRET), "usersnap.feedback", feedback_number=1002
        )
    )
    assert (
        len(
            of_type(
                receiver.events(portal, PORTAL_SECRET), "usersnap.feedback", feedback_number=1001
            )
        )
        == 1
    )


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
    eventually(lambda: len(receiver.arrived_with(number)) == 2)
    assert len({headers["webhook-id"] for _, headers in receiver.arrived_with(number)}) == 1
    assert of_type(
        receiver.events(portal, PORTAL_SECRET), "usersnap.feedback", feedback_number=1003
    )


def test_the_life_of_a_verification_is_told_in_events(
    stack: LocalStack, receiver: Receiver, events_key: str, phone: str
) -> None:
    """Sent and delivered, as Twilio's signed status callback says, and approved."""
    with stack.api() as api:
        about = {"channel": "whatsapp", "to": phone, "purpose": "sign_in"}
        sent = api.post("/workflows/verify_send", json=about).json()
        known = {"verification_id": sent["verification_id"], "to": phone, "purpose": "sign_in"}

        def told(kind: str) -> list[dict[str, Any]]:
            return eventually(
                lambda: of_type(
                    receiver.events("/events", events_key), f"verification.{kind}", **known
                )
            )

        told("delivered")
        code = {"verification_id": sent["verification_id"], "code": stack.code(phone)}
        assert api.post("/workflows/verify_check", json=code).json()["valid"] is True
    told("approved")
    assert code["code"].encode() not in b"".join(body for _, _, body in receiver.arrived)


def test_a_verification_that_nobody_completes_is_told_to_have_expired(
    stack: LocalStack, receiver: Receiver, events_key: str, email: str
) -> None:
    with stack.api() as api:
        sent = api.post("/workflows/verify_send", json={"channel": "email", "to": email}).json()
    for kind in ("sent", "expired"):
        about = {"verification_id": sent["verification_id"], "to": email}
        eventually(
            lambda: of_type(receiver.events("/events", events_key), f"verification.{kind}", **about)  # noqa: B023
        )


def test_nothing_of_an_event_or_delivery_is_in_the_logs(
    stack: LocalStack, receiver: Receiver
) -> None:
    assert receiver.arrived, "the tests above"
    logs = "\n".join(stack.logs())
    assert "This example feedback" not in logs
    assert SECURITY_TOKEN not in logs
