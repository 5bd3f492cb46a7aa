"""Rehearsal of `make deploy`: the SAM CLI deploys template.yaml into the emulator.

It uses the settings of samconfig.toml.
"""

import subprocess
import tomllib
import zipfile
from io import BytesIO
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml
from samtranslator.yaml_helper import yaml_parse

from infra import sam
from infra.samconfig import read_environment
from tests.sam.conftest import Account, Done

DEV = read_environment("dev")
MOST_BYTES = 1_000_000
"""Limit of a template in S3 (CloudFormation, quota "Template body size")."""
OPTIONS = tomllib.loads((sam.ROOT / "samconfig.toml").read_text())["dev"]["deploy"]["parameters"]


@pytest.fixture(scope="module")
def deployed(account: Account) -> Done:
    return account.deploy("dev")


@pytest.fixture
def stack(account: Account, deployed: Done) -> dict[str, Any]:
    assert deployed.returncode == 0, deployed.stdout + deployed.stderr
    found: list[dict[str, Any]] = account.emulator.client("cloudformation").describe_stacks(
        StackName=DEV.stack
    )["Stacks"]
    return found[0]


class Artifacts(NamedTuple):
    """Everything that was uploaded to the SAM CLI's bucket, by kind."""

    code: list[bytes]
    templates: list[bytes]
    others: list[bytes]


@pytest.fixture
def artifacts(account: Account, stack: dict[str, Any]) -> Artifacts:
    assert stack["StackStatus"] == "CREATE_COMPLETE"
    managed = account.emulator.client("cloudformation").describe_stacks(
        StackName="aws-sam-cli-managed-default"
    )
    bucket = next(
        row["OutputValue"]
        for row in managed["Stacks"][0]["Outputs"]
        if row["OutputKey"] == "SourceBucket"
    )
    found, s3 = Artifacts([], [], []), account.emulator.client("s3")
    for row in s3.list_objects_v2(Bucket=bucket, Prefix=f"{OPTIONS['s3_prefix']}/")["Contents"]:
        content: bytes = s3.get_object(Bucket=bucket, Key=row["Key"])["Body"].read()
        kind = found.code if content.startswith(b"PK") else found.others
        (found.templates if row["Key"].endswith(".template") else kind).append(content)
    return found


def test_the_stack_has_the_name_the_settings_and_the_tags_of_samconfig(
    stack: dict[str, Any],
) -> None:
    defaults = {
        name: str(each["Default"])
        for name, each in sam.read_template()["Parameters"].items()
        if "Default" in each
    }
    parameters = {row["ParameterKey"]: row["ParameterValue"] for row in stack["Parameters"]}
    assert parameters == defaults | DEV.parameters
    assert {f"{row['Key']}={row['Value']}" for row in stack["Tags"]} == set(OPTIONS["tags"])


def test_it_is_given_the_right_to_make_roles_and_no_other(
    account: Account, stack: dict[str, Any]
) -> None:
    cloudformation = account.emulator.client("cloudformation")
    changes = cloudformation.list_change_sets(StackName=stack["StackName"])["Summaries"]
    change = min(changes, key=lambda each: each["CreationTime"])
    about = cloudformation.describe_change_set(ChangeSetName=change["ChangeSetId"])
    assert (about["ExecutionStatus"], about["Capabilities"]) == (
        "EXECUTE_COMPLETE",
        ["CAPABILITY_IAM"],
    )


def test_the_code_of_all_functions_and_the_state_machine_are_uploaded_each_once(
    artifacts: Artifacts,
) -> None:
    (code,), (machine,) = artifacts.code, artifacts.others
    functions = [
        each
        for each in sam.read_template()["Resources"].values()
        if each["Type"] == "AWS::Serverless::Function"
    ]
    handlers = {
        f"{each['Properties']['Handler'].rpartition('.')[0].replace('.', '/')}.py"
        for each in functions
    }
    assert handlers <= set(zipfile.ZipFile(BytesIO(code)).namelist())
    assert machine == (sam.ROOT / "infra/run_workflow.asl.yaml").read_bytes()


def test_the_template_that_arrives_names_what_was_uploaded_and_lints(
    artifacts: Artifacts, tmp_path: Path
) -> None:
    (template,) = artifacts.templates
    functions = [
        each["Properties"]
        for each in yaml_parse(template)["Resources"].values()
        if "Serverless::F" in each["Type"]
    ]
    places = {each["CodeUri"] for each in functions}
    assert [
        place.startswith("s3://") and f"/{OPTIONS['s3_prefix']}/" in place for place in places
    ] == [True]
    arrived = tmp_path / "arrived.yaml"
    arrived.write_bytes(template)
    done = subprocess.run(
        [".venv/bin/cfn-lint", arrived], cwd=sam.ROOT, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, "")


def test_the_template_that_arrives_has_no_anchors_and_no_aliases(artifacts: Artifacts) -> None:
    """CloudFormation refuses them. The SAM CLI replaces them by their content."""
    (template,) = artifacts.templates
    kinds = (yaml.AnchorToken, yaml.AliasToken)
    assert any(isinstance(each, kinds) for each in yaml.scan(sam.TEMPLATE.read_text()))
    assert not any(isinstance(each, kinds) for each in yaml.scan(template))
    made, source = yaml_parse(template)["Resources"], sam.read_template()["Resources"]
    assert made.keys() == source.keys()
    assert {name: each["Metadata"]["SamResourceId"] for name, each in made.items()} == {
        name: name for name in made
    }
    roles = [name for name, each in source.items() if each["Type"] == "AWS::IAM::Role"]
    assert [each for each in roles if made[each]["Properties"] != source[each]["Properties"]] == []
    assert len(template) < MOST_BYTES


def test_a_deployment_that_changes_nothing_succeeds(
    account: Account, stack: dict[str, Any]
) -> None:
    done = account.deploy("dev")
    assert (done.returncode, "No changes to deploy" in done.stdout + done.stderr) == (0, True), done
    assert stack["StackStatus"] == "CREATE_COMPLETE"


def test_prod_asks_before_it_changes_anything(account: Account) -> None:
    done = account.deploy("prod", typed="n\n")
    assert "Deploy this changeset? [y/N]" in done.stdout, done
    resources = account.emulator.client("cloudformation").list_stack_resources(
        StackName=read_environment("prod").stack
    )
    assert resources["StackResourceSummaries"] == []
