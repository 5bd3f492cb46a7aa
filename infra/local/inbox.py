"""The inbox: email and SMS that the emulator captured instead of sending."""

import json
import threading
import urllib.request
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from infra.local.emulator import Emulator

Message = dict[str, Any]


class Inbox:
    """What the emulator captured. It gives SMS no time, so their time is when they were first seen, kept in a file."""

    def __init__(self, emulator: Emulator, state: Path) -> None:
        self._emulator = emulator
        self._file = state / "inbox.json"
        self._lock = threading.Lock()
        self._first_seen: dict[str, str] = json.loads(self._file.read_text()) if self._file.exists() else {}

    def messages(self, to: str | None = None) -> list[Message]:
        """Captured messages, newest first: `{id, channel, to, from, subject, text, html, sent_at}`.

        Args:
            to: only messages to this email address (whatever its case) or phone number.
        """
        found = self._emails() + self._sms()
        wanted = [message for message in found if to is None or message["to"].lower() == to.lower()]
        return sorted(wanted, key=lambda message: str(message["sent_at"]), reverse=True)

    def _emails(self) -> list[Message]:
        accounts = self._get("/_ministack/ses/messages")["messages"]
        return [_email(mail) for mails in accounts.values() for mail in mails]

    def _sms(self) -> list[Message]:
        numbers = self._get("/_ministack/sns/sms-messages")["sms_messages"]
        return [_sms(sms, self._seen_at(sms["MessageId"])) for texts in numbers.values() for sms in texts]

    def _seen_at(self, message_id: str) -> str:
        with self._lock:
            if message_id not in self._first_seen:
                self._first_seen[message_id] = _utc(datetime.now(UTC))
                self._file.write_text(json.dumps(self._first_seen))
            return self._first_seen[message_id]

    def _get(self, path: str) -> Any:  # noqa: ANN401 - whatever JSON the emulator answers
        with urllib.request.urlopen(self._emulator.url + path, timeout=30) as reply:  # noqa: S310 - our loopback address
            return json.load(reply)


def _email(mail: Message) -> Message:
    return {
        "id": mail["MessageId"],
        "channel": "email",
        "to": ", ".join(mail["To"]),
        "from": mail["Source"],
        "subject": mail["Subject"],
        "text": mail["BodyText"],
        "html": mail["BodyHtml"],
        "sent_at": _utc(datetime.fromtimestamp(mail["Timestamp"], UTC)),
    }


def _sms(sms: Message, sent_at: str) -> Message:
    sender = (sms["MessageAttributes"] or {}).get("AWS.SNS.SMS.SenderID") or {}
    return {
        "id": sms["MessageId"],
        "channel": "sms",
        "to": sms["PhoneNumber"],
        "from": sender.get("StringValue"),
        "subject": None,
        "text": sms["Message"],
        "html": None,
        "sent_at": sent_at,
    }


def _utc(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
