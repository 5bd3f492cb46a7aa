"""The floor of a run's item: a lease, the item's parameters, one email as a step, its outcome."""

import json
import secrets
import time
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from .clients import client, dynamodb, variable
from .send_email_template import send

_OUTCOMES, _TOKENS = variable("OUTCOMES_TABLE"), variable("TOKENS_TABLE")
_BUCKET = variable("RUNS_BUCKET")
_s3 = client("s3")
_CLAIM = (
    "SET #status = :running, attempt_id = :id, lease_until = :until, "
    "started_at = if_not_exists(started_at, :at), delete_at = :delete ADD attempts :one"
)
_FREE = "attribute_not_exists(#status) OR (#status = :running AND lease_until < :now)"
_STATUS = {"#status": "status"}


def lambda_handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Answers RunWorkflow with the item's status."""
    key = {"run_id": {"S": event["run_id"]}, "index": {"N": str(event["index"])}}
    if _read(key | {"index": {"N": "-1"}}):
        return {"status": "cancelled"}
    attempt_id = secrets.token_hex(8)
    _claim(key, attempt_id, event["delete_at"])
    _require_token(event["token_id"])
    asked = _parameters(event["items_key"], event["start"], event["length"])
    work = f"{event['origin_run_id']}/{event['index']}"
    steps = _steps(work)
    if "email" not in steps:
        steps["email"] = send(asked["to"], asked["template"], asked["data"])
        _keep(work, len(steps), {"name": "email", "result": steps["email"]}, event["delete_at"])
    _succeed(key, attempt_id, json.dumps({"message_id": steps["email"]}))
    return {"status": "succeeded"}


def _read(key: dict[str, Any]) -> dict[str, Any] | None:
    found = dynamodb.get_item(TableName=_OUTCOMES, Key=key, ConsistentRead=True)
    item: dict[str, Any] | None = found.get("Item")
    return item


@lru_cache
def _require_token(token_id: str) -> None:
    key = {"token_id": {"S": token_id}}
    if "Item" not in dynamodb.get_item(TableName=_TOKENS, Key=key, ConsistentRead=True):
        raise PermissionError(token_id)


def _claim(key: dict[str, Any], attempt_id: str, delete_at: str) -> None:
    now = time.time()
    values = {
        ":running": {"S": "running"},
        ":id": {"S": attempt_id},
        ":now": {"N": str(now)},
        ":until": {"N": str(now + 12)},
        ":at": {"S": datetime.now(UTC).isoformat()},
        ":delete": {"N": delete_at},
        ":one": {"N": "1"},
    }
    names = {"ExpressionAttributeNames": _STATUS}
    _update(key, _CLAIM, values, ConditionExpression=_FREE, **names)


def _succeed(key: dict[str, Any], attempt_id: str, result: str) -> None:
    values = {
        ":id": {"S": attempt_id},
        ":status": {"S": "succeeded"},
        ":result": {"S": result},
        ":at": {"S": datetime.now(UTC).isoformat()},
    }
    update = "SET #status = :status, #result = :result, finished_at = :at REMOVE problem, failed"
    names = {"ExpressionAttributeNames": _STATUS | {"#result": "result"}}
    _update(key, update, values, ConditionExpression="attempt_id = :id", **names)


def _steps(work: str) -> dict[str, str]:
    found = dynamodb.query(
        TableName=_OUTCOMES,
        KeyConditionExpression="run_id = :work",
        ExpressionAttributeValues={":work": {"S": work}},
        ConsistentRead=True,
    )
    steps = [json.loads(item["step"]["S"]) for item in found["Items"]]
    return {step["name"]: step["result"] for step in steps}


def _keep(work: str, order: int, step: dict[str, str], delete_at: str) -> None:
    item = {"run_id": {"S": work}, "index": {"N": str(order)}, "step": {"S": json.dumps(step)}}
    dynamodb.put_item(TableName=_OUTCOMES, Item=item | {"delete_at": {"N": delete_at}})


def _update(key: dict[str, Any], update: str, values: dict[str, Any], **options: Any) -> None:
    dynamodb.update_item(
        TableName=_OUTCOMES,
        Key=key,
        UpdateExpression=update,
        ExpressionAttributeValues=values,
        ReturnValues="ALL_NEW",
        **options,
    )


def _parameters(key: str, start: int, length: int) -> dict[str, Any]:
    part = f"bytes={start}-{start + length - 1}"
    found = _s3.get_object(Bucket=_BUCKET, Key=key, Range=part)["Body"].read()
    asked: dict[str, Any] = json.loads(found)
    return asked
