"""Stand-in of Twilio's Messages and Calls (API 2010-04-01): credentials, errors and answers.

The numbers that fail are those of Twilio's test credentials
(https://www.twilio.com/docs/iam/test-credentials).
"""

import base64
import html
import re
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any
from urllib.parse import parse_qsl, urlencode

from twilio.request_validator import RequestValidator

from infra.local.captured import Callback, Message, Reply, message

ACCOUNT_SID = "AC" + "0" * 32
AUTH_TOKEN = "local"  # noqa: S105 - opens the stand-in only
FROM_NUMBER = "+15005550006"
"""Sending number of Twilio's test credentials."""

SECRET = {"account_sid": ACCOUNT_SID, "auth_token": AUTH_TOKEN, "from_number": FROM_NUMBER}
"""Content of the Twilio secret on the local stack."""

_BASIC = "Basic " + base64.b64encode(f"{ACCOUNT_SID}:{AUTH_TOKEN}".encode()).decode()
_PATH = re.compile(r"/2010-04-01/Accounts/(AC[0-9a-f]{32})/(Messages|Calls)\.json")
_E164 = re.compile(r"\+[1-9]\d{6,14}")

_MESSAGE_ERRORS = {
    "+15005550001": (21211, "Invalid 'To' Phone Number: {to}"),
    "+15005550002": (
        21612,
        (
            "Message cannot be sent with the current combination of 'To' ({to}) "
            "and/or 'From' parameters"
        ),
    ),
    "+15005550003": (
        21408,
        "Permission to send an SMS has not been enabled for the region of the 'To' number: {to}",
    ),
    "+15005550004": (21610, "Attempt to send to unsubscribed recipient {to}"),
    "+15005550009": (21614, "'To' number {to} is not a valid mobile number"),
}
_CALL_ERRORS = {
    "+15005550001": (21217, "Phone number {to} does not appear to be valid"),
    "+15005550002": (21214, "'To' phone number {to} cannot be reached"),
    "+15005550003": (21215, "Account not authorized to call {to}"),
    "+15005550004": (21216, "Account not allowed to call {to}"),
}
_INVALID = (21211, "Invalid 'To' Phone Number: {to}")
_NOT_OURS = (
    21606,
    "The 'From' phone number provided is not a valid, message-capable Twilio phone number",
)


def answer(path: str, authorization: str, body: bytes) -> Reply:
    """Twilio's answer to a POST."""
    if authorization != _BASIC:
        return _error(401, 20003, "Authenticate")
    match = _PATH.fullmatch(path)
    if not match or match[1] != ACCOUNT_SID:
        return _error(404, 20404, f"The requested resource {path} was not found")
    form = dict(parse_qsl(body.decode()))
    return _message(form) if match[2] == "Messages" else _call(form)


def _message(form: Mapping[str, str]) -> Reply:
    if error := _wrong(form, _MESSAGE_ERRORS):
        return error
    text = (
        form.get("Body")
        or f"{form.get('ContentSid', '')} {form.get('ContentVariables', '')}".strip()
    )
    if not text:
        return _error(400, 21602, "Message body is required.")
    channel, _, to = form["To"].rpartition(":")
    taken = message(channel or "sms", to, form.get("From") or form.get("MessagingServiceSid"), text)
    about = {
        "body": text,
        "num_segments": "1",
        "num_media": "0",
        "error_code": None,
        "error_message": None,
    }
    return _created("SM", "Messages", form, taken, about)


def _call(form: Mapping[str, str]) -> Reply:
    if error := _wrong(form, _CALL_ERRORS):
        return error
    spoken = [
        html.unescape(text) for text in re.findall(r"<Say[^>]*>(.*?)</Say>", form.get("Twiml", ""))
    ]
    if not spoken:
        return _error(400, 21205, "Url parameter is required.")
    return _created(
        "CA", "Calls", form, message("voice", form["To"], form.get("From"), "\n".join(spoken)), {}
    )


def _wrong(form: Mapping[str, str], errors: Mapping[str, tuple[int, str]]) -> Reply | None:
    to = form.get("To", "").rpartition(":")[2]
    sender = form.get("From", "").rpartition(":")[2]
    if to in errors or not _E164.fullmatch(to):
        code, text = errors.get(to, _INVALID)
        return _error(400, code, text.format(to=to))
    if sender != FROM_NUMBER and not form.get("MessagingServiceSid"):
        return _error(400, *_NOT_OURS)
    return None


def _created(
    prefix: str, kind: str, form: Mapping[str, str], taken: Message, about: dict[str, Any]
) -> Reply:
    sid, now = prefix + uuid.uuid4().hex, format_datetime(datetime.now(UTC))
    common = {
        "sid": sid,
        "account_sid": ACCOUNT_SID,
        "api_version": "2010-04-01",
        "status": "queued",
        "direction": "outbound-api",
        "to": form["To"],
        "from": form.get("From"),
        "messaging_service_sid": form.get("MessagingServiceSid"),
        "date_created": now,
        "date_updated": now,
        "price": None,
        "price_unit": "USD",
        "uri": f"/2010-04-01/Accounts/{ACCOUNT_SID}/{kind}/{sid}.json",
    }
    return Reply(201, common | about, taken, callback=_status(prefix, sid, form))


def _status(prefix: str, sid: str, form: Mapping[str, str]) -> Callback | None:
    """Signed status callback of a delivered message or call; none if not requested."""
    url = form.get("StatusCallback")
    if not url:
        return None
    kind = {"SM": "Message", "CA": "Call"}[prefix]
    fields = {
        f"{kind}Sid": sid,
        f"{kind}Status": "completed" if kind == "Call" else "delivered",
        "To": form["To"],
    }
    fields |= {"AccountSid": ACCOUNT_SID, "ApiVersion": "2010-04-01"}
    headers = {
        "content-type": "application/x-www-form-urlencoded; charset=utf-8",
        "x-twilio-signature": RequestValidator(AUTH_TOKEN).compute_signature(url, fields),
    }
    return Callback(url, headers, urlencode(fields).encode())


def _error(status: int, code: int, text: str) -> Reply:
    more = f"https://www.twilio.com/docs/errors/{code}"
    return Reply(status, {"code": code, "message": text, "more_info": more, "status": status})
