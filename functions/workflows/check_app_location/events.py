"""Whether events and reports of deliveries get where they should."""

from functools import cache

import msgspec

from functions.core.config import read_settings
from functions.core.errors import DeliveryRefused
from functions.core.events.event_filter import settings as event_settings
from functions.core.outbound_http.settings import settings as outbound_settings
from functions.core.outbound_http.url import read_url
from functions.workflows.check_app_location.asking import Finding, ask
from functions.workflows.check_app_location.location import command

_PENDING = "PendingConfirmation"


class ReportSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Where SES reports; read from the environment."""

    email_events_topic: str = ""
    """ARN of the topic; empty where nothing is reported."""


@cache
def settings() -> ReportSettings:
    """Raises `SettingsError` with a sentence for each wrong variable."""
    return read_settings(ReportSettings)


def events_url() -> Finding:
    """Whether events can be delivered to `EventsUrl`, as far as its form says."""
    url = event_settings().events_url
    if not url:
        return Finding(None, "EventsUrl is not set: events go nowhere.")
    try:
        read_url(url, local=outbound_settings().local_receivers)
    except DeliveryRefused as error:
        return Finding(
            False, f"Nothing is delivered to EventsUrl. {error.detail} Set another one and deploy."
        )
    return Finding(True, "Events go to EventsUrl.")


def email_reports() -> Finding:
    """Whether the webhook `ses` has confirmed its subscription; until then SES's reports are dropped."""
    topic = settings().email_events_topic
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
