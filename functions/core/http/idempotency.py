"""`Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header-07): the first answer is kept for
its repetitions.

Powertools decides and keeps it, in one conditional write before the call and one after. Only calls
with the header import this. What failed is not kept: the same call, repeated, is tried again.
"""

import hashlib
from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from aws_lambda_powertools.utilities.idempotency import (
    DynamoDBPersistenceLayer,
    IdempotencyConfig,
    idempotent_function,
)
from aws_lambda_powertools.utilities.idempotency.exceptions import (
    IdempotencyAlreadyInProgressError,
    IdempotencyInconsistentStateError,
    IdempotencyPersistenceLayerError,
    IdempotencyValidationError,
)

from functions.core import aws, config
from functions.core.auth.caller import Caller
from functions.core.aws import dynamodb
from functions.core.clock import DAY_SECONDS
from functions.core.deadline import remaining_seconds
from functions.core.errors import IdempotencyKeyReused, StillRunning, Unavailable
from functions.core.http import gateway, large_answers
from functions.core.observability import logger
from functions.core.parameters import Parameters, given

ANSWERS_KEPT_SECONDS = DAY_SECONDS


@config.settings()
class IdempotencySettings(msgspec.Struct, frozen=True, kw_only=True):
    """Table of kept answers; read from the environment."""

    idempotency_table: str


def once(
    event: gateway.Request,
    caller: Caller,
    answer: Callable[[], gateway.Response],
    body: type[Parameters],
) -> gateway.Response:
    """Answers a request with the header, or repeats the first answer to its key.

    A key counts within one token and one route.

    Args:
        event: API Gateway's.
        caller: whose key it is.
        answer: makes the answer; what it raises is not kept.
        body: the type of the parameters, which says what counts as absent.

    Raises:
        InvalidIdempotencyKey: the header holds no key.
        IdempotencyKeyReused: the key was used with other parameters.
        StillRunning: the first call with this key has not been answered yet.
        ResultTooLarge: the first answer was too large to keep.
        Unavailable: when the table is, or S3 for a large answer.
        AwsError: when DynamoDB refuses the request, such as without a permission.
    """
    key = gateway.idempotency_key(event, caller.token_id)
    parameters = {
        "path": event.get("pathParameters") or {},
        "body": _without_nulls(given(body, gateway.read_body(event))),
        "prefer": gateway.prefers(event, "respond-async"),
    }
    made: list[gateway.Response] = []

    @idempotent_function(  # type: ignore[untyped-decorator] # Powertools gives it no types
        data_keyword_argument="call",
        persistence_store=_store(),
        config=_config(),
        key_prefix="http",
    )
    def keep(call: Mapping[str, Any]) -> gateway.Response:  # noqa: ARG001 - by which Powertools knows it
        made.append(answer())
        return large_answers.put_away(made[0], key)

    try:
        # A digest of our own: Powertools' recurses into whatever clients nest.
        digest = hashlib.sha256(msgspec.json.encode(parameters, order="deterministic")).hexdigest()
        kept: gateway.Response = keep(call={"key": key, "parameters": digest})
        if made:
            return made[0]
    except IdempotencyValidationError:
        raise IdempotencyKeyReused(
            "The idempotency key was used with other parameters; use a new key."
        ) from None
    except (IdempotencyAlreadyInProgressError, IdempotencyInconsistentStateError):
        raise StillRunning(
            "The first call with this idempotency key has not ended yet.", retry_after=1
        ) from None
    except IdempotencyPersistenceLayerError as error:
        if made:
            logger.warning("answer not kept; it is given all the same", exc_info=True)
            return made[0]
        if not isinstance(error.__cause__, Exception):
            raise Unavailable("The database is not available right now.") from error
        with dynamodb.unavailable_if_transient():
            raise error.__cause__ from None
    again = large_answers.complete(kept)
    again["headers"]["x-request-id"] = gateway.request_id_of(event)
    return again


def _without_nulls(parameters: dict[str, Any]) -> dict[str, Any]:
    """Drops the null members of all objects: null and absent are the same request.

    Without recursion, because clients nest as deep as they like.
    """
    left: list[Any] = [parameters]
    while left:
        each = left.pop()
        if isinstance(each, dict):
            for name in [name for name, value in each.items() if value is None]:
                del each[name]
            left.extend(each.values())
        elif isinstance(each, list):
            left.extend(each)
    return parameters


@config.cached
def _store() -> DynamoDBPersistenceLayer:
    table = config.read(IdempotencySettings).idempotency_table
    return DynamoDBPersistenceLayer(
        table_name=table,
        key_attr="call",
        expiry_attr="delete_at",
        boto3_client=aws.client("dynamodb"),
    )


def _config() -> IdempotencyConfig:
    return IdempotencyConfig(
        event_key_jmespath="key",
        payload_validation_jmespath="parameters",
        expires_after_seconds=ANSWERS_KEPT_SECONDS,
        hash_function="sha256",
        lambda_context=_Remaining(),  # type: ignore[arg-type] # all that Powertools asks of it
    )


class _Remaining:
    """Time for which a call that crashed blocks its repetition."""

    def get_remaining_time_in_millis(self) -> int:
        return int(min(remaining_seconds(), DAY_SECONDS) * 1000)
