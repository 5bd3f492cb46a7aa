"""WhatsApp messages and calls. Both use Twilio only and are off by default."""

from functions.core import config
from functions.core.errors import FieldError, InvalidParameters
from functions.core.messages.provider_failures import Sent
from functions.core.messages.providers.settings import (
    ProviderSettings,
    SmsProvider,
    TwilioChannel,
)

_TWILIO: SmsProvider = "twilio"


def send_whatsapp(to: str, text: str, code: str, verification_id: str = "") -> Sent:
    """Sends a WhatsApp message to an E.164 number.

    It is the configured template with the code, or the text where no template is configured.

    Raises:
        InvalidParameters: when the channel is not enabled.
        ProviderRefused, ProviderUnavailable: as `sms.send_sms`.
    """
    require("whatsapp")
    from functions.core.messages.providers import twilio  # noqa: PLC0415 - slow, only for Twilio

    return Sent(_TWILIO, twilio.send_whatsapp(to, text, code, verification_id))


def call_with_code(
    to: str, introduction: str, code: str, language: str, verification_id: str = ""
) -> Sent:
    """Calls an E.164 number and says the introduction and the code twice, character by character.

    Raises:
        InvalidParameters: when the channel is not enabled.
        ProviderRefused, ProviderUnavailable: as `sms.send_sms`.
    """
    require("voice")
    from functions.core.messages.providers import twilio  # noqa: PLC0415 - slow, only for Twilio

    return Sent(_TWILIO, twilio.call_with_code(to, introduction, code, language, verification_id))


def require(channel: TwilioChannel) -> None:
    """Raises `InvalidParameters` unless the channel is enabled in this deployment."""
    if channel not in config.read(ProviderSettings).twilio_channels:
        raise InvalidParameters(
            FieldError("/channel", f"{channel} is not enabled here; use another channel")
        )


def prepare() -> None:
    """Makes Twilio's client at init, if a channel is enabled."""
    if config.read(ProviderSettings).twilio_channels:
        from functions.core.messages.providers import twilio  # noqa: PLC0415 - slow, only for Twilio

        twilio.prepare()
