"""Messages that stand-ins of providers capture for the inbox, and answers of stand-ins."""

import json
import uuid
from datetime import UTC, datetime
from typing import Any, NamedTuple

Message = dict[str, Any]


class Callback(NamedTuple):
    """Status callback that a provider posts later about an accepted message."""

    url: str
    headers: dict[str, str]
    body: bytes


class Reply(NamedTuple):
    """HTTP answer of a stand-in, with the captured message and its callback."""

    status: int
    body: dict[str, Any]
    message: Message | None = None
    content_type: str = "application/json"
    callback: Callback | None = None

    def content(self) -> bytes:
        """The body as JSON."""
        return json.dumps(self.body).encode()


def message(channel: str, to: str, sender: str | None, text: str) -> Message:
    """A message to a phone, as the inbox shows it."""
    return {
        "id": str(uuid.uuid4()),
        "channel": channel,
        "to": to,
        "from": sender,
        "subject": None,
        "text": text,
        "html": None,
        "sent_at": utc(datetime.now(UTC)),
    }


def utc(moment: datetime) -> str:
    """Time as RFC 3339 with milliseconds."""
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
