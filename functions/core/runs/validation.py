"""Validates the parameters of items by the workflow itself, before a run or a schedule over them
starts.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from functions.core.aws.lambda_functions import invoke
from functions.core.errors import NotInBackground, Unavailable

SECONDS = 10.0
"""Time for the validation of a list, which leaves some to start it: a request has 25 s."""
_ANSWER_SECONDS = 18
"""Time for an answer of the trigger `validate`, which works for 10 s at most."""


class Findings(msgspec.Struct, frozen=True):
    """What the validation of items found."""

    problems: list[dict[str, Any]]
    """`{"index", "errors": [{"pointer", "detail"}]}` of the first 20 items that are wrong."""
    checked: int
    """Items that were validated in time, from the first one on."""
    invalid: int
    """Those of them that are wrong."""


def find_problems(
    workflow: str, items: Sequence[Mapping[str, Any]], parameters: Mapping[str, Any] | None = None
) -> list[dict[str, Any]]:
    """Problems of the items' parameters, as in `Findings`. Arguments and errors: `check_items`."""
    return check_items(workflow, items, parameters).problems


def check_items(
    workflow: str,
    items: Sequence[Mapping[str, Any]],
    parameters: Mapping[str, Any] | None = None,
    *,
    lenient: bool = False,
    seconds: float = SECONDS,
) -> Findings:
    """Validates items, nothing of which runs.

    Args:
        workflow: its name.
        items: parameters of each call; with none, only its ability to run in the background is
            checked.
        parameters: common to all items; an item's own value wins.
        lenient: whether texts are converted to the parameters' types, as for CSV cells.
        seconds: time for it, at most 10.

    Raises:
        NotFound: there is no such workflow.
        NotInBackground: it can only be called now.
        Unavailable
    """
    event = {
        "trigger": "validate",
        "items": items,
        "parameters": parameters or {},
        "lenient": lenient,
        "seconds": seconds,
    }
    answer = invoke(workflow, event, attempts=1, answer_seconds=_ANSWER_SECONDS)
    problem = answer.get("problem")
    if problem and problem["code"] == "not_in_background":
        raise NotInBackground(problem["detail"])
    if problem or "problems" not in answer:
        raise Unavailable(f"{workflow} could not validate the parameters.")
    # An earlier release counts nothing, while a deployment replaces the workflows one by one.
    found = answer["problems"]
    return Findings(found, answer.get("checked", len(items)), answer.get("invalid", len(found)))
