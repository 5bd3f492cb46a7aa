"""Settings of the providers of SMS, WhatsApp messages and calls."""

import re
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from functions.core import config
from functions.core.config import SettingsError

SmsProvider = Literal["end_user_messaging", "sns", "twilio"]
TwilioChannel = Literal["whatsapp", "voice"]

_HTTPS_OR_LOOPBACK = re.compile(
    r"https://[\w.-]+(:\d+)?|http://(127\.0\.0\.1|localhost|\[::1\])(:\d+)?"
)


@config.settings("sms")
class ProviderSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Settings of providers. functions/settings.toml describes those that are in its section."""

    sms_providers: tuple[SmsProvider, ...] = ("sns",)
    sms_sender_id: Annotated[str, Meta(pattern=r"^[A-Za-z0-9]{1,11}\Z")] = ""
    twilio_channels: tuple[TwilioChannel, ...] = ()

    end_user_messaging_origination: Annotated[str, config.ENVIRONMENT] = ""
    """ARN of the phone number, pool or sender id that End User Messaging sends from."""
    end_user_messaging_configuration_set: Annotated[str, config.ENVIRONMENT] = ""
    """Name of the configuration set that says where delivery events go."""
    twilio_secret: Annotated[str, config.ENVIRONMENT] = ""
    """ARN of the secret with the Twilio account (twilio_account.py)."""
    twilio_url: Annotated[str, config.ENVIRONMENT] = ""
    """URL of Twilio's API instead of https://api.twilio.com, for the local stack."""
    twilio_status_url: Annotated[str, config.ENVIRONMENT] = ""
    """URL to which Twilio reports messages and calls: the source twilio of webhooks."""

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
