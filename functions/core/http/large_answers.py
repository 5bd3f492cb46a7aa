"""Large answers to calls with an `Idempotency-Key`: in S3, because a record of DynamoDB has 400 KB.

The record says where. The bucket's lifecycle (template.yaml) deletes them after a day.
"""

import hashlib
import json

from functions.core import aws
from functions.core.aws import s3
from functions.core.errors import ResultTooLarge
from functions.core.http import gateway
from functions.core.observability import logger

MAX_RECORD_BYTES = 300_000
_PLACE = "body_in_s3"


def put_away(reply: gateway.Response, key: str) -> gateway.Response:
    """The answer as the table keeps it: a large one without its body, which goes to S3.

    Where S3 does not take it, the record says so: the work was done, and is not repeated.

    Args:
        reply: the answer.
        key: the idempotency key, scoped to its token and route.
    """
    if len(json.dumps(reply)) <= MAX_RECORD_BYTES:
        return reply
    place = f"answers/{hashlib.sha256(key.encode()).hexdigest()}"
    try:
        s3.write(place, reply["body"].encode())
    except aws.AwsError:
        logger.warning("large answer not kept; it is given all the same", exc_info=True)
        place = ""
    return reply | {"body": "", _PLACE: place}


def complete(kept: gateway.Response) -> gateway.Response:
    """A kept answer with its body.

    Raises:
        ResultTooLarge: its body could not be kept.
        Unavailable
    """
    place = kept.pop(_PLACE, None)
    if place is None:
        return kept
    body = _read(place) if place else None
    if body is None:
        raise ResultTooLarge(
            "The first call with this key succeeded. Its answer was too large to keep, so it "
            "cannot be repeated; a new key does the work again."
        )
    return kept | {"body": body.decode()}


def _read(place: str) -> bytes | None:
    try:
        return s3.read(place)
    except aws.AwsDenied:
        # S3 denies a file that is gone to a role that may not list the bucket.
        return None
