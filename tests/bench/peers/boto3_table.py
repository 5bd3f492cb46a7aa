"""The check with a table of boto3's resources, which the peers with boto3 share."""

import secrets
import time
from decimal import Decimal
from typing import Any

import boto3

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

_table = boto3.resource("dynamodb").Table(TABLE)
_secret = boto3.client("secretsmanager").get_secret_value(SecretId=SECRET)
_keys = read_keys(_secret["SecretString"])


def check(verification_id: str, code: str) -> dict[str, Any]:
    """Decides a check with one conditional write."""
    values = {
        ":mac": mac(_keys, verification_id, code),
        ":mark": secrets.token_hex(8),
        ":now": Decimal(str(time.time())),
        ":one": 1,
    }
    try:
        written = _table.update_item(
            Key={"verification_id": verification_id},
            UpdateExpression=UPDATE,
            ConditionExpression=CONDITION,
            ExpressionAttributeValues=values,
            ReturnValues="ALL_NEW",
        )
    except _table.meta.client.exceptions.ConditionalCheckFailedException:
        return REJECTED
    return verdict(written["Attributes"])
