"""Settings of messages."""

from typing import Annotated

import msgspec
from msgspec import Meta

from functions.core import config

_DOMAIN = r"^[a-z0-9]([a-z0-9.-]*[a-z0-9])?\Z"
_HOST = r"^(\*\.)?[a-z0-9]([a-z0-9.-]*[a-z0-9])?\Z"
_EMAIL_OR_URL = r"^(https://[^\s\"'<>()\[\]{}|\\^`]+|[^@\s\"<>:/]+@[^@\s\"<>:/]+)\Z"
_LANGUAGE_TAG = r"^[A-Za-z]{1,8}(-[A-Za-z0-9]{1,8})*\Z"
_APP_NAME = r"^[^\r\n\"<>]+\Z"


@config.settings("messages")
class MessageSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Settings of messages. functions/settings.toml describes those that are in its section."""

    app_name: Annotated[str, Meta(max_length=40, pattern=_APP_NAME)] = "Our app"
    brand_color: Annotated[str, Meta(pattern=r"^#[0-9A-Fa-f]{6}\Z")] = "#334155"
    support_address: Annotated[str, Meta(max_length=200, pattern=_EMAIL_OR_URL)] = ""
    default_locale: Annotated[str, Meta(max_length=35, pattern=_LANGUAGE_TAG)] = "en"
    link_hosts: tuple[Annotated[str, Meta(pattern=_HOST)], ...] = ()
    reply_to_domains: tuple[Annotated[str, Meta(pattern=_DOMAIN)], ...] = ()
    code_in_subject: bool = False
    web_domain: Annotated[str, Meta(max_length=40, pattern=_DOMAIN)] = ""
    """Host of the web page where codes are typed.

    So short that an SMS of 70 characters holds it.
    """
    android_app_hash: Annotated[str, Meta(pattern=r"^[A-Za-z0-9+/]{11}\Z")] = ""

    email_from: Annotated[str, config.ENVIRONMENT]
    """Address that emails come from; SES must have verified it or its domain."""
    email_configuration_set: Annotated[str, config.ENVIRONMENT] = ""
    """Name of SES's configuration set for the function's emails; it says where their events go."""
    local_links: Annotated[bool, config.ENVIRONMENT] = False
    """Whether links may go to a page on the reader's own machine, for the local stack."""
