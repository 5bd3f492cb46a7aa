"""WhatsApp messages and calls, both through Twilio alone and off until switched on."""

from functions.core.errors import FieldError, InvalidParameters
from functions.core.messages.provider import Sent
from functions.core.messages.providers.settings import TwilioChannel, settings

_TWILIO = "twilio"


def send_whatsapp(to: str, text: str, code: str, verification_id: str = "") -> Sent:
    """Sends a WhatsApp message to an E.164 number: the configured template with the code, else the text.

    Raises:
        InvalidParameters: when the channel is not switched on.
        ProviderRefused, ProviderUnavailable: as `sms.send_sms`.
    """
    require("whatsapp")
    from functions.core.messages.providers import twilio  # noqa: PLC0415 - only who uses Twilio pays for it

    return Sent(_TWILIO, twilio.send_whatsapp(to, text, code, verification_id))


def call_with_code(
    to: str, introduction: str, code: str, language: str, verification_id: str = ""
) -> Sent:
    """Calls an E.164 number, says the introduction and the code, character by character, twice.

    Raises:
        InvalidParameters: when the channel is not switched on.
        ProviderRefused, ProviderUnavailable: as `sms.send_sms`.
    """
    require("voice")
    from functions.core.messages.providers import twilio  # noqa: PLC0415 - only who uses Twilio pays for it

    return Sent(_TWILIO, twilio.call_with_code(to, introduction, code, language, verification_id))


def require(channel: TwilioChannel) -> None:
    """Raises `InvalidParameters` unless the deployment has the channel switched on."""
    if channel not in settings().twilio_channels:
        raise InvalidParameters(
            FieldError("/channel", f"{channel} is not switched on in this deployment")
        )


def prepare() -> None:
    """Imports and makes what the channels need, if one is switched on, for init."""
    if settings().twilio_channels:
        from functions.core.messages.providers import twilio  # noqa: PLC0415 - only who uses Twilio pays for it

        twilio.prepare()
