"""Calls a workflow's Lambda (IAM says who may), for its result or to ask whether parameters are valid."""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import msgspec
from botocore.exceptions import ClientError

from functions.core import aws
from functions.core.errors import NotFound, NotInBackground, Unavailable
from functions.core.log import logger
from functions.core.settings import read_settings

_VALIDATION_SECONDS = 18
"""The door `validate` works for 10 s at most, after a cold start."""


class InvokeSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Where workflows are; read from the environment."""

    workflow_functions: str
    """With what the names of their functions begin; the workflow's name follows."""


@cache
def settings() -> InvokeSettings:
    """Raises `SettingsError` with a sentence for each wrong variable."""
    return read_settings(InvokeSettings)


def invoke(workflow: str, event: Mapping[str, Any], **client: Any) -> dict[str, Any]:  # noqa: ANN401 - of aws.client
    """What a workflow answers at one of its doors.

    Args:
        workflow: its name.
        event: `{"door": …}`.
        client: options of `aws.client`.

    Raises:
        NotFound: there is no such workflow.
        Unavailable: Lambda is, or the workflow crashed or ran out of time.
    """
    function = settings().workflow_functions + workflow
    with aws.unavailable_when_passing("AWS Lambda"):
        try:
            reply = aws.client("lambda", **client).invoke(FunctionName=function, Payload=msgspec.json.encode(event))
            content = reply["Payload"].read()
        except ClientError as error:
            if aws.code_of(error) == "ResourceNotFoundException":
                raise NotFound(f"There is no workflow {workflow}.") from None
            raise
    if reply.get("FunctionError"):
        # Its text is not for clients; the function's own log has it.
        logger.error("a workflow crashed", called=workflow)
        raise Unavailable(f"{workflow} did not answer.")
    answer: dict[str, Any] = msgspec.json.decode(content)
    return answer


def find_problems(
    workflow: str, items: Sequence[Mapping[str, Any]], parameters: Mapping[str, Any] | None = None
) -> list[dict[str, Any]]:
    """What is wrong with the parameters of some calls, by the workflow itself: `{"index", "errors": [{"pointer", "detail"}]}`.

    Args:
        workflow: its name.
        items: parameters of each call; with none, it is only asked whether it can run in the background.
        parameters: common to all, for what an item does not say itself.

    Raises:
        NotFound: there is no such workflow.
        NotInBackground: it can only be called now.
        Unavailable
    """
    event = {"door": "validate", "items": items, "parameters": parameters or {}}
    answer = invoke(workflow, event, attempts=1, answer_seconds=_VALIDATION_SECONDS)
    problem = answer.get("problem")
    if problem and problem["code"] == "not_in_background":
        raise NotInBackground(problem["detail"])
    if problem or "problems" not in answer:
        raise Unavailable(f"{workflow} could not check the parameters.")
    found: list[dict[str, Any]] = answer["problems"]
    return found
