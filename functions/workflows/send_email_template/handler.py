"""send_email_template: emails a template to one or several people.

Copy it for an email of your own (docs/how-to/emails.md).
"""

from typing import Annotated, Any

from msgspec import Meta, field

from functions.core.aws import dynamodb
from functions.core.email_address import EmailAddress, masked
from functions.core.http.problems import problem
from functions.core.messages import email, mailing
from functions.core.messages.rendering import catalog
from functions.core.messages.rendering.locales import LocaleHint
from functions.core.observability import count
from functions.core.rate_limits import limits
from functions.core.workflow import Call, Parameters, Result, workflow

TagText = Annotated[str, Meta(min_length=1, max_length=256, pattern=r"^[A-Za-z0-9_-]+\Z")]
"""Name or value of a tag (SES API v2, MessageTag)."""


_ADDRESS = EmailAddress.schema()


class SendEmailTemplate(Parameters):
    """The email and its recipients."""

    to: (
        Annotated[str, Meta(extra_json_schema=_ADDRESS)]
        | Annotated[
            list[Annotated[str, Meta(extra_json_schema=_ADDRESS)]],
            Meta(extra_json_schema={"minItems": 1, "maxItems": mailing.MOST_RECIPIENTS}),
        ]
    )
    """One address or several. Each gets a separate message."""
    template: Annotated[str, Meta(max_length=64)]
    """Name of a folder in functions/core/messages/templates that has a data.py."""
    data: dict[str, Any] = field(default_factory=dict)
    """Variables of the template, as its data.py declares them."""
    locale: LocaleHint | None = None
    """Languages of the readers, as browsers and systems name them.

    If the template has none of them, the default language is used.
    """
    reply_to: Annotated[str, Meta(max_length=320)] | None = None
    """Address for replies, in one of the domains of the setting reply_to_domains."""
    tags: Annotated[dict[TagText, TagText], Meta(max_length=10)] = field(default_factory=dict)
    """Tags for SES's events and metrics; none is named verification_id."""

    def check(self) -> None:
        """Validates recipients, reply address and data before anything is sent."""
        mailing.read_recipients(self.to)
        mailing.read_reply_to(self.reply_to)
        mailing.refuse_reserved_tags(self.tags)
        catalog.find_template(self.template).read(self.data)


class NotSent(Result):
    """Reason why a message was not sent, as in a problem."""

    code: str
    """Code of the problem."""
    detail: str
    """Explanation."""


class MessageOutcome(Result):
    """Outcome of one recipient's message."""

    to: str
    """Masked."""
    message_id: str | None
    """SES's id of the message; null if it was not sent."""
    problem: NotSent | None
    """Reason why it was not sent; null if it was."""


class EmailTemplateSent(Result):
    """Outcomes of all messages, in the order of `to`."""

    sent: int
    """Messages that SES has accepted."""
    failed: int
    """Messages that were not sent."""
    messages: list[MessageOutcome]
    """Outcome of each message."""


def send_email_template(parameters: SendEmailTemplate, call: Call) -> EmailTemplateSent:
    """Sends an email from a template to one or several people.

    Each recipient gets a separate message. With one recipient, a failed message fails the call.

    Raises:
        LimitExceeded, ProviderRefused, ProviderUnavailable
    """
    recipients = mailing.read_recipients(parameters.to)
    reply_to = mailing.read_reply_to(parameters.reply_to)
    rendered = catalog.find_template(parameters.template).email(parameters.data, parameters.locale)
    tags = parameters.tags | {"template": parameters.template}
    deliveries = mailing.send_to_each(rendered, recipients, reply_to=reply_to, tags=tags, call=call)
    messages = [_outcome(each) for each in deliveries]
    sent = sum(message.problem is None for message in messages)
    count("EmailSent", sent, template=parameters.template)
    return EmailTemplateSent(sent=sent, failed=len(messages) - sent, messages=messages)


def _outcome(delivery: mailing.EmailDelivery) -> MessageOutcome:
    failure = problem(delivery.error, "") if delivery.error else None
    return MessageOutcome(
        to=masked(delivery.to),
        message_id=delivery.message_id,
        problem=NotSent(code=failure.code, detail=failure.detail) if failure else None,
    )


lambda_handler = workflow(
    send_email_template,
    prepare=[
        mailing.MailingSettings,
        limits.prepare,
        email.prepare,
        dynamodb.connect,
        catalog.prepare,
    ],
)
