"""`make delete`: removes a deployed stack with what is in it, once its name was typed."""

import argparse
import sys
from collections.abc import Mapping
from typing import Any, NamedTuple

import boto3
from botocore.exceptions import BotoCoreError, ClientError, WaiterError
from samtranslator.yaml_helper import yaml_parse

from infra import target
from infra.preflight import stack_status
from infra.samconfig import Environment, read_environment

_TRIES = 3
"""A run that is under way may write into a bucket between its emptying and its deletion."""
_WAIT = {"Delay": 3, "MaxAttempts": 1200}
"""Seconds, and how often: an hour, which KMS keys and event source mappings do not need."""


class NotDeleted(Exception):
    """Why the stack is still there, and what to do about it."""


class Stack(NamedTuple):
    """A deployed stack as CloudFormation describes it."""

    arn: str
    name: str
    resources: Mapping[str, list[str]]
    """Names of those that are deleted with it, by type; what is retained is none of them."""


def main() -> int:
    """Asks and deletes; 1 with a sentence when the stack stays."""
    parser = argparse.ArgumentParser(prog="infra.delete", description=__doc__)
    parser.add_argument("--env", required=True, help="an environment of samconfig.toml")
    try:
        environment = read_environment(parser.parse_args().env)
        target.enter(environment)
        _delete(environment)
    except (NotDeleted, ValueError, BotoCoreError, ClientError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def _delete(environment: Environment) -> None:
    name = environment.stack
    if stack_status(name) is None:
        raise NotDeleted(f"There is no stack {name}.")
    stack = _read(name)
    _refuse_protected(stack)
    print(_announced(stack), flush=True)
    if _typed("Type the stack's name to delete it: ") != name:
        raise NotDeleted("That is not its name. Nothing was deleted.")
    _remove(stack)
    print(f"{name} is deleted.")
    print(_left(stack), end="")


def _read(name: str) -> Stack:
    cloudformation = boto3.client("cloudformation")
    arn = cloudformation.describe_stacks(StackName=name)["Stacks"][0]["StackId"]
    retained = _retained(cloudformation.get_template(StackName=name, TemplateStage="Processed")["TemplateBody"])
    resources: dict[str, list[str]] = {}
    for page in cloudformation.get_paginator("list_stack_resources").paginate(StackName=name):
        for row in page["StackResourceSummaries"]:
            if row["LogicalResourceId"] not in retained and row["ResourceStatus"] != "DELETE_COMPLETE":
                resources.setdefault(row["ResourceType"], []).append(row.get("PhysicalResourceId", ""))
    return Stack(arn, name, resources)


def _retained(template: str | Mapping[str, Any]) -> set[str]:
    """Logical ids of what CloudFormation leaves where it is; botocore has read a template of JSON already."""
    declared = (yaml_parse(template) if isinstance(template, str) else template)["Resources"]
    return {name for name, about in declared.items() if about.get("DeletionPolicy", "Delete") != "Delete"}


def _refuse_protected(stack: Stack) -> None:
    """Before anything is emptied."""
    about = boto3.client("cloudformation").describe_stacks(StackName=stack.arn)["Stacks"][0]
    off = [
        f"aws dynamodb update-table --no-deletion-protection-enabled --table-name {table}"
        for table in _protected(stack)
    ]
    if about.get("EnableTerminationProtection"):
        off.append(
            f"aws cloudformation update-termination-protection --no-enable-termination-protection --stack-name {stack.name}"
        )
    if off:
        commands = "".join(f"\n  {command}" for command in off)
        raise NotDeleted(f"{stack.name} is protected from deletion. To delete it all the same, first:{commands}")


def _protected(stack: Stack) -> list[str]:
    dynamodb = boto3.client("dynamodb")
    tables = stack.resources.get("AWS::DynamoDB::Table", [])
    return [
        each for each in tables if dynamodb.describe_table(TableName=each)["Table"].get("DeletionProtectionEnabled")
    ]


def _announced(stack: Stack) -> str:
    account, region = boto3.client("sts").get_caller_identity()["Account"], boto3.session.Session().region_name
    lost = {"tables": "AWS::DynamoDB::Table", "buckets": "AWS::S3::Bucket", "secrets": "AWS::SecretsManager::Secret"}
    names = "".join(f"\n  {kind}: {', '.join(sorted(stack.resources.get(type_, [])))}" for kind, type_ in lost.items())
    return f"This deletes {stack.name} in account {account}, region {region}, for good, with all that is in its{names}"


def _typed(asked: str) -> str:
    try:
        return input(asked).strip()
    except EOFError:
        return ""


def _remove(stack: Stack) -> None:
    cloudformation = boto3.client("cloudformation")
    for _ in range(_TRIES):
        for bucket in stack.resources.get("AWS::S3::Bucket", []):
            empty(bucket)
        print("deleting the stack", flush=True)
        cloudformation.delete_stack(StackName=stack.arn)
        try:
            cloudformation.get_waiter("stack_delete_complete").wait(StackName=stack.arn, WaiterConfig=_WAIT)
        except WaiterError:
            continue
        return
    raise NotDeleted(f"{stack.name} could not be deleted. {_reasons(stack)}")


def empty(bucket: str) -> None:
    """Deletes every version of every object; does nothing where the bucket is gone."""
    s3 = boto3.client("s3")
    try:
        for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket):
            rows = page.get("Versions", []) + page.get("DeleteMarkers", [])
            if rows:
                _delete_versions(s3, bucket, [{"Key": row["Key"], "VersionId": row["VersionId"]} for row in rows])
    except s3.exceptions.NoSuchBucket:
        return


def _delete_versions(s3: Any, bucket: str, rows: list[dict[str, str]]) -> None:  # noqa: ANN401 - boto3's client
    refused = s3.delete_objects(Bucket=bucket, Delete={"Objects": rows, "Quiet": True}).get("Errors", [])
    if refused:
        raise NotDeleted(f"{bucket} could not be emptied: {refused[0]['Key']}: {refused[0]['Message']}")


def _reasons(stack: Stack) -> str:
    events = boto3.client("cloudformation").describe_stack_events(StackName=stack.arn)["StackEvents"]
    failed = {each["LogicalResourceId"]: each for each in events if each["ResourceStatus"] == "DELETE_FAILED"}
    return " ".join(
        f"{name}: {each.get('ResourceStatusReason', 'no reason is given')}" for name, each in failed.items()
    )


def _left(stack: Stack) -> str:
    """What is none of the stack's, or retained by its template, and would be in the way of a new stack of the same name."""
    pages = boto3.client("cloudformation").get_paginator("list_stack_resources").paginate(StackName=stack.arn)
    rows = [row for page in pages for row in page["StackResourceSummaries"]]
    kept = [row["PhysicalResourceId"] for row in rows if row["ResourceStatus"] == "DELETE_SKIPPED"]
    prefix = [{"Key": "name", "Values": [f"{stack.name}-webhook-"]}]
    made = boto3.client("secretsmanager").list_secrets(Filters=prefix)["SecretList"]
    secrets = [f"aws secretsmanager delete-secret --secret-id {each['Name']}" for each in made]
    lines = [f"Its template retains {', '.join(kept)}."] if kept else []
    lines += ["Secrets that you made for it are still there:", *(f"  {each}" for each in secrets)] if secrets else []
    return "".join(f"{line}\n" for line in lines)


if __name__ == "__main__":
    sys.exit(main())
