"""The floor of authorize: one consistent read, and a comparison of hashes."""

import hashlib
import hmac
from typing import Any

from .clients import dynamodb, variable

_TABLE = variable("TOKENS_TABLE")


def lambda_handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Returns API Gateway's simple response."""
    text = event["headers"]["authorization"].removeprefix("Bearer ")
    digest = hashlib.sha256(text.encode()).hexdigest()
    key = {"token_id": {"S": digest[:16]}}
    found = dynamodb.get_item(TableName=_TABLE, Key=key, ConsistentRead=True).get("Item")
    if not found or not hmac.compare_digest(found["token_hash"]["S"], digest):
        return {"isAuthorized": False}
    about = {
        "token_id": found["token_id"]["S"],
        "kind": found["kind"]["S"],
        "scopes": " ".join(sorted(found["scopes"]["SS"])),
    }
    return {"isAuthorized": True, "context": about}
