"""Inbox of messages that the emulator and the stand-ins of providers captured."""

import json
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from infra.local.captured import Message, utc
from infra.local.emulator import Emulator
from infra.local.state import write_private

MOST_WAITING = 32
_POLL_SECONDS = 0.5


class UnknownMessage(Exception):
    """There is no message of this id."""


class TooManyWaiting(Exception):
    """Too many requests wait for messages at once."""


class Inbox:
    """Captured messages, kept in a file that only the user can read.

    The emulator loses emails when it stops, and gives SMS no time.
    """

    def __init__(self, emulator: Emulator, state: Path) -> None:
        self._emulator = emulator
        self._file = state / "inbox.json"
        self._arrived = threading.Condition()
        """Notified when messages were added; its lock guards them."""
        self._waiting = threading.Semaphore(MOST_WAITING)
        self._known: dict[str, Message] = (
            json.loads(self._file.read_text()) if self._file.exists() else {}
        )
        """Messages by id, in the order in which they arrived."""

    def messages(
        self, to: str | None = None, after: str | None = None, since: datetime | None = None
    ) -> list[Message]:
        """Captured messages, newest first: `{id, channel, to, from, subject, text, html, sent_at}`.

        Args:
            to: only messages to this email address (in any case) or phone number.
            after: only messages that arrived after the one of this id.
            since: only messages from this time on.

        Raises:
            UnknownMessage: there is no message with the id `after`.
        """
        with self._arrived:
            self._collect()
            return self._matching(to, after, since)

    def wait(
        self,
        seconds: float,
        to: str | None = None,
        after: str | None = None,
        since: datetime | None = None,
    ) -> list[Message]:
        """As `messages`, but waits until there is one; empty if none came in time.

        `watch` finds what arrives meanwhile, once for all that wait.

        Raises:
            UnknownMessage: as `messages`.
            TooManyWaiting: no further request may wait now.
        """
        found = self.messages(to, after, since)
        if found or not seconds:
            return found
        if not self._waiting.acquire(blocking=False):
            raise TooManyWaiting(f"{MOST_WAITING} requests wait for messages already.")
        try:
            with self._arrived:
                return (
                    self._arrived.wait_for(lambda: self._matching(to, after, since), seconds) or []
                )
        finally:
            self._waiting.release()

    def watch(self) -> Iterator[Message]:
        """Yields each message that arrives from now on, until the emulator stops."""
        seen = {message["id"] for message in self.messages()}
        while True:
            try:
                messages = self.messages()
            except OSError:
                return
            for message in reversed(messages):
                if message["id"] not in seen:
                    seen.add(message["id"])
                    yield message
            time.sleep(_POLL_SECONDS)

    def add(self, message: Message) -> None:
        """Adds a message that a stand-in captured."""
        with self._arrived:
            self._keep([message])

    def _matching(self, to: str | None, after: str | None, since: datetime | None) -> list[Message]:
        arrived = list(self._known.values())
        if after is not None:
            if after not in self._known:
                raise UnknownMessage("There is no message with the id in `after`.")
            arrived = arrived[list(self._known).index(after) + 1 :]
        matching = [
            message
            for message in reversed(arrived)
            if (to is None or message["to"].lower() == to.lower())
            and (since is None or datetime.fromisoformat(message["sent_at"]) >= _full(since))
        ]
        # Of equal times the later arrival comes first, as sorting keeps their order.
        return sorted(matching, key=lambda message: str(message["sent_at"]), reverse=True)

    def _collect(self) -> None:
        emails = self._emulator.inspect("/_ministack/ses/messages")["messages"].values()
        sms = self._emulator.inspect("/_ministack/sns/sms-messages")["sms_messages"].values()
        captured = [_email(mail) for mails in emails for mail in mails] + [
            _sms(text) for texts in sms for text in texts
        ]
        self._keep(sorted(captured, key=lambda message: str(message["sent_at"])))

    def _keep(self, captured: list[Message]) -> None:
        if new := {
            message["id"]: message for message in captured if message["id"] not in self._known
        }:
            self._known |= new
            write_private(self._file, json.dumps(self._known).encode())
            self._arrived.notify_all()


def _full(moment: datetime) -> datetime:
    """The time in whole milliseconds, as messages have it."""
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


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
