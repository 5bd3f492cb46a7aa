"""Email through SES (API v2)."""

from collections.abc import Mapping
from email.utils import formataddr
from functools import partial
from typing import Any, NamedTuple

from functions.core import aws
from functions.core.messages.provider import failure, first_that_takes
from functions.core.messages.settings import settings

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
"""SES accepted the call and definitely sent nothing (SES API v2, SendEmail, Errors)."""


class Email(NamedTuple):
    """A rendered email."""

    subject: str
    text: str
    html: str
    unsubscribe_url: str | None = None
    """Where mail programs POST when the reader unsubscribes (RFC 8058)."""


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
        to: an address with an ASCII domain.
        email: what it says.
        reply_to: where answers go, if not to the sender.
        tags: of SES's events, names and values of letters, digits, `_` and `-`.
        configuration_set: SES's, which says what becomes of its events.

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
    try:
        sent = _client().send_email(
            FromEmailAddress=formataddr((settings().app_name, settings().email_from)),
            Destination={"ToAddresses": [to]},
            Content={"Simple": content},
            **options,
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
    """Makes the client, for init."""
    _client()


def _client() -> aws.Client:
    # The SDK would repeat a request on its own and tell of its last try only, but a refund needs to know of all.
    return aws.client("sesv2", attempts=1)
