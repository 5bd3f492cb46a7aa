"""Items of a request, checked by the workflow itself (its door `validate`) before anything starts."""

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import msgspec

from functions.core import aws
from functions.core.errors import FieldError, InvalidParameters, Unavailable
from functions.core.log import logger
from functions.core.runs.validate import InvalidItem, Validated
from functions.core.settings import read_settings

Item = Mapping[str, Any]

_FOLDER = Path(__file__).parents[2] / "workflows"
NO_WORKFLOW = "is no workflow, or none that can run in the background"


class ValidationSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How the stack's workflows are called; read from the environment."""

    workflow_functions: str
    """What the names of their functions begin with."""


@cache
def settings() -> ValidationSettings:
    """Raises `SettingsError` with a sentence for each wrong variable."""
    return read_settings(ValidationSettings)


@cache
def workflows() -> frozenset[str]:
    """Names of the stack's workflows: the folders that ship, so that a new one edits nothing here."""
    return frozenset(path.parent.name for path in _FOLDER.glob("*/handler.py"))


def validate(workflow: str, items: Sequence[Item], parameters: Item) -> None:
    """Returns when the workflow takes each item; with no items, when it can run in the background.

    Raises:
        InvalidParameters: pointing at `/workflow`, `/items/3/to` or, where the item has it from there, `/parameters/to`.
        Unavailable
    """
    answer = _ask(workflow, {"door": "validate", "items": items, "parameters": parameters})
    if answer.problem and answer.problem.code == "not_in_background":
        raise InvalidParameters(FieldError("/workflow", NO_WORKFLOW))
    if answer.problem:
        raise Unavailable("The items could not be validated right now.")
    wrong = [error for each in answer.problems for error in _errors(each, items[each.index], parameters)]
    if wrong:
        raise InvalidParameters(*dict.fromkeys(wrong))


def _ask(workflow: str, event: Mapping[str, Any]) -> Validated:
    with aws.unavailable_when_passing("The workflow"):
        reply = aws.client("lambda").invoke(
            FunctionName=f"{settings().workflow_functions}{workflow}", Payload=msgspec.json.encode(event)
        )
        content = reply["Payload"].read()
    if "FunctionError" in reply:
        logger.error("validation crashed", workflow=workflow)
        raise Unavailable("The items could not be validated right now.")
    return msgspec.json.decode(content, type=Validated)


def _errors(wrong: InvalidItem, item: Item, parameters: Item) -> list[FieldError]:
    return [FieldError(_place(error.pointer, wrong.index, item, parameters), error.detail) for error in wrong.errors]


def _place(pointer: str, index: int, item: Item, parameters: Item) -> str:
    """Where in the request the value is, or would be."""
    name = pointer[1:].partition("/")[0].replace("~1", "/").replace("~0", "~")
    common = name in parameters and item.get(name) in (None, "")
    return f"/parameters{pointer}" if common else f"/items/{index}{pointer}"
