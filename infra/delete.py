"""`make delete`: removes a deployed stack with what is in it, once its name was typed."""

import argparse
import sys
from collections.abc import Container, Mapping, Sequence
from typing import Any, NamedTuple

import boto3
from botocore.exceptions import BotoCoreError, ClientError, WaiterError
from samtranslator.yaml_helper import yaml_parse

from infra import stack_target
from infra.preflight import stack_status
from infra.samconfig import Environment, read_environment

_TABLE, _BUCKET, _SECRET = "AWS::DynamoDB::Table", "AWS::S3::Bucket", "AWS::SecretsManager::Secret"
_FOREIGN_STATUSES = {"CREATE_FAILED", "DELETE_COMPLETE"}
"""Statuses of resources: what could not be made, because its name was taken, is somebody else's."""
_TRIES = 3
"""A run that is under way may write into a bucket between its emptying and its deletion."""
_WAIT = {"Delay": 3, "MaxAttempts": 1200}
"""Seconds, and how often: an hour, which KMS keys and event source mappings do not need."""


class NotDeleted(Exception):
    """Why the stack is still there, and what to do about it."""


class Resource(NamedTuple):
    """Of a stack."""

    kind: str
    name: str
    retained: bool
    """Whether the template keeps it when the stack goes."""


class Stack(NamedTuple):
    """A deployed stack as CloudFormation describes it."""

    arn: str
    name: str
    protected: bool
    resources: list[Resource]

    def lost(self, kind: str) -> list[str]:
        """Names of those of a kind that go with it."""
        return sorted(
            each.name for each in self.resources if each.kind == kind and not each.retained
        )

    @property
    def kept(self) -> list[str]:
        """Names of those that stay."""
        return [each.name for each in self.resources if each.retained]


def main() -> int:
    """Asks and deletes; 1 with a sentence when the stack stays."""
    parser = argparse.ArgumentParser(prog="infra.delete", description=__doc__)
    parser.add_argument("--env", required=True, help="an environment of samconfig.toml")
    try:
        environment = read_environment(parser.parse_args().env)
        stack_target.use_profile_and_region(environment)
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
    print(_announcement(stack), flush=True)
    if _prompt("Type the stack's name to delete it: ") != name:
        raise NotDeleted("That is not its name. Nothing was deleted.")
    _remove(stack)
    print(f"{name} is deleted.")
    print(_leftovers(stack), end="")


def _read(name: str) -> Stack:
    cloudformation = boto3.client("cloudformation")
    about = cloudformation.describe_stacks(StackName=name)["Stacks"][0]
    retained = _retained(
        cloudformation.get_template(StackName=name, TemplateStage="Processed")["TemplateBody"]
    )
    pages = cloudformation.get_paginator("list_stack_resources").paginate(StackName=name)
    rows = [row for page in pages for row in page["StackResourceSummaries"]]
    return Stack(
        about["StackId"],
        name,
        bool(about.get("EnableTerminationProtection")),
        own_resources(rows, retained),
    )


def own_resources(rows: Sequence[Mapping[str, Any]], retained: Container[str]) -> list[Resource]:
    """Resources that a stack has made and still has.

    Args:
        rows: as ListStackResources summarises them.
        retained: logical ids of those that stay.
    """
    return [
        Resource(
            row["ResourceType"], row["PhysicalResourceId"], row["LogicalResourceId"] in retained
        )
        for row in rows
        if row["ResourceStatus"] not in _FOREIGN_STATUSES and row.get("PhysicalResourceId")
    ]


def _retained(template: str | Mapping[str, Any]) -> set[str]:
    """Logical ids of what CloudFormation leaves where it is; botocore has read a template of JSON already."""
    declared = (yaml_parse(template) if isinstance(template, str) else template)["Resources"]
    return {
        name
        for name, about in declared.items()
        if about.get("DeletionPolicy", "Delete") != "Delete"
    }


