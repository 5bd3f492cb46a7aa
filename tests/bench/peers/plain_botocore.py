"""verify_check with a client of botocore and the standard library: the floor."""

import json
import secrets
import time
from typing import Any

import botocore.session

from .verification import (
    CONDITION,
    REJECTED,
    SECRET,
    TABLE,
    UPDATE,
    mac,
    read_keys,
    verdict,
)

_session = botocore.session.get_session()
_dynamodb = _session.create_client("dynamodb")
_secret = _session.create_client("secretsmanager").get_secret_value(SecretId=SECRET)
_keys = read_keys(_secret["SecretString"])


def lambda_handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Answers a request of API Gateway (payload 2.0)."""
    asked = json.loads(event["body"])
    answer = _check(asked["verification_id"], asked["code"])
    headers = {"content-type": "application/json"}
    return {"statusCode": 200, "headers": headers, "body": json.dumps(answer)}


def _check(verification_id: str, code: str) -> dict[str, Any]:
    values = {
        ":mac": {"B": mac(_keys, verification_id, code)},
        ":mark": {"S": secrets.token_hex(8)},
        ":now": {"N": str(time.time())},
        ":one": {"N": "1"},
    }
    try:
        written = _dynamodb.update_item(
            TableName=TABLE,
            Key={"verification_id": {"S": verification_id}},
            UpdateExpression=UPDATE,
            ConditionExpression=CONDITION,
            ExpressionAttributeValues=values,
            ReturnValues="ALL_NEW",
        )
    except _dynamodb.exceptions.ConditionalCheckFailedException:
        return REJECTED
    return verdict(
        {name: next(iter(each.values())) for name, each in written["Attributes"].items()}
    )
