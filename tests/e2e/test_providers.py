"""SMS, WhatsApp and calls through Twilio and End User Messaging: `make run SMS_PROVIDERS=…`."""

import re
from pathlib import Path

import pytest

from infra.local import end_user_messaging, twilio
from tests.builders.parameters import check_parameters, send_parameters
from tests.e2e.conftest import LocalStack

BERLIN = "+493012345678"
"""Used by no other test of this stack, because of the wait between codes to one number."""


def test_an_sms_arrives_through_the_first_configured_provider(
    special: LocalStack, phone: str
) -> None:
    assert verified_through(special, "sms", phone)["from"] == end_user_messaging.ORIGINATION


def test_whatsapp_and_calls_arrive_once_they_are_switched_on(
    special: LocalStack, phone: str
) -> None:
    for channel, number in (("whatsapp", phone), ("voice", BERLIN)):
        assert verified_through(special, channel, number)["channel"] == channel


@pytest.mark.soak(only=True)
def test_an_sms_arrives_through_twilio_alone(tmp_path: Path, phone: str) -> None:
    stack = LocalStack.start(tmp_path, SMS_PROVIDERS="twilio")
    try:
        assert verified_through(stack, "sms", phone)["from"] == twilio.FROM_NUMBER
    finally:
        stack.stop()


def verified_through(stack: LocalStack, channel: str, to: str) -> dict[str, str]:
    """Sends a code and checks it; returns the message that contained it."""
    with stack.api() as api:
        sent = api.post("/workflows/verify_send", json=send_parameters(to, channel=channel))
        assert (sent.status_code, sent.json()["channel"]) == (200, channel), sent.text
        (message,) = stack.inbox(to)
        # A call speaks the code twice, digit by digit.
        code = "".join(re.findall(r"\d", message["text"]))[:6]
        body = check_parameters(sent.json()["verification_id"], code)
        assert api.post("/workflows/verify_check", json=body).json()["valid"] is True
    return dict(message)
