"""Checks where events and delivery reports go."""

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
    """Receiver of SES's reports; read from the environment."""

    email_events_topic: str = ""
    """ARN of the topic; empty if nothing is reported."""


def events_url() -> Finding:
    """Checks the form of `EventsUrl`."""
    url = config.read(EventSettings).events_url
    if not url:
        return Finding(None, "EventsUrl is not set, so no events are delivered.")
    try:
        read_url(url, local=config.read(OutboundSettings).local_receivers)
    except DeliveryRefused as error:
        return Finding(
            False,
            f"No events are delivered. {error.detail} Set another EventsUrl and deploy again.",
        )
    return Finding(True, "Events are delivered to EventsUrl.")


def email_reports() -> Finding:
    """Checks that the webhook `ses` has confirmed its subscription. Until then reports are lost."""
    topic = config.read(ReportSettings).email_events_topic
    if not topic:
        return Finding(None, "DeliveryStatus is not true, so SES reports no deliveries.")
    listed = ask("sns", lambda sns: sns.list_subscriptions_by_topic(TopicArn=topic))[
        "Subscriptions"
    ]
    ours = [each for each in listed if each["Endpoint"].endswith("/webhooks/ses")]
    if any(each["SubscriptionArn"] != _PENDING for each in ours):
        return Finding(True, "SES's reports reach the webhook ses.")
    endpoint = "--protocol https --notification-endpoint <ApiUrl>/webhooks/ses"
    subscribe = command(f"sns subscribe --topic-arn {topic} {endpoint}")
    return Finding(
        False, f"The webhook ses has not confirmed its subscription. Ask it again: {subscribe}"
    )
