"""AWS Lambda: calls the function of a workflow. IAM says who may."""

from collections.abc import Mapping
from typing import Any

import msgspec
from botocore.exceptions import ClientError

from functions.core import config
from functions.core.aws import clients
from functions.core.errors import NotFound, Unavailable
from functions.core.observability import logger


@config.settings()
class InvokeSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Where workflows are; read from the environment."""

    workflow_functions: str
    """Function-name prefix, `<stack>-wf-`; the workflow's name follows."""


def invoke(workflow: str, event: Mapping[str, Any], **client: Any) -> dict[str, Any]:  # noqa: ANN401 - of aws.client
    """Calls a workflow with an event and waits for its answer.

    Args:
        workflow: its name.
        event: `{"trigger": …}`.
        client: options of `clients.client`.

    Raises:
        NotFound: there is no such workflow.
        Unavailable: Lambda is, or the workflow crashed or ran out of time.
    """
    function = config.read(InvokeSettings).workflow_functions + workflow
    with clients.unavailable_if_transient("AWS Lambda"):
        try:
            reply = clients.client("lambda", **client).invoke(
                FunctionName=function, Payload=msgspec.json.encode(event)
            )
            content = reply["Payload"].read()
        except ClientError as error:
            if clients.code_of(error) == "ResourceNotFoundException":
                raise NotFound(f"There is no workflow {workflow}.") from None
            raise
    if reply.get("FunctionError"):
        # Its text is not for clients; the function's own log has it.
        logger.error("a workflow crashed", called=workflow)
        raise Unavailable(f"{workflow} did not answer.")
    answer: dict[str, Any] = msgspec.json.decode(content)
    return answer
