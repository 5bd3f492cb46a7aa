"""Where a stack's functions log to."""

from typing import Any

from infra.logs.line import Source, source_of

Client = Any
"""boto3's; made at run time."""


def local_sources(client: Client, stack: str) -> list[Source]:
    """Of all functions of the emulator, by its client of Lambda: also of one that was added by hand."""
    pages = client.get_paginator("list_functions").paginate()
    functions = [function for page in pages for function in page["Functions"]]
    groups = [
        (each.get("LoggingConfig") or {}).get("LogGroup") or f"/aws/lambda/{each['FunctionName']}"
        for each in functions
    ]
    return [source_of(group, stack) for group in groups]


def deployed_sources(client: Client, stack: str) -> list[Source]:
    """All log groups of a stack, by a client of CloudFormation: its functions' and the API's access log."""
    pages = client.get_paginator("list_stack_resources").paginate(StackName=stack)
    rows = [row for page in pages for row in page["StackResourceSummaries"]]
    groups = [
        row["PhysicalResourceId"] for row in rows if row["ResourceType"] == "AWS::Logs::LogGroup"
    ]
    return [source_of(group, stack) for group in groups]
