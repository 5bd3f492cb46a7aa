"""The floor of verify_send: limits and record in one transaction, a schedule, one email."""

import hashlib
import hmac
import json
import secrets
import time
from datetime import UTC, datetime
from typing import Any

from .clients import client, dynamodb, read_secret, variable
from .emails import LIMITS, charge, request

_VERIFICATIONS = variable("VERIFICATIONS_TABLE")
_ses, _scheduler = client("sesv2"), client("scheduler")
_code_keys = json.loads(read_secret(variable("CODE_KEYS_SECRET")))
_limit_key = read_secret(variable("LIMIT_KEY_SECRET")).encode()


def lambda_handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Answers a request of API Gateway (payload 2.0)."""
    asked, now = json.loads(event["body"]), time.time()
    verification_id = f"{_code_keys['current']}.d6{secrets.token_urlsafe(16)}"
    code = f"{secrets.randbelow(1_000_000):06}"
    _write(verification_id, code, asked, now)
    _schedule(verification_id, now + 900)
    text = f"Use this code to sign in:\n\n{code}\n\nIt is valid for 10 minutes."
    tags = {"verification_id": verification_id.replace(".", "-")}
    _ses.send_email(**request(asked["to"], "Your sign-in code", text, **tags))
    answer = {"verification_id": verification_id, "channel": asked["channel"], "code_length": 6}
    headers = {"content-type": "application/json"}
    return {"statusCode": 200, "headers": headers, "body": json.dumps(answer)}


def _write(verification_id: str, code: str, asked: dict[str, str], now: float) -> None:
    digest = hmac.digest(_limit_key, asked["to"].encode(), hashlib.sha256).hex()
    key = {"limit_key": {"S": f"destination#{digest}"}}
    wanted = {LIMITS: {"Keys": [key], "ConsistentRead": True}}
    found = dynamodb.batch_get_item(RequestItems=wanted)["Responses"][LIMITS]
    history = json.loads(found[0]["history"]["S"]) if found else []
    version = int(found[0]["version"]["N"]) if found else 0
    limit = key | {
        "history": {"S": json.dumps([*history, now])},
        "version": {"N": str(version + 1)},
        "delete_at": {"N": str(int(now) + 259_200)},
    }
    dynamodb.transact_write_items(
        TransactItems=[
            _put(_VERIFICATIONS, _record(verification_id, code, asked, now), "verification_id"),
            _put(LIMITS, limit, "version"),
            charge("channel#email", 10_000),
        ]
    )


def _put(table: str, item: dict[str, Any], absent: str) -> dict[str, Any]:
    condition = f"attribute_not_exists({absent})"
    return {"Put": {"TableName": table, "Item": item, "ConditionExpression": condition}}


def _record(
    verification_id: str, code: str, asked: dict[str, str], now: float
) -> dict[str, dict[str, Any]]:
    message = f"{verification_id}\0{code}".encode()
    key = _code_keys[_code_keys["current"]].encode()
    texts = {"verification_id": verification_id, "audience": ""} | asked
    numbers = {"attempts": 0, "max_attempts": 5, "reserved": 5, "created_at": now}
    numbers |= {"expires_at": now + 600, "delete_at": int(now) + 900}
    return (
        {name: {"S": text} for name, text in texts.items()}
        | {name: {"N": str(number)} for name, number in numbers.items()}
        | {"code_mac": {"B": hmac.digest(key, message, hashlib.sha256)}, "last_mac": {"B": b""}}
    )


def _schedule(verification_id: str, at: float) -> None:
    event = {"trigger": "schedule", "parameters": {"verification_id": verification_id}}
    target = {
        "Arn": variable("VERIFY_DELETE_FUNCTION"),
        "RoleArn": variable("SCHEDULE_ROLE"),
        "Input": json.dumps(event),
        "DeadLetterConfig": {"Arn": variable("DEAD_LETTERS")},
        "RetryPolicy": {"MaximumRetryAttempts": 10, "MaximumEventAgeInSeconds": 3600},
    }
    _scheduler.create_schedule(
        Name=verification_id,
        GroupName=variable("SCHEDULE_GROUP"),
        ScheduleExpression=f"at({datetime.fromtimestamp(at, UTC):%Y-%m-%dT%H:%M:%S})",
        FlexibleTimeWindow={"Mode": "OFF"},
        ActionAfterCompletion="DELETE",
        Target=target,
    )
