"""`make delete`: deletes a deployed stack and its data, after its name is typed."""

import argparse
import sys
from collections.abc import Container, Mapping, Sequence
from typing import Any, NamedTuple

import boto3
from botocore.exceptions import BotoCoreError, ClientError, WaiterError
from samtranslator.yaml_helper import yaml_parse

from infra import aws_errors, stack_target
from infra.preflight import stack_status
from infra.samconfig import Environment, read_environment

_TABLE, _BUCKET, _SECRET = "AWS::DynamoDB::Table", "AWS::S3::Bucket", "AWS::SecretsManager::Secret"
_FOREIGN_STATUSES = {"CREATE_FAILED", "DELETE_COMPLETE"}
"""Statuses of resources that are not the stack's, for instance because the name was taken."""
_TRIES = 3
"""Attempts; a run under way may write into a bucket after it was emptied."""
_WAIT = {"Delay": 3, "MaxAttempts": 1200}
"""An hour: KMS keys and event source mappings take long."""


class NotDeleted(Exception):
    """The stack is still there; the message says why and what to do."""


class Resource(NamedTuple):
    """A resource of a stack."""

    kind: str
    name: str
    retained: bool
    """True if the template keeps it when the stack is deleted."""


class Stack(NamedTuple):
    """A deployed stack as CloudFormation describes it."""

    arn: str
    name: str
    protected: bool
    resources: list[Resource]

    def lost(self, kind: str) -> list[str]:
        """Names of the resources of a type that are deleted with the stack."""
        return sorted(
            each.name for each in self.resources if each.kind == kind and not each.retained
        )

    @property
    def kept(self) -> list[str]:
        """Names of the resources that stay."""
        return [each.name for each in self.resources if each.retained]


def main() -> int:
    """Asks, then deletes; 1 with a sentence if the stack stays."""
    parser = argparse.ArgumentParser(prog="infra.delete", description=__doc__)
    parser.add_argument("--env", required=True, help="an environment of samconfig.toml")
    env = parser.parse_args().env
    try:
        environment = read_environment(env)
        stack_target.use_profile_and_region(environment)
        _delete(environment)
    except (NotDeleted, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except (BotoCoreError, ClientError) as error:
        print(f"error: {aws_errors.sentence(error, env)}", file=sys.stderr)
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
        raise NotDeleted("That is not the stack's name. Nothing was deleted.")
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
    """Resources that a stack created and still has.

    Args:
        rows: summaries of ListStackResources.
        retained: logical ids of resources that stay.
    """
    return [
        Resource(
            row["ResourceType"], row["PhysicalResourceId"], row["LogicalResourceId"] in retained
        )
        for row in rows
        if row["ResourceStatus"] not in _FOREIGN_STATUSES and row.get("PhysicalResourceId")
    ]


def _retained(template: str | Mapping[str, Any]) -> set[str]:
    """Logical ids of resources that CloudFormation retains.

    botocore has already parsed a template that is JSON.
    """
    declared = (yaml_parse(template) if isinstance(template, str) else template)["Resources"]
    return {
        name
        for name, about in declared.items()
        if about.get("DeletionPolicy", "Delete") != "Delete"
    }


def _refuse_protected(stack: Stack) -> None:
    """Raises `NotDeleted` for a protected stack, before anything is emptied."""
    table = "aws dynamodb update-table --no-deletion-protection-enabled --table-name"
    whole = (
        "aws cloudformation update-termination-protection --no-enable-termination-protection "
        "--stack-name"
    )
    off = [f"{table} {name}" for name in _protected_tables(stack)] + [
        f"{whole} {stack.name}"
    ] * stack.protected
    if off:
        commands = "".join(f"\n  {command}" for command in off)
        raise NotDeleted(
            f"{stack.name} is protected from deletion. To delete it anyway, first run:{commands}"
        )


def _protected_tables(stack: Stack) -> list[str]:
    """Names of protected tables, retained ones included: their data depends on the stack."""
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
    about = (
        f"This permanently deletes {stack.name} in account {account}, region {region}, "
        "with everything in its"
    )
    return "\n  ".join([about, *lines])


def _prompt(text: str) -> str:
    try:
        return input(text).strip()
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
    """Lines about what is left: secrets that an operator created, and retained resources."""
    prefix = [{"Key": "name", "Values": [f"{stack.name}-webhook-"]}]
    made = boto3.client("secretsmanager").list_secrets(Filters=prefix)["SecretList"]
    secrets = [f"  aws secretsmanager delete-secret --secret-id {each['Name']}" for each in made]
    lines = (
        ["Secrets that you created for it are still there. To delete them:", *secrets]
        if secrets
        else []
    )
    lines += (
        [f"Retained; delete these before you deploy {stack.name} again: {', '.join(stack.kept)}."]
        if stack.kept
        else []
    )
    return "".join(f"{line}\n" for line in lines)


if __name__ == "__main__":
    sys.exit(main())
