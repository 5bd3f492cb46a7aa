"""Items of a request, checked by the workflow itself (its door `validate`) before anything starts."""

from collections.abc import Mapping, Sequence
from typing import Any

from functions.core.errors import FieldError, InvalidParameters, NotInBackground
from functions.core.runs.validation import find_problems

Item = Mapping[str, Any]

NO_WORKFLOW = "is no workflow, or none that can run in the background"


def validate(workflow: str, items: Sequence[Item], parameters: Item) -> None:
    """Returns when the workflow takes each item; with no items, when it can run in the background.

    Raises:
        InvalidParameters: pointing at `/workflow`, `/items/3/to` or, where the item has it from there, `/parameters/to`.
        Unavailable
    """
    try:
        problems = find_problems(workflow, items, parameters)
    except NotInBackground:
        raise InvalidParameters(FieldError("/workflow", NO_WORKFLOW)) from None
    wrong = [
        error for each in problems for error in _errors(each, items[each["index"]], parameters)
    ]
    if wrong:
        raise InvalidParameters(*dict.fromkeys(wrong))


def _errors(wrong: Mapping[str, Any], item: Item, parameters: Item) -> list[FieldError]:
    return [
        FieldError(_place(error["pointer"], wrong["index"], item, parameters), error["detail"])
        for error in wrong["errors"]
    ]


def _place(pointer: str, index: int, item: Item, parameters: Item) -> str:
    """Where in the request the value is, or would be."""
    name = pointer[1:].partition("/")[0].replace("~1", "/").replace("~0", "~")
    common = name in parameters and item.get(name) in (None, "")
    return f"/parameters{pointer}" if common else f"/items/{index}{pointer}"
