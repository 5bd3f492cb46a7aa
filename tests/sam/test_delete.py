"""`make delete`: its questions, its deletions and its exceptions.

Tested on small stacks, and on the whole one.
"""

import builtins
import json
import sys
from collections.abc import Callable
from itertools import count
from typing import Any, NamedTuple

import boto3
import pytest
from botocore.exceptions import ClientError, WaiterError

from infra import delete
from infra.local.emulator import Emulator
from infra.samconfig import Environment, read_environment
from tests.sam.conftest import Account

DEV = read_environment("dev")
KEY: dict[str, Any] = {"AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}]}
KEY |= {"KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}]}

_numbers = count(1)


class SmallStack(NamedTuple):
    """A stack of a few resources, whose names begin with its own."""

    emulator: Emulator
    name: str
    delete: Callable[[str], int]
    """Runs the command, and types a line when it asks."""

    @property
    def bucket(self) -> str:
        return f"{self.name}-files"

    @property
    def table(self) -> str:
        return f"{self.name}-tokens"

    def create(self, on_failure: str = "ROLLBACK", **resources: dict[str, Any]) -> None:
        """Creates the stack and its bucket.

        The bucket has two versions of one file, and one version of another that was deleted since.
        """
        resources["Files"] = resource("AWS::S3::Bucket", BucketName=self.bucket)
        cloudformation = self.emulator.client("cloudformation")
        template = json.dumps({"Resources": resources})
        cloudformation.create_stack(
            StackName=self.name, TemplateBody=template, OnFailure=on_failure
        )
        cloudformation.get_waiter("stack_create_complete").wait(
            StackName=self.name, WaiterConfig={"Delay": 1, "MaxAttempts": 60}
        )
        self.fill(self.bucket)

    def fill(self, bucket: str) -> None:
        s3 = self.emulator.client("s3")
        s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
        for key in ("one", "one", "two"):
            s3.put_object(Bucket=bucket, Key=key, Body=b"{}")
        s3.delete_object(Bucket=bucket, Key="two")

    def versions(self, bucket: str) -> int:
        found = self.emulator.client("s3").list_object_versions(Bucket=bucket)
        return len(found.get("Versions", [])) + len(found.get("DeleteMarkers", []))

    @property
    def status(self) -> str:
        try:
            found = self.emulator.client("cloudformation").describe_stacks(StackName=self.name)
        except ClientError:
            return "none"
        return str(found["Stacks"][0]["StackStatus"])

    def before_deletion(self, monkeypatch: pytest.MonkeyPatch, act: Callable[[], None]) -> None:
        """Does something each time the command is about to delete the stack."""
        real = boto3.client

        def watched(service: str) -> Any:
            client = real(service)
            client.meta.events.register("before-call.cloudformation.DeleteStack", lambda **_: act())
            return client

        monkeypatch.setattr(boto3, "client", watched)


@pytest.fixture
def small(signed_in: Emulator, monkeypatch: pytest.MonkeyPatch) -> SmallStack:
    name = f"small-{next(_numbers)}"
    monkeypatch.setattr(sys, "argv", ["delete", "--env", "dev"])
    monkeypatch.setattr(
        delete, "read_environment", lambda env: Environment(env, name, "us-east-1", None, {})
    )
    monkeypatch.setattr(delete, "_WAIT", {"Delay": 1, "MaxAttempts": 60})

    def run(line: str) -> int:
        monkeypatch.setattr(builtins, "input", lambda _: line)
        return delete.main()

    return SmallStack(signed_in, name, run)


def resource(kind: str, policy: str = "Delete", **properties: Any) -> dict[str, Any]:
    return {"Type": kind, "DeletionPolicy": policy, "Properties": properties}


def table(name: str) -> dict[str, Any]:
    return resource("AWS::DynamoDB::Table", TableName=name, BillingMode="PAY_PER_REQUEST", **KEY)


def test_every_version_of_every_file_goes_before_the_stack(
    small: SmallStack, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The emulator would delete a bucket with its contents; AWS does not."""
    small.create()
    left: list[int] = []
    small.before_deletion(monkeypatch, lambda: left.append(small.versions(small.bucket)))
    assert small.versions(small.bucket) == 4
    assert small.delete(small.name) == 0
    assert (left, small.status) == ([0], "none")
    assert f"buckets: {small.bucket}\n" in capsys.readouterr().out


@pytest.mark.parametrize("line", ["", "y", "dev", "SMALL", " small"])
def test_nothing_is_touched_until_the_whole_name_is_typed(
    line: str, small: SmallStack, capsys: pytest.CaptureFixture[str]
) -> None:
    small.create()
    assert small.delete(line) == 1
    assert capsys.readouterr().err == "error: That is not the stack's name. Nothing was deleted.\n"
    assert (small.versions(small.bucket), small.status) == (4, "CREATE_COMPLETE")


def test_a_protected_table_protects_the_stack_even_where_it_would_be_retained(
    small: SmallStack, capsys: pytest.CaptureFixture[str]
) -> None:
    small.create(Tokens=table(small.table) | {"DeletionPolicy": "Retain"})
    small.emulator.client("dynamodb").update_table(
        TableName=small.table, DeletionProtectionEnabled=True
    )
    assert small.delete(small.name) == 1
    assert f"--table-name {small.table}\n" in capsys.readouterr().err
    assert (small.versions(small.bucket), small.status) == (4, "CREATE_COMPLETE")


def test_a_protected_stack_keeps_its_files_and_says_how_its_protection_is_switched_off(
    small: SmallStack, capsys: pytest.CaptureFixture[str]
) -> None:
    small.create(Tokens=table(small.table))
    dynamodb, cloudformation = (
        small.emulator.client("dynamodb"),
        small.emulator.client("cloudformation"),
    )
    dynamodb.update_table(TableName=small.table, DeletionProtectionEnabled=True)
    cloudformation.update_termination_protection(
        StackName=small.name, EnableTerminationProtection=True
    )
    assert small.delete(small.name) == 1
    told = capsys.readouterr().err
    assert (
        f"aws dynamodb update-table --no-deletion-protection-enabled --table-name {small.table}\n"
        in told
    )
    assert f"--no-enable-termination-protection --stack-name {small.name}\n" in told
    assert (small.versions(small.bucket), small.status) == (4, "CREATE_COMPLETE")

    dynamodb.update_table(TableName=small.table, DeletionProtectionEnabled=False)
    cloudformation.update_termination_protection(
        StackName=small.name, EnableTerminationProtection=False
    )
    assert (small.delete(small.name), small.status) == (0, "none")


@pytest.mark.parametrize("policy", ["Retain", "RetainExceptOnCreate"])
def test_what_the_template_retains_is_kept_with_its_files_and_named(
    policy: str, small: SmallStack, capsys: pytest.CaptureFixture[str]
) -> None:
    invoices = f"{small.name}-invoices"
    small.create(Invoices=resource("AWS::S3::Bucket", policy, BucketName=invoices))
    small.fill(invoices)
    assert (small.delete(small.name), small.status) == (0, "none")
    assert small.versions(invoices) == 4
    told = capsys.readouterr().out
    assert f"Its template retains {invoices}." in told
    assert f"before you deploy {small.name} again: {invoices}.\n" in told


def test_what_was_never_made_or_is_gone_is_none_of_the_stacks_whatever_it_is_called() -> None:
    """The emulator gives no name to a resource that it could not make; AWS gives one."""
    row = {
        "ResourceType": "AWS::S3::Bucket",
        "LogicalResourceId": "Files",
        "PhysicalResourceId": "files",
    }
    for status in ("CREATE_FAILED", "DELETE_COMPLETE"):
        assert delete.own_resources([row | {"ResourceStatus": status}], retained=()) == []
    assert (
        delete.own_resources(
            [{**row, "ResourceStatus": "CREATE_IN_PROGRESS", "PhysicalResourceId": ""}], retained=()
        )
        == []
    )
    for status in ("CREATE_COMPLETE", "UPDATE_FAILED", "DELETE_FAILED"):
        assert [
            each.name
            for each in delete.own_resources([row | {"ResourceStatus": status}], retained=())
        ] == ["files"]


def test_a_bucket_that_was_there_before_is_none_of_a_stack_that_could_not_be_created(
    small: SmallStack,
) -> None:
    small.emulator.client("s3").create_bucket(Bucket=small.bucket)
    small.fill(small.bucket)
    with pytest.raises(WaiterError):
        small.create(on_failure="DO_NOTHING")
    assert small.status == "CREATE_FAILED"
    assert (small.delete(small.name), small.status) == (0, "none")
    assert small.versions(small.bucket) == 4


def test_a_stack_that_is_not_there_is_told(
    small: SmallStack, capsys: pytest.CaptureFixture[str]
) -> None:
    assert small.delete(small.name) == 1
    assert capsys.readouterr().err == f"error: There is no stack {small.name}.\n"


def test_a_deletion_that_fails_is_tried_again_and_then_told_with_its_reason(
    small: SmallStack, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    small.create(Things=resource("AWS::IoT::ThingGroup", ThingGroupName=f"{small.name}-things"))
    # A group with another one in it cannot be deleted.
    about = {"thingGroupName": f"{small.name}-more", "parentGroupName": f"{small.name}-things"}
    small.emulator.client("iot").create_thing_group(**about)
    tries: list[str] = []
    small.before_deletion(monkeypatch, lambda: tries.append(small.status))
    assert small.delete(small.name) == 1
    assert tries == ["CREATE_COMPLETE", "DELETE_FAILED", "DELETE_FAILED"]
    told = capsys.readouterr().err
    assert f"error: {small.name} could not be deleted. " in told
    assert "Things: AWS::IoT::ThingGroup delete failed" in told


def outputs(account: Account) -> dict[str, str]:
    (stack,) = account.emulator.client("cloudformation").describe_stacks(StackName=DEV.stack)[
        "Stacks"
    ]
    return {row["OutputKey"]: row["OutputValue"] for row in stack["Outputs"]}


def test_a_deployed_stack_goes_with_its_files_once_its_name_was_typed(account: Account) -> None:
    done = account.deploy("dev")
    assert done.returncode == 0, done.stdout + done.stderr
    bucket, s3 = outputs(account)["RunsBucket"], account.emulator.client("s3")
    s3.put_object(Bucket=bucket, Key="runs/one/items.jsonl", Body=b"{}")
    webhook = f"{DEV.stack}-webhook-github"
    account.emulator.client("secretsmanager").create_secret(
        Name=webhook, SecretString="typed by an operator"
    )

    for typed in ("", "y\n", f"{DEV.stack[:-1]}\n"):
        refused = account.delete("dev", typed)
        assert (refused.returncode, refused.stderr) == (
            1,
            "error: That is not the stack's name. Nothing was deleted.\n",
        )
        assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 1

    done = account.delete("dev", f"{DEV.stack}\n")
    assert done.returncode == 0, done.stderr
    assert "000000000000, region us-east-1" in done.stdout
    assert f"aws secretsmanager delete-secret --secret-id {webhook}" in done.stdout
    with pytest.raises(ClientError, match="does not exist"):
        outputs(account)
    assert bucket not in {each["Name"] for each in s3.list_buckets()["Buckets"]}

    again = account.delete("dev", f"{DEV.stack}\n")
    assert (again.returncode, again.stderr) == (1, f"error: There is no stack {DEV.stack}.\n")
