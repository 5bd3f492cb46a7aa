"""Reads of the inbox: the messages, and an email's HTML and source."""

import hashlib
from collections.abc import Mapping
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime
from http import HTTPStatus

from infra.console.answer import Answer, Refused, inert_document, plain_text
from infra.console.brief import brief
from infra.console.links import links
from infra.console.routes import Request
from infra.local.captured import Message
from infra.local.inbox import Inbox, TooManyWaiting, UnknownMessage

_LONGEST_WAIT_SECONDS = 60.0
_SCHEMES = {"light": "not all", "dark": "all"}
"""Replacements of the media query of dark mode."""
_DARK_QUERY = "(prefers-color-scheme: dark)"


def messages(inbox: Inbox, request: Request) -> list[Message]:
    """Messages that fit the query, newest first. With `wait`, answers once there is one.

    With `brief=true` they are without HTML, so that a list of many can be read often.
    """
    found = _fitting(inbox, request.query)
    return [brief(message) for message in found] if request.query.get("brief") == "true" else found


def _fitting(inbox: Inbox, query: Mapping[str, str]) -> list[Message]:
    # An unencoded + in a query is a space, and no destination has one.
    to = query.get("to", "").replace(" ", "+") or None
    try:
        return inbox.wait(
            _seconds(query.get("wait", "0")),
            to=to,
            after=query.get("after") or None,
            since=_time(query.get("since", "")),
        )
    except UnknownMessage as error:
        raise Refused(HTTPStatus.BAD_REQUEST, str(error)) from None
    except TooManyWaiting as error:
        raise Refused(HTTPStatus.SERVICE_UNAVAILABLE, str(error)) from None


def html(inbox: Inbox, request: Request, message_id: str) -> Answer:
    """An email's HTML as a document in which nothing runs or loads."""
    content = _find(inbox, message_id)["html"]
    if not content:
        raise Refused(HTTPStatus.NOT_FOUND, "This message has no HTML.")
    return inert_document(in_scheme(content, request.query.get("scheme", "")))


def in_scheme(content: str, scheme: str) -> str:
    """HTML as a mail program shows it in light or dark mode; unchanged without a scheme."""
    if scheme not in _SCHEMES:
        return content
    return content.replace(_DARK_QUERY, _SCHEMES[scheme])


def links_of(inbox: Inbox, message_id: str) -> list[dict[str, str]]:
    """Links of an email."""
    return links(str(_find(inbox, message_id)["html"] or ""))


def source(inbox: Inbox, message_id: str) -> Answer:
    """An email as MIME, composed of what the emulator kept; the text of another message."""
    message = _find(inbox, message_id)
    if message["channel"] != "email":
        return plain_text(str(message["text"]))
    return plain_text(_mime(message))


def _mime(message: Message) -> str:
    """MIME of an email. Its headers besides these, and its attachments, are not kept."""
    made = EmailMessage()
    headers = {
        "From": message["from"],
        "To": message["to"],
        "Subject": message["subject"],
        "Date": format_datetime(datetime.fromisoformat(message["sent_at"])),
        "Message-ID": f"<{message['id']}>",
    }
    for name, value in headers.items():
        made[name] = " ".join(str(value or "").split())
    made.set_content(message["text"] or "")
    if message["html"]:
        made.add_alternative(message["html"], subtype="html")
        # Otherwise random, and the source would seem to change.
        made.set_boundary(f"=_{hashlib.sha256(message['id'].encode()).hexdigest()[:32]}")
    return made.as_string()


def _find(inbox: Inbox, message_id: str) -> Message:
    for message in inbox.messages():
        if message["id"] == message_id:
            return message
    raise Refused(HTTPStatus.NOT_FOUND, "There is no such message in the inbox.")


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds <= _LONGEST_WAIT_SECONDS:
        raise Refused(HTTPStatus.BAD_REQUEST, "wait must be seconds from 0 to 60.")
    return seconds


def _time(text: str) -> datetime | None:
    if not text:
        return None
    try:
        # An unencoded + in a query is a space.
        moment = datetime.fromisoformat(text.replace(" ", "+"))
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        example = "2026-01-31T12:00:00Z"
        raise Refused(HTTPStatus.BAD_REQUEST, f"since must be a time such as {example}.")
    return moment
