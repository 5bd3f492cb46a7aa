"""Twilio account: one secret in Secrets Manager, as JSON, so that it can rotate.

{"account_sid": "AC…", "api_key_sid": "SK…", "api_key_secret": "…", "messaging_service_sid": "MG…"}
"""

import re

import msgspec

from functions.core import aws, config
from functions.core.aws.secrets import Secret
from functions.core.config import SettingsError
from functions.core.messages.provider_failures import failed
from functions.core.messages.providers.settings import ProviderSettings

PROVIDER = "twilio"


class TwilioAccount(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Content of the secret. Credentials are an API key, or the auth token.

    Example: `{"account_sid": "AC…", "auth_token": "…", "from_number": "+14155550100"}`.
    """

    account_sid: str
    api_key_sid: str = ""
    api_key_secret: str = ""
    auth_token: str = ""
    from_number: str = ""
    """Number (E.164) that sends SMS and calls."""
    messaging_service_sid: str = ""
    """Messaging service that sends SMS instead of `from_number`."""
    whatsapp_from: str = ""
    """Number (E.164) of the WhatsApp sender."""
    whatsapp_content_sid: str = ""
    """Approved template whose variable 1 is the code.

    WhatsApp accepts nothing else outside of a conversation.
    """

    def __post_init__(self) -> None:
        """Raises `SettingsError` with a sentence for each mistake, never with a value."""
        key = self.api_key_sid and self.api_key_secret
        rules = [
            (
                not re.fullmatch("AC[0-9a-f]{32}", self.account_sid),
                "account_sid must be AC and 32 hex digits.",
            ),
            (
                not (key or self.auth_token),
                "api_key_sid and api_key_secret, or auth_token, are missing.",
            ),
            (
                not (self.from_number or self.messaging_service_sid),
                "from_number or messaging_service_sid is missing.",
            ),
        ]
        if sentences := [sentence for wrong, sentence in rules if wrong]:
            raise SettingsError("TWILIO_SECRET: " + " ".join(sentences))

    @property
    def credentials(self) -> tuple[str, str]:
        """User name and password."""
        if self.api_key_sid and self.api_key_secret:
            return self.api_key_sid, self.api_key_secret
        return self.account_sid, self.auth_token


def account() -> TwilioAccount:
    """Reads the account from the secret.

    Raises:
        ProviderUnavailable: when the secret cannot be read or is wrong. It is edited apart from a
            deployment: a mistake in it must not stop email or another SMS provider.
    """
    try:
        return read_account(_secret().value())
    except SettingsError as error:
        raise failed(PROVIDER, "secret is wrong", connected=False, text=str(error)) from None
    except aws.AwsError as error:
        raise failed(PROVIDER, f"secret not read: {error.code}", connected=False) from error


def read_account(text: str) -> TwilioAccount:
    """Reads the secret's text. Raises `SettingsError`, which never quotes the text."""
    try:
        return msgspec.json.decode(text, type=TwilioAccount)
    except msgspec.MsgspecError as error:
        raise SettingsError(f"TWILIO_SECRET: is not the JSON of an account: {error}.") from None


@config.cached
def _secret() -> Secret:
    return Secret(config.read(ProviderSettings).twilio_secret, attempts=1)
