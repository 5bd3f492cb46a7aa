"""Stand-in of AWS End User Messaging: SendTextMessage (SMS and Voice v2, AWS JSON 1.0)."""

import json
import re
import uuid
from typing import Any

from infra.local.captured import Reply, message

ORIGINATION = (
    "arn:aws:sms-voice:us-east-1:000000000000:phone-number/phone-00000000000000000000000000000000"
)
"""The only identity that can send."""

OPTED_OUT = "+15005550004"
"""Opted-out number of Twilio's test credentials; AWS documents none."""

_CONTENT_TYPE = "application/x-amz-json-1.0"
_E164 = re.compile(r"\+[1-9]\d{6,14}")


def answer(target: str, authorization: str, body: bytes) -> Reply:
    """The service's answer to a POST with this `X-Amz-Target`."""
    if target != "PinpointSMSVoiceV2.SendTextMessage":
        return _error("UnknownOperationException", "Only SendTextMessage is supported.")
    if not authorization.startswith("AWS4-HMAC-SHA256 "):
        return _error("AccessDeniedException", "The request is not signed.")
    return _send(json.loads(body))


def _send(about: dict[str, Any]) -> Reply:
    to, text, origin = (
        about.get(name, "")
        for name in ("DestinationPhoneNumber", "MessageBody", "OriginationIdentity")
    )
    if not _E164.fullmatch(to):
        fields = [{"Name": "DestinationPhoneNumber", "Message": f"{to} is not E.164"}]
        return _error(
            "ValidationException", f"Invalid: {to}", Reason="FIELD_VALIDATION_FAILED", Fields=fields
        )
    if to == OPTED_OUT:
        return _error(
            "ConflictException", f"{to} is opted out.", Reason="DESTINATION_PHONE_NUMBER_OPTED_OUT"
        )
    if origin != ORIGINATION:
        return _error(
            "ResourceNotFoundException",
            "No such identity.",
            ResourceType="phone-number",
            ResourceId=origin,
        )
    taken = message("sms", to, origin, text)
    return Reply(200, {"MessageId": str(uuid.uuid4())}, taken, _CONTENT_TYPE)


def _error(kind: str, text: str, **about: Any) -> Reply:  # noqa: ANN401 - each error has members of its own
    return Reply(400, {"__type": kind, "Message": text} | about, content_type=_CONTENT_TYPE)
