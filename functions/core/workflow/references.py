"""References to other workflows, whose code type checkers read and no function imports.

    if TYPE_CHECKING:
        from functions.workflows.send_receipt.handler import SendReceipt, send_receipt
    else:
        send_receipt, SendReceipt = other_workflow("send_receipt")

    receipt = call(send_receipt, SendReceipt(to="ana@example.com", amount="12.00"))
    receipt.message_id

A type checker finds a wrong field of `SendReceipt`, and a wrong use of the result. While the code
runs, `send_receipt` is a name, `SendReceipt` makes a dictionary, and the result is one whose fields
are attributes, too.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any


class OtherWorkflow(str):
    """Name of another workflow, in place of its function."""

    __slots__ = ()


def other_workflow(name: str) -> tuple[OtherWorkflow, type[dict[str, Any]]]:
    """What stands in for a workflow's function and for its parameters' type at run time."""
    return OtherWorkflow(name), dict


class TypedResult(dict[str, Any]):
    """A JSON object whose members are attributes, too. A member goes before a dictionary's method
    of the same name.
    """

    def __getattribute__(self, name: str) -> Any:  # noqa: ANN401 - JSON
        """The member, or what a dictionary has."""
        return self[name] if name in self else super().__getattribute__(name)


def typed_result(result: dict[str, Any], times: Iterable[list[str | int]]) -> TypedResult:
    """A result as its type has it.

    Args:
        result: JSON.
        times: paths to its texts that are times.
    """
    for path in times:
        parent: Any = result
        for step in path[:-1]:
            parent = parent[step]
        parent[path[-1]] = datetime.fromisoformat(parent[path[-1]])
    return TypedResult({name: _typed(value) for name, value in result.items()})


def _typed(value: Any) -> Any:  # noqa: ANN401 - JSON
    if isinstance(value, dict):
        return TypedResult({name: _typed(each) for name, each in value.items()})
    return [_typed(each) for each in value] if isinstance(value, list) else value
