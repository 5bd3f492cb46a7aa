"""Settings of providers."""

import re
from typing import Literal

import msgspec

from functions.core import config
from functions.core.config import SettingsError

SmsProvider = Literal["end_user_messaging", "sns", "twilio"]
TwilioChannel = Literal["whatsapp", "voice"]

_HTTPS_OR_LOOPBACK = re.compile(
    r"https://[\w.-]+(:\d+)?|http://(127\.0\.0\.1|localhost|\[::1\])(:\d+)?"
)


@config.settings()
class ProviderSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Settings of providers, each a parameter of template.yaml; read from the environment."""

    sms_providers: tuple[SmsProvider, ...] = ("sns",)
    """SMS providers in the order in which they are tried."""

    end_user_messaging_origination: str = ""
    """ARN of the phone number, pool or sender id that End User Messaging sends from."""

    end_user_messaging_configuration_set: str = ""
    """Name of the configuration set that routes delivery events."""

    twilio_secret: str = ""
    """ARN of the secret with the Twilio account (twilio_account.py)."""

    twilio_url: str = ""
    """URL of Twilio's API in another region or on the local stack; else https://api.twilio.com."""

    twilio_status_url: str = ""
    """URL that Twilio sends status callbacks to: the webhook source `twilio`. None by default."""

    twilio_channels: tuple[TwilioChannel, ...] = ()
    """Channels of Twilio besides SMS. None by default: each message and call costs."""

    def __post_init__(self) -> None:
        """Raises `SettingsError` for settings that contradict each other."""
        if sentences := [sentence for wrong, sentence in self._rules() if wrong]:
            raise SettingsError(" ".join(sentences))

    def _rules(self) -> list[tuple[bool, str]]:
        order = self.sms_providers
        needs_twilio = "twilio" in order or bool(self.twilio_channels)
        needs_origination = (
            "end_user_messaging" in order and not self.end_user_messaging_origination
        )
        return [
            (not order, "SMS_PROVIDERS: name at least one of end_user_messaging, sns, twilio."),
            (len(set(order)) < len(order), "SMS_PROVIDERS: name each provider once."),
            (
                needs_origination,
                (
                    "END_USER_MESSAGING_ORIGINATION is not set, "
                    "which the provider end_user_messaging needs."
                ),
            ),
            (
                needs_twilio and not self.twilio_secret,
                "TWILIO_SECRET is not set, which the provider twilio needs.",
            ),
            (
                bool(self.twilio_url) and not _HTTPS_OR_LOOPBACK.fullmatch(self.twilio_url),
                (
                    "TWILIO_URL: must be https://<host>, "
                    "or http:// on the loopback interface, without a path."
                ),
            ),
        ]
