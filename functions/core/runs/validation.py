"""Validates the parameters of items by the workflow itself, before a run or a schedule over them
starts.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from functions.core.aws.lambda_functions import invoke
from functions.core.errors import NotInBackground, Unavailable

_ANSWER_SECONDS = 18
"""The trigger `validate` works for 10 s at most, after a cold start."""


def find_problems(
    workflow: str, items: Sequence[Mapping[str, Any]], parameters: Mapping[str, Any] | None = None
) -> list[dict[str, Any]]:
    """Problems of the items' parameters, as `{"index", "errors": [{"pointer", "detail"}]}`.

    Args:
        workflow: its name.
        items: parameters of each call; with none, only its ability to run in the background is
            checked.
        parameters: common to all items; an item's own value wins.

    Raises:
        NotFound: there is no such workflow.
        NotInBackground: it can only be called now.
        Unavailable
    """
    event = {"trigger": "validate", "items": items, "parameters": parameters or {}}
    answer = invoke(workflow, event, attempts=1, answer_seconds=_ANSWER_SECONDS)
    problem = answer.get("problem")
    if problem and problem["code"] == "not_in_background":
        raise NotInBackground(problem["detail"])
    if problem or "problems" not in answer:
        raise Unavailable(f"{workflow} could not validate the parameters.")
    found: list[dict[str, Any]] = answer["problems"]
    return found
