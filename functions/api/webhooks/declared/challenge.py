"""Answers to the questions with which sources check a URL before they send anything to it."""

import hashlib
import hmac
import re
from collections.abc import Sequence
from typing import Any
from urllib.parse import parse_qsl

from functions.api.webhooks.declared.expressions import DoesNotFit, digest_with, search
from functions.api.webhooks.declared.source import Source
from functions.api.webhooks.delivery import WebhookDelivery
from functions.core.errors import WrongSignature

_ECHOED = re.compile(r"[A-Za-z0-9._~+/=-]{1,500}")
"""No character that a browser could take for a page's."""
_MOST_FIELDS = 20
_ABOUT = b"backend-workflows: verify token"
_TOKEN_CHARACTERS = 40
"""160 bits."""


def answer_of(source: Source, delivery: WebhookDelivery, key: str) -> Any:  # noqa: ANN401 - JSON
    """Answer to a signed delivery that only asks for one: JSON or a text; null for any other.

    Only signed deliveries are answered: `hmac()` would else sign for strangers.
    """
    if not source.challenge:
        return None
    digest = None
    if source.scheme == "hmac":
        digest = digest_with(key, source.algorithm, source.encoding)
    known = {"payload": delivery.payload, "query": delivery.query}
    try:
        return search(source.challenge, known, digest) or None
    except DoesNotFit:
        return None


def echo_of(source: Source, query: str, keys: Sequence[str]) -> str:
    """Answer to a GET: a parameter of the query, if the verify token beside it is right.

    Raises:
        WrongSignature
    """
    try:
        values = dict(parse_qsl(query, keep_blank_values=True, max_num_fields=_MOST_FIELDS))
    except ValueError:
        values = {}
    if source.verify_token_query:
        sent = values.get(source.verify_token_query, "").encode(errors="replace")
        if not any(hmac.compare_digest(verify_token(key).encode(), sent) for key in keys):
            raise WrongSignature("The verify token is not this source's.")
    text = values.get(str(source.challenge_query), "")
    if not _ECHOED.fullmatch(text):
        raise WrongSignature("The query has no challenge that could be answered.")
    return text


def verify_token(key: str) -> str:
    """Verify token of a source, from its key: a URL may hold it, and it does not tell the key."""
    return hmac.digest(key.encode(), _ABOUT, hashlib.sha256).hex()[:_TOKEN_CHARACTERS]
