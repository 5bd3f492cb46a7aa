"""send_email_template: emails a template to one or several people. Made to be copied (docs/how-to/emails.md)."""

from typing import Annotated, Any

from msgspec import Meta, field

from functions.core.aws import dynamodb
from functions.core.email_address import masked
from functions.core.http.problems import problem
from functions.core.messages import email, mailing
from functions.core.messages.rendering import catalog
from functions.core.messages.rendering.locales import LocaleHint
from functions.core.observability import count
from functions.core.rate_limits import limits
from functions.core.workflow import Call, Parameters, Result, workflow

TagWord = Annotated[str, Meta(min_length=1, max_length=256, pattern=r"^[A-Za-z0-9_-]+\Z")]
"""SES API v2, MessageTag."""


class SendEmailTemplate(Parameters):
    """Which email goes to whom."""

    to: str | list[str]
    """One address, or several: each gets a message of its own."""
    template: Annotated[str, Meta(max_length=64)]
    """A folder of functions/core/messages/templates that has a data.py."""
    data: dict[str, Any] = field(default_factory=dict)
    """The template's variables, as its data.py has them."""
    locale: LocaleHint | None = None
    """The readers' languages, as browsers and systems name them; where the template speaks none, the default one."""
    reply_to: Annotated[str, Meta(max_length=320)] | None = None
    """Where answers go; an address of one of the domains in the setting ReplyToDomains."""
    tags: Annotated[dict[TagWord, TagWord], Meta(max_length=10)] = field(default_factory=dict)
    """For SES's events and metrics."""

    def check(self) -> None:
        """Who gets what is known to be right before anything is sent."""
        mailing.read_recipients(self.to)
        mailing.read_reply_to(self.reply_to)
        catalog.find_template(self.template).read(self.data)


class NotSent(Result):
    """Why a message was not sent, in a problem's words."""

    code: str
    detail: str


class Message(Result):
    """What became of one recipient's message; `message_id` is SES's, and null when it was not sent."""

    to: str
    """Masked."""
    message_id: str | None
    problem: NotSent | None


class EmailTemplateSent(Result):
    """What was sent; `messages` are in the order of `to`."""

    sent: int
    failed: int
    messages: list[Message]


def send_email_template(parameters: SendEmailTemplate, call: Call) -> EmailTemplateSent:
    """Everything is checked before anything is sent. With one recipient, a failure is the call's."""
    recipients = mailing.read_recipients(parameters.to)
    reply_to = mailing.read_reply_to(parameters.reply_to)
    rendered = catalog.find_template(parameters.template).email(parameters.data, parameters.locale)
    tags = parameters.tags | {"template": parameters.template}
    deliveries = mailing.send_to_each(rendered, recipients, reply_to=reply_to, tags=tags, call=call)
    messages = [_message(each) for each in deliveries]
    sent = sum(message.problem is None for message in messages)
    count("EmailSent", sent, template=parameters.template)
    return EmailTemplateSent(sent=sent, failed=len(messages) - sent, messages=messages)


def _message(delivery: mailing.EmailDelivery) -> Message:
    told = problem(delivery.error, "") if delivery.error else None
    return Message(
        to=masked(delivery.to),
        message_id=delivery.message_id,
        problem=NotSent(code=told.code, detail=told.detail) if told else None,
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
