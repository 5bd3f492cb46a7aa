"""SMS through SNS, directly to a phone number."""

from functions.core import aws, config
from functions.core.aws import direct
from functions.core.messages.provider_failures import failure
from functions.core.messages.providers.settings import ProviderSettings

PROVIDER = "sns"

_REFUSALS = frozenset(
    {
        "InvalidParameter",
        "InvalidParameterValue",
        "ParameterValueInvalid",
        "OptedOut",
        "EndpointDisabled",
    }
)
"""Errors with which SNS definitely sent nothing (SNS API, Publish, Errors)."""


def send_sms(to: str, text: str, _verification_id: str = "") -> str:
    """Sends an SMS to an E.164 number; returns SNS's message id.

    SNS reports delivery in its own log only.

    Raises:
        ProviderRefused: when SNS definitely refused it.
        ProviderUnavailable: when SNS is throttled, failing or out of reach.
    """
    attributes = {"AWS.SNS.SMS.SMSType": _string("Transactional")}
    if sender_id := config.read(ProviderSettings).sms_sender_id:
        attributes["AWS.SNS.SMS.SenderID"] = _string(sender_id)
    try:
        message = {"PhoneNumber": to, "Message": text, "MessageAttributes": attributes}
        sent = direct.request("sns", "Publish", message, attempts=1)
    except aws.AwsError as error:
        # No cause: AWS's sentence on a wrong parameter may quote it, and with it the code.
        raise failure(PROVIDER, error, refusals=_REFUSALS) from None
    return str(sent.get("MessageId", ""))


def _string(value: str) -> dict[str, str]:
    return {"DataType": "String", "StringValue": value}


def prepare() -> None:
    """Opens a connection at init."""
    direct.connect("sns", attempts=1)
