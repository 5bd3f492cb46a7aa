"""DynamoDB's operations that the measured functions use, on items in memory."""

from collections.abc import Mapping, Sequence
from typing import Any

from tests.bench.aws.expressions import Item, Value, holds, updated

_FAILED = "ConditionalCheckFailed"


class Refused(Exception):
    """DynamoDB's answer with status 400."""

    def __init__(self, code: str, **about: object) -> None:
        super().__init__(code)
        self.answer: dict[str, Any] = {"__type": f"com.amazonaws.dynamodb.v20120810#{code}"} | about


class Tables:
    """Items of all tables. One request at a time: the caller holds a lock."""

    def __init__(self, keys: Mapping[str, Sequence[str]]) -> None:
        """`keys`: names of the key attributes by table."""
        self._keys = keys
        self._items: dict[tuple[str, str], Item] = {}

    def put(self, table: str, item: Item) -> None:
        """Stores an item."""
        self._items[self._place(table, item)] = item

    def answer(self, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        """Answers an operation. Raises `Refused`."""
        match operation:
            case "GetItem":
                found = self._find(request["TableName"], request["Key"])
                return {"Item": found} if found else {}
            case "BatchGetItem":
                return self._batch(request["RequestItems"])
            case "Query":
                return self._query(request)
            case "UpdateItem" | "PutItem" | "DeleteItem":
                return self._write(operation.removesuffix("Item"), request)
            case "TransactWriteItems":
                return self._transact(request["TransactItems"])
        raise NotImplementedError(f"The stand-in has no {operation}.")

    def _batch(self, tables: Mapping[str, Any]) -> dict[str, Any]:
        answers = {
            table: [item for key in wanted["Keys"] if (item := self._find(table, key))]
            for table, wanted in tables.items()
        }
        return {"Responses": answers, "UnprocessedKeys": {}}

    def _query(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Items of a table with a key, in no order."""
        wanted = dict(request) | {"ConditionExpression": request["KeyConditionExpression"]}
        table = request["TableName"]
        items = [
            item for (name, _), item in self._items.items() if name == table and holds(wanted, item)
        ]
        return {"Items": items, "Count": len(items), "ScannedCount": len(items)}

    def _write(self, kind: str, request: Mapping[str, Any]) -> dict[str, Any]:
        stored = self._find(request["TableName"], _key(request))
        if not holds(request, stored):
            told = stored if request.get("ReturnValuesOnConditionCheckFailure") else None
            about = {"Item": told} if told else {}
            raise Refused(f"{_FAILED}Exception", message="The conditional request failed", **about)
        made = self._apply(kind, request, stored)
        values = {"ALL_NEW": made, "ALL_OLD": stored}.get(request.get("ReturnValues", ""))
        return {"Attributes": values} if values else {}

    def _transact(self, writes: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """Writes all or nothing."""
        parts = [(kind, request) for each in writes for kind, request in each.items()]
        found = [self._find(request["TableName"], _key(request)) for _, request in parts]
        met = [holds(request, item) for (_, request), item in zip(parts, found, strict=True)]
        if not all(met):
            reasons = [{"Code": "None" if each else _FAILED} for each in met]
            raise Refused("TransactionCanceledException", CancellationReasons=reasons)
        for (kind, request), item in zip(parts, found, strict=True):
            self._apply(kind, request, item)
        return {}

    def _apply(self, kind: str, request: Mapping[str, Any], stored: Item | None) -> Item | None:
        table = request["TableName"]
        if kind == "Delete":
            self._items.pop(self._place(table, request["Key"]), None)
            return None
        if kind == "ConditionCheck":
            return stored
        if kind == "Put":
            made: Item = request["Item"]
        else:
            made = dict(request["Key"]) | updated(request, stored)
        self.put(table, made)
        return made

    def _find(self, table: str, key: Mapping[str, Value]) -> Item | None:
        return self._items.get(self._place(table, key))

    def _place(self, table: str, item: Mapping[str, Value]) -> tuple[str, str]:
        return table, repr([item[name] for name in self._keys[table]])


def _key(request: Mapping[str, Any]) -> Mapping[str, Value]:
    """The key of a write, or the item that has it."""
    key: Mapping[str, Value] = request.get("Key") or request["Item"]
    return key
