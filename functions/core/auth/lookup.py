"""Tokens as they are looked up: by their text for a request, by their id for a run or a schedule.

A token's id is the beginning of its hash: one read finds a token by its text, and also for a
schedule, which keeps only the id. No model of the record (tokens.py) is loaded for that read, which
is all that `authorize` does (decision 94).
"""

import hashlib
import hmac
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from functions.core import config
from functions.core.aws import direct

_FORM = re.compile(r"wf_[A-Za-z0-9_-]{43}")

ID_LENGTH = 16
"""Hexadecimal digits of the hash that are the id: 64 bits, which tell tokens apart.

The whole hash is what proves one.
"""


class StoredToken(NamedTuple):
    """A token as it is stored."""

    token_id: str
    token_hash: str
    name: str
    kind: str
    scopes: frozenset[str]
    audience: str | None
    expires_at: float | None
    revoked_at: float | None

    def is_active(self, now: float) -> bool:
        """True if it is neither revoked nor expired at `now`, in seconds since the epoch."""
        return self.revoked_at is None and (self.expires_at is None or self.expires_at > now)


def find_token(text: str) -> StoredToken | None:
    """The stored token of a text, active or not; null without one. 1 DynamoDB request."""
    if not _FORM.fullmatch(text):
        return None
    token_hash = hash_of(text)
    token = read_token(token_hash[:ID_LENGTH])
    return token if token and hmac.compare_digest(token.token_hash, token_hash) else None


def read_token(token_id: str) -> StoredToken | None:
    """The stored token of an id, active or not; null without one. 1 DynamoDB request.

    Read consistently: API Gateway would keep the refusal of a token that is new for 60 s.
    """
    table, key = config.table_name("TOKENS_TABLE"), {"token_id": {"S": token_id}}
    wanted = {"TableName": table, "Key": key, "ConsistentRead": True}
    item = direct.request("dynamodb", "GetItem", wanted).get("Item")
    return _read(item) if item else None


def hash_of(text: str) -> str:
    """Hash of a token's text."""
    return hashlib.sha256(text.encode()).hexdigest()


def _read(item: Mapping[str, Mapping[str, Any]]) -> StoredToken:
    return StoredToken(
        token_id=item["token_id"]["S"],
        token_hash=item["token_hash"]["S"],
        name=item["name"]["S"],
        kind=item["kind"]["S"],
        scopes=frozenset(item["scopes"]["SS"]),
        audience=item.get("audience", {}).get("S"),
        expires_at=_number(item, "expires_at"),
        revoked_at=_number(item, "revoked_at"),
    )


def _number(item: Mapping[str, Mapping[str, Any]], name: str) -> float | None:
    text = item.get(name, {}).get("N")
    return None if text is None else float(text)
