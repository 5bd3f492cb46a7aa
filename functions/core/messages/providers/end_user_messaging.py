"""SMS through AWS End User Messaging (SMS and Voice v2).

It refuses at once what SNS accepts and then drops.
"""

from typing import Any

from functions.core import aws, config
from functions.core.aws import direct
from functions.core.messages.provider_failures import TIME_TO_LIVE_SECONDS, ProviderFailure, failed
from functions.core.messages.providers.settings import ProviderSettings

PROVIDER = "end_user_messaging"

_REFUSALS = frozenset(
    {
        "COUNTRY_NOT_ENABLED",
        "DESTINATION_COUNTRY_BLOCKED",
        "DESTINATION_COUNTRY_BLOCKED_BY_PROTECT_CONFIGURATION",
        "DESTINATION_PHONE_NUMBER_BLOCKED_BY_PROTECT_NUMBER_OVERRIDE",
        "DESTINATION_PHONE_NUMBER_OPTED_OUT",
    }
)
"""Reasons that concern the destination.

SMS and Voice v2 API, ConflictException and ValidationException.
All others concern this account: a spend limit, a sandbox (DESTINATION_PHONE_NUMBER_NOT_VERIFIED),
an identity that is not active.
"""

_REFUSED_FIELDS = frozenset({"DestinationPhoneNumber", "MessageBody"})


def send_sms(to: str, text: str, verification_id: str = "") -> str:
    """Sends an SMS to an E.164 number; returns the message id.

    Delivery events have the verification's id in their context.

    Raises:
        ProviderRefused: when it was definitely refused because of the number or the text.
        ProviderUnavailable: when the service is throttled, failing, out of reach, over its spend
            limit or not set up.
    """
    settings = config.read(ProviderSettings)
    about: dict[str, Any] = {
        "DestinationPhoneNumber": to,
        "OriginationIdentity": settings.end_user_messaging_origination,
        "MessageBody": text,
        "MessageType": "TRANSACTIONAL",
        "TimeToLive": TIME_TO_LIVE_SECONDS,
    }
    if verification_id:
        about["Context"] = {"verification_id": verification_id}
    if settings.end_user_messaging_configuration_set:
        about["ConfigurationSetName"] = settings.end_user_messaging_configuration_set
    try:
        sent = direct.request("pinpoint-sms-voice-v2", "SendTextMessage", about, attempts=1)
    except aws.AwsError as error:
        # No cause: AWS's sentence on a wrong field may quote it, and with it the code.
        raise _failure(error) from None
    return str(sent.get("MessageId", ""))


def _failure(error: "aws.AwsError") -> ProviderFailure:
    reason = str(error.response.get("Reason", ""))
    fields = {str(field.get("Name")) for field in error.response.get("Fields") or ()}
    refused = reason in _REFUSALS or bool(fields & _REFUSED_FIELDS)
    code = " ".join([error.code, reason, *sorted(fields)]).strip()
    return failed(PROVIDER, code, refused=refused, connected=error.connected)


def prepare() -> None:
    """Opens a connection at init."""
    direct.connect("pinpoint-sms-voice-v2", attempts=1)
