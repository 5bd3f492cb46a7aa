"""Answers of the console: JSON, texts and documents, with their headers."""

import hashlib
import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import NamedTuple

Headers = Mapping[str, str]

PROTECTION: Headers = {
    "cache-control": "no-store",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}
"""Headers of every answer. There is never a header of CORS."""

_INERT = (
    "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
)
"""Policy of a document that strangers wrote: nothing in it runs or loads."""
_LINKS_DO_NOTHING = '<base target="_blank">'
"""At the end of such a document: a click asks for a new tab, and the sandbox opens none.

Otherwise the frame would follow the link, and show the browser's page of a refused address.
"""
_NO_DOCUMENT = "default-src 'none'; frame-ancestors 'none'"
"""Policy of an answer that is not shown as a page."""


class Answer(NamedTuple):
    """Status, headers and body of an answer."""

    status: int
    headers: Headers
    body: bytes


class Refused(Exception):
    """A request that gets no answer but a sentence."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


def json_answer(value: object, status: int = HTTPStatus.OK) -> Answer:
    """A value as JSON that people can read, too."""
    body = json.dumps(value, ensure_ascii=False, indent=1).encode(errors="replace")
    return made(body, "application/json", _NO_DOCUMENT, status)


def refused(error: Refused) -> Answer:
    """The sentence, as JSON."""
    return json_answer({"message": str(error)}, error.status)


def plain_text(text: str) -> Answer:
    """A text that no browser takes for HTML."""
    return made(text.encode(errors="replace"), "text/plain; charset=utf-8", _NO_DOCUMENT)


def inert_document(html: str) -> Answer:
    """HTML that strangers wrote, as a document for a frame of the console."""
    body = f"{html}{_LINKS_DO_NOTHING}".encode(errors="replace")
    return made(body, "text/html; charset=utf-8", _INERT)


def made(body: bytes, kind: str, policy: str, status: int = HTTPStatus.OK) -> Answer:
    """An answer with a content type and a content security policy."""
    headers = {"content-type": kind, "content-security-policy": policy, **PROTECTION}
    return Answer(status, headers, body)


def tagged(answer: Answer, known: str | None) -> Answer:
    """The answer with its ETag; 304 without a body if `known` (If-None-Match) has that tag."""
    if answer.status != HTTPStatus.OK:
        return answer
    tag = f'"{hashlib.sha256(answer.body).hexdigest()[:32]}"'
    headers = {**answer.headers, "etag": tag}
    if tag in [each.strip().removeprefix("W/") for each in (known or "").split(",")]:
        return Answer(HTTPStatus.NOT_MODIFIED, headers, b"")
    return Answer(answer.status, headers, answer.body)
