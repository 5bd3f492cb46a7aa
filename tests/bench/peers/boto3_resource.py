"""verify_check with boto3's resources, as most functions are written."""

import json
from typing import Any

from .boto3_table import check


def lambda_handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Answers a request of API Gateway (payload 2.0)."""
    asked = json.loads(event["body"])
    answer = check(asked["verification_id"], asked["code"])
    headers = {"content-type": "application/json"}
    return {"statusCode": 200, "headers": headers, "body": json.dumps(answer)}