def _refuse_protected(stack: Stack) -> None:
    """Before anything is emptied."""
    table = "aws dynamodb update-table --no-deletion-protection-enabled --table-name"
    whole = "aws cloudformation update-termination-protection --no-enable-termination-protection --stack-name"
    off = [f"{table} {name}" for name in _protected_tables(stack)] + [
        f"{whole} {stack.name}"
    ] * stack.protected
    if off:
        commands = "".join(f"\n  {command}" for command in off)
        raise NotDeleted(
            f"{stack.name} is protected from deletion. To delete it all the same, first:{commands}"
        )


def _protected_tables(stack: Stack) -> list[str]:
    """Also of those that are retained: who protects a table does not mean to lose what belongs to it."""
    dynamodb = boto3.client("dynamodb")
    tables = [each.name for each in stack.resources if each.kind == _TABLE]
    about = {table: dynamodb.describe_table(TableName=table)["Table"] for table in tables}
    return [table for table in tables if about[table].get("DeletionProtectionEnabled")]


def _announcement(stack: Stack) -> str:
    account, region = (
        boto3.client("sts").get_caller_identity()["Account"],
        boto3.session.Session().region_name,
    )
    kinds = {"tables": _TABLE, "buckets": _BUCKET, "secrets": _SECRET}
    lost = {label: stack.lost(kind) for label, kind in kinds.items()}
    lines = [f"{label}: {', '.join(names)}" for label, names in lost.items() if names]
    lines += [f"Its template retains {', '.join(stack.kept)}."] if stack.kept else []
    about = f"This deletes {stack.name} in account {account}, region {region}, for good, with all that is in its"
    return "\n  ".join([about, *lines])


def _prompt(asked: str) -> str:
    try:
        return input(asked).strip()
    except EOFError:
        return ""


def _remove(stack: Stack) -> None:
    cloudformation = boto3.client("cloudformation")
    for _ in range(_TRIES):
        for bucket in stack.lost(_BUCKET):
            empty(bucket)
        print("deleting the stack", flush=True)
        cloudformation.delete_stack(StackName=stack.arn)
        try:
            cloudformation.get_waiter("stack_delete_complete").wait(
                StackName=stack.arn, WaiterConfig=_WAIT
            )
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
                _delete_versions(
                    s3, bucket, [{"Key": row["Key"], "VersionId": row["VersionId"]} for row in rows]
                )
    except s3.exceptions.NoSuchBucket:
        return


def _delete_versions(s3: Any, bucket: str, rows: list[dict[str, str]]) -> None:  # noqa: ANN401 - boto3's client
    refused = s3.delete_objects(Bucket=bucket, Delete={"Objects": rows, "Quiet": True}).get(
        "Errors", []
    )
    if refused:
        raise NotDeleted(
            f"{bucket} could not be emptied: {refused[0]['Key']}: {refused[0]['Message']}"
        )


def _reasons(stack: Stack) -> str:
    events = boto3.client("cloudformation").describe_stack_events(StackName=stack.arn)[
        "StackEvents"
    ]
    failed = {
        each["LogicalResourceId"]: each
        for each in events
        if each["ResourceStatus"] == "DELETE_FAILED"
    }
    return " ".join(
        f"{name}: {each.get('ResourceStatusReason', 'no reason is given')}"
        for name, each in failed.items()
    )


def _leftovers(stack: Stack) -> str:
    """What is there all the same: secrets that an operator made, and what would be in the way of a stack of that name."""
    prefix = [{"Key": "name", "Values": [f"{stack.name}-webhook-"]}]
    made = boto3.client("secretsmanager").list_secrets(Filters=prefix)["SecretList"]
    secrets = [f"  aws secretsmanager delete-secret --secret-id {each['Name']}" for each in made]
    lines = ["Secrets that you made for it are still there:", *secrets] if secrets else []
    lines += (
        [f"Retained, and in the way of a new {stack.name}: {', '.join(stack.kept)}."]
        if stack.kept
        else []
    )
    return "".join(f"{line}\n" for line in lines)


if __name__ == "__main__":
    sys.exit(main())
