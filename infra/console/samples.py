"""Payloads of webhooks that can be sent as they are: by source, else by signature scheme."""

import itertools
import time
from datetime import UTC, datetime
from typing import Any

from infra.local.captured import utc

_NOW = "<now>"
_NEW = "<new>"
"""Place of a number that is new in each delivery, so that it is no repetition."""

_numbers = itertools.count(int(time.time() * 1000))

_BY_SOURCE: dict[str, Any] = {
    # SES Developer Guide, "Contents of event data that Amazon SES publishes to Amazon SNS".
    "ses": {
        "eventType": "Bounce",
        "mail": {
            "messageId": "0100019366f2a1b0-00000000-0000-4000-8000-000000000000-000000",
            "destination": ["ana@example.com"],
            "tags": {"template": ["message"]},
        },
        "bounce": {"bounceType": "Permanent", "bounceSubType": "General", "timestamp": _NOW},
    },
    # https://www.twilio.com/docs/messaging/guides/outbound-message-status-in-status-callbacks
    "twilio": {
        "AccountSid": "AC00000000000000000000000000000000",
        "MessageSid": f"SM{_NEW}",
        "MessageStatus": "delivered",
        "From": "+15005550006",
        "To": "+15005550010",
    },
    # https://help.usersnap.com/docs/webhook
    "usersnap": {
        "feedback_number": _NEW,
        "title": "The button does nothing",
        "comment": "I pressed it twice.",
        "email": "ana@example.com",
        "url": "https://app.example.com/orders/1042",
    },
}
_BY_SCHEME: dict[str, Any] = {
    "standard": {
        "type": "order.shipped",
        "timestamp": _NOW,
        "data": {"order": "1042", "carrier": "Example Post"},
    },
    "stripe": {
        "id": f"evt_{_NEW}",
        "object": "event",
        "type": "payment_intent.succeeded",
        "data": {"object": {"id": "pi_1042", "amount": 1999, "currency": "eur"}},
    },
    "github": {
        "action": "opened",
        "number": _NEW,
        "issue": {"title": "The button does nothing", "user": {"login": "ana"}},
        "repository": {"full_name": "example/app"},
    },
    "sns": {"note": "a text that was published to the topic"},
}


def sample_payload(source: str, scheme: str) -> Any:  # noqa: ANN401 - JSON
    """A payload with places for the time and a new number, as it is shown."""
    known = _BY_SOURCE.get(source) or _BY_SCHEME.get(scheme) or _BY_SOURCE.get(scheme)
    return known or _BY_SCHEME["standard"]


def filled(payload: Any) -> Any:  # noqa: ANN401 - JSON
    """The payload with the time and a new number in their places."""
    return _filled(payload, str(next(_numbers)), utc(datetime.now(UTC)))


def _filled(value: Any, number: str, now: str) -> Any:  # noqa: ANN401 - JSON
    if isinstance(value, dict):
        return {name: _filled(each, number, now) for name, each in value.items()}
    if isinstance(value, list):
        return [_filled(each, number, now) for each in value]
    if value == _NEW:
        return int(number)
    return value.replace(_NEW, number).replace(_NOW, now) if isinstance(value, str) else value
