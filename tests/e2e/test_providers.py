"""SMS through Twilio and End User Messaging on the local stack: `make run SMS_PROVIDERS=…` just works."""

import re
from pathlib import Path

import pytest

from infra.local import end_user_messaging, twilio
from tests.e2e.conftest import LocalStack

SENDERS = {"end_user_messaging": end_user_messaging.ORIGINATION, "twilio": twilio.FROM_NUMBER}


@pytest.mark.parametrize("order", ["twilio", "end_user_messaging,twilio"])
def test_an_sms_arrives_through_the_first_configured_provider(order: str, tmp_path: Path, phone: str) -> None:
    stack = LocalStack(tmp_path, SMS_PROVIDERS=order)
    try:
        assert not stack.exited, stack.text
        with stack.api() as api:
            sent = api.post("/workflows/verify_send", json={"channel": "sms", "to": phone})
            assert sent.status_code == 200, sent.text
            (message,) = stack.inbox(phone)
            assert (message["channel"], message["from"]) == ("sms", SENDERS[order.partition(",")[0]])
            body = {"verification_id": sent.json()["verification_id"], "code": stack.code(phone)}
            assert api.post("/workflows/verify_check", json=body).json()["valid"] is True
    finally:
        stack.stop()


def test_whatsapp_and_calls_arrive_once_they_are_switched_on(tmp_path: Path, phone: str) -> None:
    stack = LocalStack(tmp_path, TWILIO_CHANNELS="whatsapp,voice", RESEND_AFTER_SECONDS=1)
    try:
        assert not stack.exited, stack.text
        with stack.api() as api:
            for channel, number in (("whatsapp", phone), ("voice", "+493012345678")):
                sent = api.post("/workflows/verify_send", json={"channel": channel, "to": number})
                assert (sent.status_code, sent.json()["channel"]) == (200, channel), sent.text
                (message,) = stack.inbox(number)
                assert message["channel"] == channel
                code = "".join(re.findall(r"\d", message["text"]))[:6]
                body = {"verification_id": sent.json()["verification_id"], "code": code}
                assert api.post("/workflows/verify_check", json=body).json()["valid"] is True
    finally:
        stack.stop()
