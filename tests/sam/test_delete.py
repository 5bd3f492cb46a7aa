"""`make delete` rehearsed: the whole stack, deployed by the SAM CLI into the emulator, goes."""

import pytest
from botocore.exceptions import ClientError

from infra.samconfig import read_environment
from tests.sam.conftest import Account

DEV = read_environment("dev")


def outputs(account: Account) -> dict[str, str]:
    (stack,) = account.emulator.client("cloudformation").describe_stacks(StackName=DEV.stack)["Stacks"]
    return {row["OutputKey"]: row["OutputValue"] for row in stack["Outputs"]}


def test_a_deployed_stack_goes_with_its_files_once_its_name_was_typed(account: Account) -> None:
    done = account.deploy("dev")
    assert done.returncode == 0, done.stdout + done.stderr
    bucket, s3 = outputs(account)["RunsBucket"], account.emulator.client("s3")
    s3.put_object(Bucket=bucket, Key="runs/one/items.jsonl", Body=b"{}")
    webhook = f"{DEV.stack}-webhook-github"
    account.emulator.client("secretsmanager").create_secret(Name=webhook, SecretString="typed by an operator")

    for typed in ("", "y\n", f"{DEV.stack[:-1]}\n"):
        refused = account.delete("dev", typed)
        assert (refused.returncode, refused.stderr) == (1, "error: That is not its name. Nothing was deleted.\n")
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
