"""Validates a request's items by the workflow itself (trigger `validate`) before a run starts."""

from collections.abc import Mapping, Sequence
from typing import Any

from functions.core.errors import FieldError, InvalidParameters, NotInBackground
from functions.core.runs.validation import find_problems

Item = Mapping[str, Any]

NOT_A_BACKGROUND_WORKFLOW = "is not a workflow that can run in the background"


def validate(workflow: str, items: Sequence[Item], parameters: Item) -> None:
    """Refuses items that the workflow does not accept, and a workflow with no background.

    Raises:
        InvalidParameters: points at `/workflow`, at `/items/3/to`, or at `/parameters/to` for a
            value that the item takes from the common parameters.
        Unavailable
    """
    try:
        problems = find_problems(workflow, items, parameters)
    except NotInBackground:
        raise InvalidParameters(FieldError("/workflow", NOT_A_BACKGROUND_WORKFLOW)) from None
    errors = [
        error for each in problems for error in _errors(each, items[each["index"]], parameters)
    ]
    if errors:
        raise InvalidParameters(*dict.fromkeys(errors))


def _errors(problem: Mapping[str, Any], item: Item, parameters: Item) -> list[FieldError]:
    return [
        FieldError(_pointer(error["pointer"], problem["index"], item, parameters), error["detail"])
        for error in problem["errors"]
    ]


def _pointer(pointer: str, index: int, item: Item, parameters: Item) -> str:
    """Pointer to the value's place in the request, or to the place where it is missing."""
    name = pointer[1:].partition("/")[0].replace("~1", "/").replace("~0", "~")
    common = name in parameters and item.get(name) in (None, "")
    return f"/parameters{pointer}" if common else f"/items/{index}{pointer}"
