"""What can be set about messages."""

from typing import Annotated

import msgspec
from msgspec import Meta

from functions.core import config

_HOST = r"^(\*\.)?[a-z0-9]([a-z0-9.-]*[a-z0-9])?$"
_EMAIL_OR_URL = r"^(https://[^\s\"'<>()\[\]{}|\\^`]+|[^@\s\"<>:/]+@[^@\s\"<>:/]+)\Z"


@config.settings()
class MessageSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Settings of messages, all but `local_links` parameters of template.yaml; read from the environment."""

    app_name: Annotated[str, Meta(max_length=40)]
    """As people know it; in every message (an SMS leaves it out when it would not fit)."""

    email_from: str
    """Address that emails come from; SES must have verified it or its domain."""

    sms_sender_id: str = ""
    """1 to 11 letters and digits that some countries show as the sender."""

    brand_color: Annotated[str, Meta(pattern=r"^#[0-9A-Fa-f]{6}$")] = "#334155"
    """Background of the app's name in emails."""

    support_address: Annotated[str, Meta(max_length=200, pattern=_EMAIL_OR_URL)] = ""
    """Email address or https URL, in the footer of emails."""

    default_locale: str = "en"
    """BCP 47 tag of the language of messages whose reader's language is not known."""

    link_hosts: tuple[Annotated[str, Meta(pattern=_HOST)], ...] = ()
    """Hosts that links in emails may go to; `*.example.com` is all below example.com. None by default."""

    local_links: bool = False
    """Whether links may go to a page on the reader's own machine, for the local stack; no parameter of template.yaml."""

    reply_to_domains: tuple[Annotated[str, Meta(pattern=_HOST)], ...] = ()
    """Domains of the addresses that an email's answers may go to. None by default."""

    email_configuration_set: str = ""
    """Name of SES's configuration set for the emails that the function sends, which says what become of their events."""

    code_in_subject: bool = False
    """Off, because subjects show on lock screens and travel in SES's events."""

    web_domain: Annotated[str, Meta(max_length=40, pattern=r"^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$")] = (
        ""
    )
    """Host of the web page where codes are typed: browsers fill codes in there and nowhere else (WICG, origin-bound
    one-time codes). So long that an SMS of 70 characters holds it.
    """

    android_app_hash: Annotated[str, Meta(pattern=r"^[A-Za-z0-9+/]{11}$")] = ""
    """Of the Android app that reads its codes from SMS itself (SMS Retriever API, "Computing your app's hash string")."""
