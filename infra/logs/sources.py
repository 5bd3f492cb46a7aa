"""Log groups of a stack's functions."""

from typing import Any

from infra import stack_target
from infra.logs.line import Source, source_of

Client = Any
"""A boto3 client; its type is made at run time."""


def stack_sources(env: str) -> list[Source]:
    """Log groups of an environment's stack."""
    import boto3  # noqa: PLC0415 - make run reads the emulator's groups only

    name = stack_target.stack_name(env)
    if env == "local":
        return local_sources(boto3.client("lambda"), name)
    return deployed_sources(boto3.client("cloudformation"), name)


def local_sources(client: Client, stack: str) -> list[Source]:
    """Log groups of all functions in the emulator, also of those that were added by hand.

    Args:
        client: of Lambda.
        stack: the name that prefixes the functions' names.
    """
    pages = client.get_paginator("list_functions").paginate()
    functions = [function for page in pages for function in page["Functions"]]
    groups = [
        (each.get("LoggingConfig") or {}).get("LogGroup") or f"/aws/lambda/{each['FunctionName']}"
        for each in functions
    ]
    return [source_of(group, stack) for group in groups]


def deployed_sources(client: Client, stack: str) -> list[Source]:
    """All log groups of a deployed stack: its functions' and the API's access log.

    Args:
        client: of CloudFormation.
        stack: its name.
    """
    pages = client.get_paginator("list_stack_resources").paginate(StackName=stack)
    rows = [row for page in pages for row in page["StackResourceSummaries"]]
    groups = [
        row["PhysicalResourceId"] for row in rows if row["ResourceType"] == "AWS::Logs::LogGroup"
    ]
    return [source_of(group, stack) for group in groups]
