"""Rules of a check that all peers share: HMAC, condition, update and answer."""

import hashlib
import hmac
import json
import os
from collections.abc import Mapping
from typing import Any

TABLE = os.environ.get("VERIFICATIONS_TABLE", "")
SECRET = os.environ.get("CODE_KEYS_SECRET", "")

UPDATE = "SET last_mac = :mac, last_check = :mark, checked_at = :now, attempts = attempts + :one"
CONDITION = "attempts < max_attempts AND expires_at > :now AND last_mac <> code_mac"
REJECTED = {"valid": False, "attempts_left": 0}


def read_keys(text: str) -> dict[str, bytes]:
    """Keys by id, from the secret's JSON."""
    return {name: key.encode() for name, key in json.loads(text).items()}


def mac(keys: Mapping[str, bytes], verification_id: str, code: str) -> bytes:
    """HMAC of a code, bound to its verification."""
    key = keys[verification_id.partition(".")[0]]
    return hmac.digest(key, f"{verification_id}\0{code}".encode(), hashlib.sha256)


def verdict(stored: Mapping[str, Any]) -> dict[str, Any]:
    """Answer for the record after the write, whose values are Python's."""
    left = int(stored["max_attempts"]) - int(stored["attempts"])
    if not hmac.compare_digest(bytes(stored["last_mac"]), bytes(stored["code_mac"])):
        return {"valid": False, "attempts_left": left}
    about = {name: stored.get(name) for name in ("channel", "to", "purpose")}
    return {"valid": True, "attempts_left": left} | about
