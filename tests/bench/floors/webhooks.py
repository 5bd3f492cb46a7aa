"""The floor of webhooks: a signature, a claim, two files, a record, an execution, an outcome."""

import hashlib
import hmac
import json
import time
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from .clients import client, dynamodb, read_secret, variable

_SOURCE, _WORKFLOW = "usersnap", "deliver_event"
_BUCKET = variable("RUNS_BUCKET")
_KEPT, _RUNS = variable("IDEMPOTENCY_TABLE"), variable("RUNS_TABLE")
_s3, _step_functions = client("s3"), client("stepfunctions")


@lru_cache
def _signing_key() -> bytes:
    return read_secret(variable("WEBHOOK_SECRETS") + _SOURCE).encode()


def lambda_handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Answers a delivery of Usersnap with the run that it starts."""
    body, headers = event["body"].encode(), event["headers"]
    signed = body + int(headers["x-usersnap-timestamp"]).to_bytes(32, "little")
    expected = hmac.digest(_signing_key(), signed, "sha256").hex()
    if not hmac.compare_digest(expected, headers["x-usersnap-signature"]):
        return {"statusCode": 401}
    digest = hashlib.sha256(body).hexdigest()
    delivery_id = f"{9_999_999_999_999 - int(time.time() * 1000)}-{digest[:16]}"
    run_id = f"{_WORKFLOW}.{digest[:26]}"
    _claim(digest, delivery_id)
    _put_object(f"deliveries/{_SOURCE}/{delivery_id}.json", {"payload": json.loads(body)})
    _start(run_id, json.loads(body))
    _conclude(delivery_id, run_id)
    return {"statusCode": 200, "body": json.dumps({"run_id": run_id})}


def _claim(digest: str, delivery_id: str) -> None:
    now = int(time.time())
    dynamodb.update_item(
        TableName=_KEPT,
        Key={"call": {"S": f"webhook\n{_SOURCE}\n{digest}"}},
        UpdateExpression="SET delivery_id = :id, delete_at = :until",
        ConditionExpression="attribute_not_exists(delivery_id) OR delete_at <= :now",
        ExpressionAttributeValues={
            ":id": {"S": delivery_id},
            ":until": {"N": str(now + 7_776_000)},
            ":now": {"N": str(now)},
        },
        ReturnValues="ALL_NEW",
    )


def _start(run_id: str, payload: object) -> None:
    key = f"runs/{run_id}/items.jsonl"
    length = _put_object(key, {"type": "usersnap.feedback", "data": payload})
    execution = {
        "run_id": run_id,
        "workflow": _WORKFLOW,
        "branch": "one",
        "total": 1,
        "token_id": f"webhook:{_SOURCE}",
        "origin_run_id": run_id,
        "items_key": key,
        "reference": {"index": 0, "start": 0, "length": length},
        "items_until": int(time.time()) + 604_800,
    }
    _record(run_id, json.dumps(execution))
    _step_functions.start_execution(
        stateMachineArn=variable("RUN_WORKFLOW"), name=run_id, input=json.dumps(execution)
    )


def _record(run_id: str, execution: str) -> None:
    now = datetime.now(UTC).isoformat()
    texts = {
        "shelf": f"{_WORKFLOW} running",
        "position": f"{now} {run_id}",
        "workflow": _WORKFLOW,
        "status": "running",
        "execution": execution,
        "started_at": now,
    }
    names = {f"#{name}": name for name in texts}
    dynamodb.update_item(
        TableName=_RUNS,
        Key={"run_id": {"S": run_id}},
        UpdateExpression="SET " + ", ".join(f"#{name} = :{name}" for name in texts),
        ConditionExpression="attribute_not_exists(run_id)",
        ExpressionAttributeNames=names,
        ExpressionAttributeValues={f":{name}": {"S": text} for name, text in texts.items()},
        ReturnValues="ALL_NEW",
    )


def _conclude(delivery_id: str, run_id: str) -> None:
    item = {"call": {"S": f"delivery\n{_SOURCE}\n{delivery_id}"}, "run_id": {"S": run_id}}
    until = {"delete_at": {"N": str(int(time.time()) + 7_776_000)}}
    dynamodb.put_item(TableName=_KEPT, Item=item | until)


def _put_object(key: str, content: object) -> int:
    """Writes JSON; returns its length in bytes."""
    body = json.dumps(content).encode()
    _s3.put_object(Bucket=_BUCKET, Key=key, Body=body)
    return len(body)
