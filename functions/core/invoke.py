"""Calls a workflow's Lambda (IAM lets the platform do that): so far to ask whether parameters are valid."""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import msgspec
from botocore.exceptions import ClientError

from functions.core import aws
from functions.core.errors import NotFound, NotInBackground, Unavailable
from functions.core.settings import read_settings


class InvokeSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Where workflows are; read from the environment."""

    workflow_functions: str
    """With what the names of their functions begin; the workflow's name follows."""


@cache
def settings() -> InvokeSettings:
    """Raises `SettingsError` with a sentence for each wrong variable."""
    return read_settings(InvokeSettings)


def find_problems(workflow: str, items: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """What is wrong with the parameters of some calls, by the workflow itself: `{"index", "errors": [{"pointer", "detail"}]}`.

    Raises:
        NotFound: there is no such workflow.
        NotInBackground: it can only be called now.
        Unavailable
    """
    answer = _invoke(workflow, {"door": "validate", "items": items})
    problem = answer.get("problem")
    if problem and problem["code"] == "not_in_background":
        raise NotInBackground(problem["detail"])
    if problem or "problems" not in answer:
        raise Unavailable(f"{workflow} could not check the parameters.")
    found: list[dict[str, Any]] = answer["problems"]
    return found


def _invoke(workflow: str, event: Mapping[str, Any]) -> dict[str, Any]:
    function = settings().workflow_functions + workflow
    with aws.unavailable_when_passing("AWS Lambda"):
        try:
            answer = aws.client("lambda").invoke(FunctionName=function, Payload=msgspec.json.encode(event))
            content: dict[str, Any] = msgspec.json.decode(answer["Payload"].read())
        except ClientError as error:
            if aws.code_of(error) == "ResourceNotFoundException":
                raise NotFound(f"There is no workflow {workflow}.") from None
            raise
    # A function that crashed answers with its error, whose text is not for clients.
    return {} if answer.get("FunctionError") else content
