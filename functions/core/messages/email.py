"""Email through SES (API v2)."""

from email.utils import formataddr
from typing import NamedTuple

from botocore.exceptions import BotoCoreError, ClientError

from functions.core import aws
from functions.core.messages.provider import failure
from functions.core.messages.settings import settings

PROVIDER = "ses"

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


def send_email(to: str, email: Email) -> str:
    """Sends an email to one address; returns SES's message id.

    Raises:
        ProviderRefused: when SES definitely refused it.
        ProviderUnavailable: when SES is throttled, failing or out of reach.
    """
    content = {
        "Subject": _utf8(email.subject),
        "Body": {"Text": _utf8(email.text), "Html": _utf8(email.html)},
        # RFC 3834 §5: keeps vacation responders silent.
        "Headers": [{"Name": "Auto-Submitted", "Value": "auto-generated"}],
    }
    try:
        sent = aws.client("sesv2").send_email(
            FromEmailAddress=formataddr((settings().app_name, settings().email_from)),
            Destination={"ToAddresses": [to]},
            Content={"Simple": content},
        )
    except (ClientError, BotoCoreError) as error:
        raise failure(PROVIDER, error, refusals=_REFUSALS, text=str(error)) from error
    return str(sent["MessageId"])


def _utf8(text: str) -> dict[str, str]:
    return {"Data": text, "Charset": "UTF-8"}


def prepare() -> None:
    """Makes the client, for init."""
    aws.client("sesv2")
