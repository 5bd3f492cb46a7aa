"""Inbox of messages that the emulator and the stand-ins of providers captured."""

import json
import threading
from datetime import UTC, datetime
from pathlib import Path

from infra.local.captured import Message, utc
from infra.local.emulator import Emulator
from infra.local.state import write_private


class Inbox:
    """Captured messages, kept in a file that only the user can read.

    The emulator loses emails when it stops, and gives SMS no time.
    """

    def __init__(self, emulator: Emulator, state: Path) -> None:
        self._emulator = emulator
        self._file = state / "inbox.json"
        self._lock = threading.Lock()
        self._known: dict[str, Message] = (
            json.loads(self._file.read_text()) if self._file.exists() else {}
        )

    def messages(self, to: str | None = None) -> list[Message]:
        """Captured messages, newest first: `{id, channel, to, from, subject, text, html, sent_at}`.

        Args:
            to: only messages to this email address (in any case) or phone number.
        """
        with self._lock:
            self._collect()
            known = list(self._known.values())
        matching = [
            message for message in known if to is None or message["to"].lower() == to.lower()
        ]
        return sorted(matching, key=lambda message: str(message["sent_at"]), reverse=True)

    def add(self, message: Message) -> None:
        """Adds a message that a stand-in captured."""
        with self._lock:
            self._keep([message])

    def _collect(self) -> None:
        emails = self._emulator.inspect("/_ministack/ses/messages")["messages"].values()
        sms = self._emulator.inspect("/_ministack/sns/sms-messages")["sms_messages"].values()
        captured = [_email(mail) for mails in emails for mail in mails] + [
            _sms(text) for texts in sms for text in texts
        ]
        self._keep(captured)

    def _keep(self, captured: list[Message]) -> None:
        if new := {
            message["id"]: message for message in captured if message["id"] not in self._known
        }:
            self._known |= new
            write_private(self._file, json.dumps(self._known).encode())


def _email(mail: Message) -> Message:
    return {
        "id": mail["MessageId"],
        "channel": "email",
        "to": ", ".join(mail["To"]),
        "from": mail["Source"],
        "subject": mail["Subject"],
        "text": mail["BodyText"],
        "html": mail["BodyHtml"],
        "sent_at": utc(datetime.fromtimestamp(mail["Timestamp"], UTC)),
    }


def _sms(sms: Message) -> Message:
    """An SMS for the inbox; its time is that of its first reading."""
    sender = (sms["MessageAttributes"] or {}).get("AWS.SNS.SMS.SenderID") or {}
    return {
        "id": sms["MessageId"],
        "channel": "sms",
        "to": sms["PhoneNumber"],
        "from": sender.get("StringValue"),
        "subject": None,
        "text": sms["Message"],
        "html": None,
        "sent_at": utc(datetime.now(UTC)),
    }
