"""verify_check with Powertools, msgspec and PynamoDB as their documents begin with them."""

import secrets
import time
from typing import Any

import msgspec
from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities import parameters
from aws_lambda_powertools.utilities.typing import LambdaContext
from pynamodb.attributes import BinaryAttribute, NumberAttribute, UnicodeAttribute
from pynamodb.exceptions import UpdateError
from pynamodb.models import Model

from .verification import REJECTED, SECRET, TABLE, mac, read_keys, verdict

logger = Logger()
metrics = Metrics()
_keys = read_keys(str(parameters.get_secret(SECRET)))


class VerifyCheck(msgspec.Struct):
    """Parameters."""

    verification_id: str
    code: str


class Verification(Model):
    """Record of a verification."""

    class Meta:
        """PynamoDB's description of the table."""

        table_name = TABLE

    verification_id = UnicodeAttribute(hash_key=True)
    channel = UnicodeAttribute()
    to = UnicodeAttribute()
    purpose = UnicodeAttribute(null=True)
    audience = UnicodeAttribute(null=True)
    code_mac = BinaryAttribute(legacy_encoding=False)
    last_mac = BinaryAttribute(legacy_encoding=False)
    last_check = UnicodeAttribute(null=True)
    checked_at = NumberAttribute(null=True)
    attempts = NumberAttribute()
    max_attempts = NumberAttribute()
    reserved = NumberAttribute(null=True)
    created_at = NumberAttribute()
    expires_at = NumberAttribute()
    delete_at = NumberAttribute()


@logger.inject_lambda_context
@metrics.log_metrics
def lambda_handler(event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
    """Answers a request of API Gateway (payload 2.0)."""
    asked = msgspec.json.decode(event["body"], type=VerifyCheck)
    answer = _check(asked)
    metrics.add_metric(name="CheckValid", unit=MetricUnit.Count, value=int(answer["valid"]))
    logger.info("answered", status=200)
    headers = {"content-type": "application/json"}
    return {"statusCode": 200, "headers": headers, "body": msgspec.json.encode(answer).decode()}


def _check(asked: VerifyCheck) -> dict[str, Any]:
    now, record = time.time(), Verification(asked.verification_id)
    try:
        record.update(
            [
                Verification.last_mac.set(mac(_keys, asked.verification_id, asked.code)),
                Verification.last_check.set(secrets.token_hex(8)),
                Verification.checked_at.set(now),
                Verification.attempts.set(Verification.attempts + 1),
            ],
            (Verification.attempts < Verification.max_attempts)
            & (Verification.expires_at > now)
            & (Verification.last_mac != Verification.code_mac),
        )
    except UpdateError:
        return REJECTED
    return verdict(record.attribute_values)
