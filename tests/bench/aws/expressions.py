"""Condition and update expressions of DynamoDB, as far as the measured functions use them.

Amazon DynamoDB Developer Guide, "Condition and filter expressions", "Update expressions".
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

Value = dict[str, Any]
"""Attribute value as it travels, such as `{"N": "5"}`."""
Item = dict[str, Value]

_TOKEN = re.compile(r"\s*(<>|<=|>=|[#:]?\w+|[()=<>,+-])")
_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "=": lambda left, right: left == right,
    "<>": lambda left, right: left != right,
    "<": lambda left, right: left < right,
    "<=": lambda left, right: left <= right,
    ">": lambda left, right: left > right,
    ">=": lambda left, right: left >= right,
}


def holds(request: Mapping[str, Any], item: Item | None) -> bool:
    """Whether the condition of a request holds for the stored item; without one it does."""
    text = request.get("ConditionExpression")
    return not text or _Reader(text, request, item or {}).condition()


def updated(request: Mapping[str, Any], item: Item | None) -> Item:
    """The item after the update expression of a request."""
    return _Reader(request["UpdateExpression"], request, item or {}).update()


class _Reader:
    """Reads an expression from left to right, and evaluates what it reads."""

    def __init__(self, text: str, request: Mapping[str, Any], item: Item) -> None:
        self._tokens = _TOKEN.findall(text)
        self._names = request.get("ExpressionAttributeNames", {})
        self._values = request.get("ExpressionAttributeValues", {})
        self._item = item

    def condition(self) -> bool:
        """Terms joined by OR; each is evaluated, because reading it does."""
        met = self._all()
        while self._takes("OR"):
            met = self._all() or met
        return met

    def update(self) -> Item:
        made, operator = dict(self._item), ""
        while self._tokens:
            if self._tokens[0] in {"SET", "REMOVE", "ADD"}:
                operator = self._next()
            name = self._name(self._next())
            if operator == "REMOVE":
                made.pop(name, None)
            elif operator == "ADD":
                made[name] = _sum(self._item.get(name, {"N": "0"}), self._operand(), 1)
            else:
                self._next()  # the equals sign
                made[name] = self._assigned()
            self._takes(",")
        return made

    def _all(self) -> bool:
        met = self._term()
        while self._takes("AND"):
            met = self._term() and met
        return met

    def _term(self) -> bool:
        if self._takes("NOT"):
            return not self._term()
        if self._takes("("):
            met = self.condition()
            self._next()
            return met
        if self._tokens[0] in {"attribute_exists", "attribute_not_exists"}:
            wanted = self._next() == "attribute_exists"
            _, name, _ = self._next(), self._next(), self._next()
            return (self._name(name) in self._item) == wanted
        left, comparison, right = self._operand(), self._next(), self._operand()
        if left is None or right is None:
            return comparison == "<>"
        return _COMPARISONS[comparison](_comparable(left), _comparable(right))

    def _assigned(self) -> Value:
        value = self._operand()
        while self._tokens and self._tokens[0] in {"+", "-"}:
            sign = 1 if self._next() == "+" else -1
            value = _sum(value, self._operand(), sign)
        assert value is not None
        return value

    def _operand(self) -> Value | None:
        token = self._next()
        if token == "if_not_exists":
            _, name, _ = self._next(), self._next(), self._next()
            value = self._operand()
            self._next()
            return self._item.get(self._name(name), value)
        if token.startswith(":"):
            found: Value = self._values[token]
            return found
        return self._item.get(self._name(token))

    def _name(self, token: str) -> str:
        return str(self._names.get(token, token))

    def _takes(self, token: str) -> bool:
        return bool(self._tokens) and self._tokens[0] == token and bool(self._next())

    def _next(self) -> str:
        return str(self._tokens.pop(0))


def _comparable(value: Value) -> tuple[str, Any]:
    """A value that compares with others of its type; none equals one of another type."""
    [(kind, content)] = value.items()
    return kind, float(content) if kind == "N" else content


def _sum(left: Value | None, right: Value | None, sign: int) -> Value:
    assert left is not None
    assert right is not None
    total = float(left["N"]) + sign * float(right["N"])
    return {"N": f"{total:.0f}" if total.is_integer() else repr(total)}
