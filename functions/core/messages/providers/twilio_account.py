"""The Twilio account: one secret in Secrets Manager, as JSON, so that it can rotate.

{"account_sid": "AC…", "api_key_sid": "SK…", "api_key_secret": "…", "messaging_service_sid": "MG…"}
"""

import re
from functools import cache

import msgspec

from functions.core import aws
from functions.core.aws.secrets import Secret
from functions.core.config import SettingsError
from functions.core.messages.provider import failed
from functions.core.messages.providers.settings import settings

PROVIDER = "twilio"


class TwilioAccount(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the secret holds, such as `{"account_sid": "AC…", "api_key_sid": "SK…", "api_key_secret": "…", "from_number":
    "+14155550100"}`. Credentials are an API key, or the auth token.
    """

    account_sid: str
    api_key_sid: str = ""
    api_key_secret: str = ""
    auth_token: str = ""
    from_number: str = ""
    """Number (E.164) that SMS and calls come from."""
    messaging_service_sid: str = ""
    """Sends SMS instead of `from_number`."""
    whatsapp_from: str = ""
    """Number (E.164) of the WhatsApp sender."""
    whatsapp_content_sid: str = ""
    """Approved template whose variable 1 is the code. WhatsApp takes nothing else outside of a conversation."""

    def __post_init__(self) -> None:
        """Raises `SettingsError` with a sentence for what is missing or wrong; never with a value."""
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
    """The account, as the secret says now.

    Raises:
        ProviderUnavailable: when the secret cannot be read or is wrong. Not more: a secret is edited apart from a deployment,
            and a slip in it must stop neither email nor another SMS provider.
    """
    try:
        return read_account(_secret().value())
    except SettingsError as error:
        raise failed(PROVIDER, "secret is wrong", connected=False, text=str(error)) from None
    except aws.AwsError as error:
        raise failed(PROVIDER, f"secret not read: {error.code}", connected=False) from error


def read_account(text: str) -> TwilioAccount:
    """Raises `SettingsError` with a sentence; the secret's text is in no error."""
    try:
        return msgspec.json.decode(text, type=TwilioAccount)
    except msgspec.MsgspecError as error:
        raise SettingsError(f"TWILIO_SECRET: is not the JSON of an account: {error}.") from None


@cache
def _secret() -> Secret:
    return Secret(settings().twilio_secret, attempts=1)
