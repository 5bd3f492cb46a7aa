"""Jobs that are measured: for each the events, the data that they need, and the right answers.

The product and its floor get the same event. What somebody measures elsewhere is compared with
`verify_check`, so its environment has two names only, and its records have no salt.
"""

import base64
import hashlib
import hmac
import json
import secrets
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

from tests.bench.aws.expressions import Item
from tests.bench.aws.server import AwsStandIn
from tests.bench.requests import TOKEN, TOKEN_HASH, TOKEN_ID, authorizer_event, http_event

CODE, CODE_KEY = "301274", "0123456789abcdef0123456789abcdef"
WEBHOOK_KEY = "webhook-key-of-the-bench"
SECRETS = {
    "CodeKeys": json.dumps({"current": "k1", "k1": CODE_KEY}),
    "LimitKey": "limit-key-of-the-bench",
    "webhook-usersnap": WEBHOOK_KEY,
}
"""Texts in Secrets Manager by name."""

_VERIFICATIONS = {"VERIFICATIONS_TABLE": "Verifications", "CODE_KEYS_SECRET": "CodeKeys"}
_LIMITS = {"LIMITS_TABLE": "Limits", "LIMIT_KEY_SECRET": "LimitKey"}
_EMAILS = {"EMAIL_FROM": "no-reply@example.com", "EMAIL_CONFIGURATION_SET": "emails"}
_SCHEDULES = {
    "SCHEDULE_GROUP": "verifications",
    "SCHEDULE_ROLE": "arn:aws:iam::000000000000:role/schedules",
    "DEAD_LETTERS": "arn:aws:sqs:us-east-1:000000000000:dead-letters",
    "VERIFY_DELETE_FUNCTION": "arn:aws:lambda:us-east-1:000000000000:function:verify_delete",
}
_RUNS = {
    "RUNS_BUCKET": "runs",
    "RUNS_TABLE": "RunRecords",
    "OUTCOMES_TABLE": "Outcomes",
    "IDEMPOTENCY_TABLE": "Idempotency",
    "TOKENS_TABLE": "Tokens",
    "WORKFLOW_FUNCTIONS": "stack-wf-",
    "RUN_WORKFLOW": "arn:aws:states:us-east-1:000000000000:stateMachine:RunWorkflow",
}
_EMAIL = {
    "template": "message",
    "data": {
        "subject": "Your order is on its way",
        "heading": "Your order is on its way",
        "paragraphs": ["Hello Ana,", "We handed order 1042 to the carrier today."],
    },
}


class Job(NamedTuple):
    """One piece of work. Each event has a number of its own within its process."""

    name: str
    built: str
    """Folder of the built function in .aws-sam/build."""
    handler: str
    variables: Mapping[str, str]
    event: Callable[[AwsStandIn, int], dict[str, Any]]
    """Makes an event, and stores what it needs."""
    done: Callable[[Any], bool]
    """Whether an answer is the right one."""


def _checked(answer: Any) -> bool:
    return answer["statusCode"] == 200 and json.loads(answer["body"])["valid"] is True


def _check(aws: AwsStandIn, number: int) -> dict[str, Any]:
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


def _authorize(aws: AwsStandIn, _number: int) -> dict[str, Any]:
    _put_token(aws)
    return authorizer_event("verify_check", TOKEN)


def _send(_aws: AwsStandIn, number: int) -> dict[str, Any]:
    """A code to an address of its own, so that no limit holds."""
    to = f"ana{number}@example.com"
    return http_event("verify_send", {"channel": "email", "to": to, "purpose": "sign_in"})


def _send_email(_aws: AwsStandIn, number: int) -> dict[str, Any]:
    return http_event("send_email_template", _EMAIL | {"to": f"ana{number}@example.com"})


def _run_item(aws: AwsStandIn, number: int) -> dict[str, Any]:
    """An item of a run of send_email_template, as the state machine delivers it."""
    _put_token(aws)
    line = json.dumps(_EMAIL | {"to": f"ana{number}@example.com"}).encode()
    key = f"runs/{number}/items.jsonl"
    aws.objects[f"/runs/{key}"] = line + b"\n"
    run_id = f"send_email_template.{'0' * 26}"
    return {
        "trigger": "run",
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


def _webhook(_aws: AwsStandIn, number: int) -> dict[str, Any]:
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


JOBS = (
    Job(
        "verify_check",
        "VerifyCheck",
        "functions.workflows.verify_check.handler.lambda_handler",
        _VERIFICATIONS,
        _check,
        _checked,
    ),
    Job(
        "authorize",
        "Authorize",
        "functions.api.authorize.handler.lambda_handler",
        {"TOKENS_TABLE": "Tokens"},
        _authorize,
        lambda answer: answer["isAuthorized"] is True,
    ),
    Job(
        "verify_send",
        "VerifySend",
        "functions.workflows.verify_send.handler.lambda_handler",
        _VERIFICATIONS | _LIMITS | _EMAILS | _SCHEDULES,
        _send,
        lambda answer: answer["statusCode"] == 200 and "verification_id" in answer["body"],
    ),
    Job(
        "send_email_template",
        "SendEmailTemplate",
        "functions.workflows.send_email_template.handler.lambda_handler",
        _LIMITS | _EMAILS,
        _send_email,
        lambda answer: answer["statusCode"] == 200 and json.loads(answer["body"])["sent"] == 1,
    ),
    Job(
        "run_item",
        "SendEmailTemplate",
        "functions.workflows.send_email_template.handler.lambda_handler",
        _LIMITS | _EMAILS | _RUNS,
        _run_item,
        lambda answer: answer == {"status": "succeeded"},
    ),
    Job(
        "webhooks",
        "Webhooks",
        "functions.api.webhooks.handler.lambda_handler",
        _RUNS | {"WEBHOOK_SECRETS": "webhook-"},
        _webhook,
        lambda answer: answer["statusCode"] == 200 and "run_id" in answer["body"],
    ),
)
