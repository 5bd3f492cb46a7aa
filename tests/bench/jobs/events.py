"""Events of the jobs, each with the data that it needs in the stand-in."""

import base64
import hashlib
import hmac
import json
import secrets
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from tests.bench.aws.expressions import Item
from tests.bench.aws.server import AwsStandIn
from tests.bench.jobs.requests import TOKEN, TOKEN_HASH, TOKEN_ID, authorizer_event, http_event

CODE, CODE_KEY = "301274", "0123456789abcdef0123456789abcdef"
WEBHOOK_KEY = "webhook-key-of-the-bench"
SECRETS = {
    "CodeKeys": json.dumps({"current": "k1", "k1": CODE_KEY}),
    "LimitKey": "limit-key-of-the-bench",
    "webhook-usersnap": WEBHOOK_KEY,
}
"""Texts in Secrets Manager by name."""

_EMAIL = {
    "template": "message",
    "data": {
        "subject": "Your order is on its way",
        "heading": "Your order is on its way",
        "paragraphs": ["Hello Ana,", "We handed order 1042 to the carrier today."],
    },
}


def check(aws: AwsStandIn, number: int) -> dict[str, Any]:
    """A right code for a verification of its own: the main case, one conditional write."""
    verification_id = f"k1.d6{number:022d}"
    message = verification_id.encode() + b"\0" + CODE.encode()
    now = time.time()
    numbers = {"attempts": 0, "max_attempts": 5, "reserved": 5, "created_at": now}
    numbers |= {"expires_at": now + 600, "delete_at": int(now) + 3600}
    texts = {"channel": "email", "to": "ana@example.com", "purpose": "sign_in", "audience": ""}
    record = _item(texts | {"verification_id": verification_id}, numbers)
    code_mac = hmac.digest(CODE_KEY.encode(), message, hashlib.sha256)
    aws.tables.put(
        "Verifications", record | {"code_mac": _binary(code_mac), "last_mac": _binary(b"")}
    )
    return http_event("verify_check", {"verification_id": verification_id, "code": CODE})


def authorize(aws: AwsStandIn, _number: int) -> dict[str, Any]:
    """A token that is active, the same in each call."""
    _put_token(aws)
    return authorizer_event("verify_check", TOKEN)


def send_code(_aws: AwsStandIn, number: int) -> dict[str, Any]:
    """A code to an address of its own, so that no limit holds."""
    to = f"ana{number}@example.com"
    return http_event("verify_send", {"channel": "email", "to": to, "purpose": "sign_in"})


def send_email(_aws: AwsStandIn, number: int) -> dict[str, Any]:
    """An email to an address of its own."""
    return http_event("send_email_template", _EMAIL | {"to": f"ana{number}@example.com"})


def run_item(aws: AwsStandIn, number: int) -> dict[str, Any]:
    """An item of a run of send_email_template, as the state machine delivers it."""
    _put_token(aws)
    line = json.dumps(_EMAIL | {"to": f"ana{number}@example.com"}).encode()
    key = f"runs/{number}/items.jsonl"
    aws.objects[f"/runs/{key}"] = line + b"\n"
    run_id = f"send_email_template.{'0' * 26}"
    return {
        "trigger": "run",
        "branch": "one",
        "run_id": run_id,
        "origin_run_id": run_id,
        "index": number,
        "start": 0,
        "length": len(line),
        "items_key": key,
        "token_id": TOKEN_ID,
        "started_at": datetime.now(UTC).isoformat(),
        "delete_at": "1900000000",
    }


def webhook(_aws: AwsStandIn, number: int) -> dict[str, Any]:
    """A delivery of Usersnap, which starts a run of deliver_event."""
    body = json.dumps({"feedback_number": number, "comment": secrets.token_hex(200)})
    signed_at = int(time.time() * 1000)
    signed = body.encode() + signed_at.to_bytes(32, "little")
    headers = {
        "x-usersnap-signature": hmac.digest(WEBHOOK_KEY.encode(), signed, "sha256").hex(),
        "x-usersnap-timestamp": str(signed_at),
    }
    return http_event("usersnap", body, headers=headers, folder="webhooks")


def _put_token(aws: AwsStandIn) -> None:
    texts = {"token_id": TOKEN_ID, "token_hash": TOKEN_HASH, "name": "bench", "kind": "secret"}
    scopes = {"SS": ["runs:write", "workflow:send_email_template", "workflow:verify_check"]}
    aws.tables.put("Tokens", _item(texts, {"created_at": 1_795_000_000}) | {"scopes": scopes})


def _item(texts: Mapping[str, str], numbers: Mapping[str, float]) -> Item:
    return {name: {"S": text} for name, text in texts.items()} | {
        name: {"N": repr(number)} for name, number in numbers.items()
    }


def _binary(content: bytes) -> dict[str, str]:
    return {"B": base64.b64encode(content).decode()}
