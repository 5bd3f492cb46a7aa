"""What can be set about messages."""

from functools import cache

import msgspec

from functions.core.settings import read_settings


class MessageSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Settings of messages, each a parameter of template.yaml; read from the environment."""

    app_name: str
    """As people know it; in every message."""

    email_from: str
    """Address that emails come from; SES must have verified it or its domain."""

    sms_sender_id: str = ""
    """1 to 11 letters and digits that some countries show as the sender."""


@cache
def settings() -> MessageSettings:
    """Raises `SettingsError` with a sentence for each wrong variable."""
    return read_settings(MessageSettings)
