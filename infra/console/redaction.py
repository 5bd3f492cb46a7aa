"""Removes tokens, codes and secrets from what the console keeps of requests."""

import json
import re
from urllib.parse import parse_qsl, urlencode

MOST_CHARACTERS = 64_000
"""Longest text that is kept of a body."""

REDACTED = "[redacted]"

_TOKEN = re.compile(r"wf_[A-Za-z0-9_-]{16,}")
_SECRET_NAME = re.compile(r"secret|password|authorization|token\Z", re.IGNORECASE)
_CODE_NAME = "code"
_MEMBER = re.compile(
    r'("(?i:(?=[^"]*(?:secret|password|authorization|token"))[^"]*|code)"\s*:\s*)'
    r'("(?:[^"\\]|\\.)*"?|[^\s,}\]]+)'
)
"""A member of a text that is nearly JSON.

The lookahead decides once on each name: a text costs time in proportion to its length.
"""
_DIGITS = re.compile(r"\d{4,12}")


def kept_body(body: bytes, kind: str, *, is_answer: bool = False) -> object:
    """A body as it is kept: JSON, or a text; none if there is no body.

    Args:
        body: as sent.
        kind: its content type.
        is_answer: the `code` of an answer is a problem's, unless it is digits.
    """
    if not body:
        return None
    text = body.decode(errors="replace")
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return _cut(_text(text, kind))
    try:
        clean = _value(value, is_answer=is_answer)
        written = json.dumps(clean, ensure_ascii=False)
    except RecursionError:
        return _cut(_text(text, kind))
    return clean if len(written) <= MOST_CHARACTERS else _cut(written)


def kept_query(query: str) -> str:
    """A query without tokens and codes."""
    pairs = parse_qsl(query, keep_blank_values=True)
    return urlencode([(name, _member(name, value, is_answer=False)) for name, value in pairs])


def without_tokens(text: str) -> str:
    """A text without tokens of this API."""
    return _TOKEN.sub(REDACTED, text)


def _text(text: str, kind: str) -> str:
    if kind.startswith("application/x-www-form-urlencoded"):
        return kept_query(text)
    return without_tokens(_MEMBER.sub(rf'\1"{REDACTED}"', text))


def _value(value: object, *, is_answer: bool) -> object:
    if isinstance(value, dict):
        return {name: _member(name, each, is_answer=is_answer) for name, each in value.items()}
    if isinstance(value, list):
        return [_value(each, is_answer=is_answer) for each in value]
    return without_tokens(value) if isinstance(value, str) else value


def _member(name: str, value: object, *, is_answer: bool) -> object:
    if value is None or not _is_secret(name, value, is_answer=is_answer):
        return _value(value, is_answer=is_answer)
    return REDACTED


def _is_secret(name: str, value: object, *, is_answer: bool) -> bool:
    if name.lower() == _CODE_NAME:
        return not is_answer or bool(_DIGITS.fullmatch(str(value)))
    return bool(_SECRET_NAME.search(name))


def _cut(text: str) -> str:
    return text if len(text) <= MOST_CHARACTERS else f"{text[:MOST_CHARACTERS]}…"
