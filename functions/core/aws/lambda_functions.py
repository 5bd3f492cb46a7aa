"""AWS Lambda: calls the function of a workflow. IAM says who may."""

from collections.abc import Mapping
from typing import Any, Unpack

import msgspec

from functions.core import aws, config
from functions.core.aws.clients import translated_errors
from functions.core.aws.timeouts import ClientOptions
from functions.core.errors import NotFound, Unavailable
from functions.core.observability import logger


@config.settings()
class InvokeSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Settings of calls; read from the environment."""

    workflow_functions: str
    """Function-name prefix, `<stack>-wf-`; the workflow's name follows."""


def invoke(
    workflow: str, event: Mapping[str, Any], **options: Unpack[ClientOptions]
) -> dict[str, Any]:
    """Calls a workflow with an event and waits for its answer.

    Args:
        workflow: its name.
        event: `{"trigger": …}`.
        options: of the client.

    Raises:
        NotFound: there is no such workflow.
        Unavailable: Lambda is, or the workflow crashed or ran out of time.
    """
    function = config.read(InvokeSettings).workflow_functions + workflow
    try:
        reply = aws.client("lambda", **options).invoke(
            FunctionName=function, Payload=msgspec.json.encode(event)
        )
    except aws.AwsNotFound:
        raise NotFound(f"There is no workflow {workflow}.") from None
    with translated_errors("AWS Lambda"):
        content = reply["Payload"].read()
    if reply.get("FunctionError"):
        # Its text is not for clients; the function's own log has it.
        logger.error("a workflow crashed", called=workflow)
        raise Unavailable(f"{workflow} did not answer.")
    answer: dict[str, Any] = msgspec.json.decode(content)
    return answer
