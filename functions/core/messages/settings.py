"""Settings of messages."""

from typing import Annotated

import msgspec
from msgspec import Meta

from functions.core import config

_HOST = r"^(\*\.)?[a-z0-9]([a-z0-9.-]*[a-z0-9])?$"
_EMAIL_OR_URL = r"^(https://[^\s\"'<>()\[\]{}|\\^`]+|[^@\s\"<>:/]+@[^@\s\"<>:/]+)\Z"


@config.settings()
class MessageSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Settings of messages; all but `local_links` are parameters of template.yaml."""

    app_name: Annotated[str, Meta(max_length=40)]
    """Name of the app in every message; an SMS omits it if it does not fit."""

    email_from: str
    """Sender of emails; SES must have verified the address or its domain."""

    sms_sender_id: str = ""
    """Sender of SMS in some countries: 1 to 11 letters and digits."""

    brand_color: Annotated[str, Meta(pattern=r"^#[0-9A-Fa-f]{6}$")] = "#334155"
    """Background colour of the app's name in emails."""

    support_address: Annotated[str, Meta(max_length=200, pattern=_EMAIL_OR_URL)] = ""
    """Email address or https URL for the footer of emails."""

    default_locale: str = "en"
    """BCP 47 tag of the language for readers whose language is unknown."""

    link_hosts: tuple[Annotated[str, Meta(pattern=_HOST)], ...] = ()
    """Hosts that links in emails may go to; `*.example.com` is every host below example.com."""

    local_links: bool = False
    """Whether links may go to the reader's own machine; only the local stack sets it."""

    reply_to_domains: tuple[Annotated[str, Meta(pattern=_HOST)], ...] = ()
    """Domains of addresses that replies may go to. None by default."""

    email_configuration_set: str = ""
    """Name of SES's configuration set, which routes the events of emails."""

    code_in_subject: bool = False
    """Whether the subject has the code.

    Off by default: subjects appear on lock screens and in SES's events.
    """

    web_domain: Annotated[str, Meta(max_length=40, pattern=r"^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$")] = (
        ""
    )
    """Host of the web page where codes are entered; browsers fill codes in only there.

    WICG, origin-bound one-time codes. At most so long that it fits in an SMS of 70 characters.
    """

    android_app_hash: Annotated[str, Meta(pattern=r"^[A-Za-z0-9+/]{11}$")] = ""
    """Hash of the Android app that reads codes from SMS by itself.

    SMS Retriever API, "Computing your app's hash string".
    """
