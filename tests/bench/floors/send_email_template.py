"""The floor of send_email_template: two counters charged, one email sent."""

import hmac
import json
from typing import Any

from .clients import client, dynamodb, read_secret, variable
from .emails import charge, request

_ses = client("sesv2")
_key = read_secret(variable("LIMIT_KEY_SECRET")).encode()


def lambda_handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Answers a request of API Gateway (payload 2.0)."""
    asked = json.loads(event["body"])
    message_id = send(asked["to"], asked["template"], asked["data"])
    answer = {"sent": 1, "failed": 0, "messages": [{"to": "a**", "message_id": message_id}]}
    headers = {"content-type": "application/json"}
    return {"statusCode": 200, "headers": headers, "body": json.dumps(answer)}


def send(to: str, template: str, data: dict[str, Any]) -> str:
    """Sends an email within the limits; returns SES's id of the message."""
    recipient = hmac.digest(_key, to.encode(), "sha256").hex()
    dynamodb.transact_write_items(
        TransactItems=[charge("template-emails", 10_000), charge(f"recipient#{recipient}", 20)]
    )
    text = "\n\n".join(data["paragraphs"])
    sent = _ses.send_email(**request(to, data["subject"], text, template=template))
    return str(sent["MessageId"])
