"""Artifacts of real functions: the same code is the same bytes, and each works alone."""

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from infra.artifacts.artifact import Artifact, make_artifact
from infra.artifacts.trial import missing_in
from infra.runtime import Runtime
from infra.workflows import workflows
from tests.bench.artifacts import zip_bytes
from tests.builders.built_folders import built_folder
from tests.roles import HANDLERS

MEGABYTE = 1_000_000


@pytest.fixture(scope="session")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All of the project, before it is pruned."""
    return built_folder(tmp_path_factory.mktemp("whole"))


def artifact(whole: Path, folder: Path, function: str) -> Artifact:
    shutil.copytree(whole, folder)
    handler = f"{HANDLERS[function]}.lambda_handler"
    return make_artifact(folder, [handler], sys.executable, b"{}")


@pytest.fixture(scope="session")
def verify_check(whole: Path, tmp_path_factory: pytest.TempPathFactory) -> Artifact:
    return artifact(whole, tmp_path_factory.mktemp("made") / "VerifyCheck", "VerifyCheck")


def bytes_of(made: Artifact) -> str:
    """Digest of an artifact's files, with their names and times."""
    digest = hashlib.sha256()
    for path in sorted(made.folder.rglob("*")):
        digest.update(f"{path.relative_to(made.folder)} {path.stat().st_mtime}".encode())
        digest.update(path.read_bytes() if path.is_file() else b"")
    return digest.hexdigest()


def missing(made: Artifact) -> list[str]:
    """Sentences about an artifact; nothing in it imports the runtime client."""
    return missing_in(made, Runtime(sys.executable, made.folder / "no-client"))


def test_the_same_code_makes_the_same_bytes(
    whole: Path, verify_check: Artifact, tmp_path: Path
) -> None:
    """The name of an upload is made of them, so `sam deploy` then uploads nothing."""
    assert bytes_of(artifact(whole, tmp_path / "again", "VerifyCheck")) == bytes_of(verify_check)


def test_a_changed_workflow_changes_its_own_artifact_alone(
    whole: Path, verify_check: Artifact, tmp_path: Path
) -> None:
    authorize = artifact(whole, tmp_path / "before", "Authorize")
    edited = shutil.copytree(whole, tmp_path / "edited")
    file = edited / "functions/workflows/verify_check/handler.py"
    file.write_text(f"{file.read_text()}\n# A change.\n")
    changed = artifact(edited, tmp_path / "changed", "VerifyCheck")
    assert bytes_of(changed) != bytes_of(verify_check)
    assert bytes_of(artifact(edited, tmp_path / "same", "Authorize")) == bytes_of(authorize)


@pytest.mark.parametrize("function", HANDLERS)
def test_all_that_a_function_can_import_and_ask_of_aws_works_from_its_artifact_alone(
    whole: Path, tmp_path: Path, function: str
) -> None:
    assert missing(artifact(whole, tmp_path / function, function)) == []


def test_a_function_knows_all_workflows_though_it_ships_none(whole: Path, tmp_path: Path) -> None:
    folder = artifact(whole, tmp_path / "Runs", "Runs").folder
    code = "from functions.core.definition.names import *; print(*sorted(workflow_names()))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == sorted(workflows())
    assert not list(folder.glob("functions/workflows/*/"))


def test_what_an_artifact_lacks_is_told(verify_check: Artifact, tmp_path: Path) -> None:
    folder = shutil.copytree(verify_check.folder, tmp_path / "VerifyCheck")
    (folder / "functions/core/verification/proof.py").unlink()
    shutil.rmtree(folder / "functions/core/verification/__pycache__")
    shutil.rmtree(folder / "botocore/data/kms")
    lines = missing(verify_check._replace(folder=folder))
    assert lines[0].startswith("VerifyCheck: functions.core.verification.proof does not work: ")
    assert lines[-1].startswith("VerifyCheck: AWS kms does not work: UnknownServiceError")


_WITH_BOTO3 = """
import boto3

from functions.core.workflow import Parameters, Result, workflow


class Greet(Parameters):
    name: str


class GreetResult(Result):
    queues: list[str]


def greet(parameters: Greet) -> GreetResult:
    return GreetResult(queues=[each.url for each in boto3.resource("sqs").queues.all()])


lambda_handler = workflow(greet)
"""


def test_an_authors_own_workflow_may_use_boto3_and_each_of_its_services(
    whole: Path, tmp_path: Path
) -> None:
    edited = shutil.copytree(whole, tmp_path / "edited")
    file = edited / "functions/workflows/greet/handler.py"
    file.parent.mkdir()
    file.write_text(_WITH_BOTO3)
    handler = "functions.workflows.greet.handler.lambda_handler"
    made = make_artifact(edited, [handler], sys.executable, b"{}")
    assert missing(made) == []
    code = """
import boto3
import functions.workflows.greet.handler
session = boto3.session.Session(region_name="eu-central-1")
print([session.client(each).meta.service_model.service_name for each in ("sqs", "rekognition")])
print(session.resource("sqs").meta.service_name, "dynamodb" in session.get_available_resources())
"""
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", f"import sys; sys.path.append({str(edited)!r}){code}"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout, done.stderr) == ("['sqs', 'rekognition']\nsqs True\n", "")


def test_another_version_of_the_same_code_is_other_bytes(
    whole: Path, verify_check: Artifact, tmp_path: Path
) -> None:
    """SnapStart publishes code, so a changed parameter must change it."""
    folder = shutil.copytree(whole, tmp_path / "published")
    handler = f"{HANDLERS['VerifyCheck']}.lambda_handler"
    made = make_artifact(folder, [handler], sys.executable, b"{}", b"of other parameters")
    assert bytes_of(made) != bytes_of(verify_check)


def test_verify_check_is_small(verify_check: Artifact) -> None:
    assert zip_bytes(verify_check.folder) <= 4 * MEGABYTE
