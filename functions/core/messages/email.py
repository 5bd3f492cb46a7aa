"""Email through SES (API v2)."""

from email.utils import formataddr
from functools import partial
from typing import Any, NamedTuple

from botocore.exceptions import BotoCoreError, ClientError

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


def send_email(to: str, email: Email) -> str:
    """Sends an email to one address; returns SES's message id.

    Raises:
        ProviderRefused: when SES definitely refused it.
        ProviderUnavailable: when SES is throttled, failing or out of reach.
    """
    return first_that_takes((PROVIDER, partial(_try, to, email)) for _ in range(TRIES)).message_id


def _try(to: str, email: Email) -> str:
    content = {
        "Subject": _utf8(email.subject),
        "Body": {"Text": _utf8(email.text), "Html": _utf8(email.html)},
        # RFC 3834 §5: keeps vacation responders silent.
        "Headers": [{"Name": "Auto-Submitted", "Value": "auto-generated"}],
    }
    try:
        sent = _client().send_email(
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
    _client()


def _client() -> Any:  # noqa: ANN401 - botocore's clients are made at run time
    # The SDK would repeat a request on its own and tell of its last try only, but a refund needs to know of all.
    return aws.client("sesv2", attempts=1)
