"""Whether events and reports of deliveries get where they should."""

import msgspec

from functions.core import config
from functions.core.errors import DeliveryRefused
from functions.core.events.event_filter import EventSettings
from functions.core.outbound_http.settings import OutboundSettings
from functions.core.outbound_http.url import read_url
from functions.workflows.check_app_location.asking import Finding, ask
from functions.workflows.check_app_location.location import command

_PENDING = "PendingConfirmation"


@config.settings()
class ReportSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Where SES reports; read from the environment."""

    email_events_topic: str = ""
    """ARN of the topic; empty where nothing is reported."""


def events_url() -> Finding:
    """Whether events can be delivered to `EventsUrl`, as far as its form says."""
    url = config.read(EventSettings).events_url
    if not url:
        return Finding(None, "EventsUrl is not set: events go nowhere.")
    try:
        read_url(url, local=config.read(OutboundSettings).local_receivers)
    except DeliveryRefused as error:
        return Finding(
            False, f"Nothing is delivered to EventsUrl. {error.detail} Set another one and deploy."
        )
    return Finding(True, "Events go to EventsUrl.")


def email_reports() -> Finding:
    """Whether the webhook `ses` has confirmed its subscription; until then SES's reports are dropped."""
    topic = config.read(ReportSettings).email_events_topic
    if not topic:
        return Finding(None, "DeliveryStatus is not true: SES reports nothing.")
    listed = ask("sns", lambda sns: sns.list_subscriptions_by_topic(TopicArn=topic))[
        "Subscriptions"
    ]
    ours = [each for each in listed if each["Endpoint"].endswith("/webhooks/ses")]
    if any(each["SubscriptionArn"] != _PENDING for each in ours):
        return Finding(True, "SES's reports reach the webhook ses.")
    again = command(
        f"sns subscribe --topic-arn {topic} --protocol https --notification-endpoint <ApiUrl>/webhooks/ses"
    )
    return Finding(
        False, f"The webhook ses has not confirmed its subscription. Ask it again: {again}"
    )
