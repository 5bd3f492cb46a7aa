"""Emails through SES (API v2)."""

from collections.abc import Mapping
from email.utils import formataddr
from functools import partial
from typing import Any, NamedTuple

from functions.core import aws, config
from functions.core.aws import direct
from functions.core.messages.provider_failures import failure, first_that_takes
from functions.core.messages.settings import MessageSettings

PROVIDER = "ses"
TRIES = 2

_REFUSALS = frozenset(
    {
        "AccountSuspendedException",
        "BadRequestException",
        "MailFromDomainNotVerifiedException",
        "MessageRejected",
        "NotFoundException",
        "SendingPausedException",
    }
)
"""Errors with which SES definitely sent nothing (SES API v2, SendEmail, Errors)."""


class Email(NamedTuple):
    """Rendered email."""

    subject: str
    text: str
    html: str
    unsubscribe_url: str | None = None
    """URL that mail programs POST to when the reader unsubscribes (RFC 8058)."""


def send_email(
    to: str,
    email: Email,
    *,
    reply_to: str | None = None,
    tags: Mapping[str, str] | None = None,
    configuration_set: str = "",
) -> str:
    """Sends an email to one address; returns SES's message id.

    Args:
        to: address with an ASCII domain.
        email: the rendered email.
        reply_to: address for replies, if not the sender.
        tags: names and values for SES's events, of letters, digits, `_` and `-`.
        configuration_set: name of SES's configuration set, which routes its events.

    Raises:
        ProviderRefused: when SES definitely refused it.
        ProviderUnavailable: when SES is throttled, failing or out of reach.
    """
    options: dict[str, Any] = {"ReplyToAddresses": [reply_to]} if reply_to else {}
    if configuration_set:
        options["ConfigurationSetName"] = configuration_set
    if tags:
        options["EmailTags"] = [{"Name": name, "Value": value} for name, value in tags.items()]
    return first_that_takes(
        (PROVIDER, partial(_try, to, email, options)) for _ in range(TRIES)
    ).message_id


def _try(to: str, email: Email, options: Mapping[str, Any]) -> str:
    content = {
        "Subject": _utf8(email.subject),
        "Body": {"Text": _utf8(email.text), "Html": _utf8(email.html)},
        "Headers": [{"Name": name, "Value": value} for name, value in _headers(email).items()],
    }
    about = config.read(MessageSettings)
    try:
        # One attempt: an answer tells of the last one only, and a refund must know of all.
        sent = direct.request(
            "sesv2",
            "SendEmail",
            {
                "FromEmailAddress": formataddr((about.app_name, about.email_from)),
                "Destination": {"ToAddresses": [to]},
                "Content": {"Simple": content},
                **options,
            },
            attempts=1,
        )
    except aws.AwsError as error:
        raise failure(PROVIDER, error, refusals=_REFUSALS, text=error.message) from error
    return str(sent["MessageId"])


def _headers(email: Email) -> dict[str, str]:
    headers = {"Auto-Submitted": "auto-generated"}  # RFC 3834 §5: keeps vacation responders silent
    if email.unsubscribe_url:
        headers["List-Unsubscribe"] = f"<{email.unsubscribe_url}>"
        headers["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    return headers


def _utf8(text: str) -> dict[str, str]:
    return {"Data": text, "Charset": "UTF-8"}


def prepare() -> None:
    """Opens a connection at init."""
    direct.connect("sesv2", attempts=1)
