"""DynamoDB through PynamoDB: the base of all records, and its errors as this project's."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, Self

from botocore.exceptions import BotoCoreError, ClientError
from pynamodb.connection import Connection, TableConnection
from pynamodb.connection.base import MetaTable
from pynamodb.constants import (
    ATTRIBUTES,
    BATCH_GET_ITEM,
    NONE,
    UPDATE_ITEM,
)
from pynamodb.exceptions import PynamoDBException, VerboseClientError
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action
from pynamodb.models import Model

from functions.core import config
from functions.core.aws import clients, direct
from functions.core.aws.environment import AwsEnvironment
from functions.core.errors import Unavailable


class _DirectClient:
    """All that PynamoDB uses of botocore's client."""

    def _make_api_call(self, operation: str, parameters: dict[str, Any]) -> dict[str, Any]:
        return direct.ask("dynamodb", operation, parameters)


class _Connection(Connection):
    """PynamoDB's connection, which sends its requests directly where that is possible.

    PynamoDB would make a session and a client per table.
    """

    @property
    def client(self) -> Any:  # noqa: ANN401 - a botocore client, or the method that PynamoDB calls
        if config.read(AwsEnvironment).usual:
            return _DirectClient()
        return clients.client("dynamodb")

    def add_meta_table(self, meta_table: MetaTable) -> None:
        with suppress(ValueError):  # another model of the same table has added it
            super().add_meta_table(meta_table)


@config.cached(lasting=True)
def connection() -> Connection:
    """The one connection of all tables, also for transactions."""
    return _Connection()


class Table(Model):
    """Base of all records."""

    @classmethod
    def _get_connection(cls) -> TableConnection:
        table = super()._get_connection()
        if table.connection is not connection():
            connection().add_meta_table(table.get_meta_table())
            table.connection = connection()
        return table

    @classmethod
    def meta_table(cls) -> MetaTable:
        """Name and keys of the table."""
        return cls._get_connection().get_meta_table()

    @classmethod
    def update_if(
        cls,
        key: str,
        actions: Sequence[Action],
        condition: Condition | None,
        *,
        range_key: int | None = None,
    ) -> tuple[bool, Self | None]:
        """Makes one UpdateItem; says whether the condition held, and what is stored now.

        The stored item is null where there is none.

        `Model.update` cannot return the item on which a condition failed (PynamoDB issue 1219; pull
        requests 1263 and 1304 would add it).
        """
        write = cls._get_connection().get_operation_kwargs(
            key,
            None if range_key is None else str(range_key),
            actions=actions,
            condition=condition,
            return_values="ALL_NEW",
            return_consumed_capacity=NONE,
            return_values_on_condition_failure="ALL_OLD",
        )
        with unavailable_if_transient():
            try:
                return True, cls.from_raw_data(
                    connection().dispatch(UPDATE_ITEM, write)[ATTRIBUTES]
                )
            except ClientError as error:
                if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
                    raise
                answer = _botocore_error(error)
                stored = answer.response.get("Item") if isinstance(answer, ClientError) else None
                return False, cls.from_raw_data(stored) if stored else None


Key = tuple[type[Table], str]
"""A model and the hash key of one of its items."""


def read(keys: Sequence[Key]) -> dict[Key, Any]:
    """Items of any tables in one BatchGetItem, consistently; without those that do not exist.

    TransactGetItems would fail while a transaction writes one of the items.
    """
    requests: dict[str, dict[str, Any]] = {}
    for model, key in keys:
        wanted = requests.setdefault(model.Meta.table_name, {"Keys": [], "ConsistentRead": True})
        wanted["Keys"].append(model.meta_table().get_identifier_map(key)["Key"])
    with unavailable_if_transient():
        answer = connection().dispatch(BATCH_GET_ITEM, {"RequestItems": requests})
    if answer.get("UnprocessedKeys"):
        raise Unavailable("The database is not available right now.", retry_after=1)
    found: dict[Key, Any] = {}
    for model in {model for model, _ in keys}:
        for raw in answer["Responses"].get(model.Meta.table_name, []):
            found[model, raw[model.meta_table().hash_keyname]["S"]] = model.from_raw_data(raw)
    return found


@contextmanager
def unavailable_if_transient() -> Iterator[None]:
    """Raises `AwsUnavailable` where DynamoDB is throttled, failing or out of reach.

    Other errors of PynamoDB go on as they are; those of botocore become `AwsError`.
    """
    try:
        yield
    except (PynamoDBException, ClientError, BotoCoreError) as error:
        cause = _botocore_error(error)
        if cause is None:
            raise
        from functions.core.aws.errors import translate  # noqa: PLC0415 - no cold start pays for errors

        ours = translate(cause, "The database")
        if isinstance(error, PynamoDBException) and not ours.transient:
            raise
        raise ours from error


def _botocore_error(error: Exception) -> Exception | None:
    """The error that botocore raised; null where PynamoDB raised its own.

    PynamoDB wraps it once or twice. On the way it drops the HTTP status, and the item on which a
    condition failed (PynamoDB issue 1219).
    """
    cause = error.cause if isinstance(error, PynamoDBException) else error
    if isinstance(cause, VerboseClientError):
        return cause.__cause__ if isinstance(cause.__cause__, Exception) else cause
    return cause if isinstance(cause, ClientError | BotoCoreError) else None


def connect() -> None:
    """Opens a connection, for init."""
    direct.connect("dynamodb")
