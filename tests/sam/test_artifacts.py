"""Artifacts of real functions: the same code is the same bytes, and each works alone."""

import hashlib
import shutil
import sys
from pathlib import Path

import pytest

from infra.artifacts.artifact import Artifact, make_artifact
from infra.artifacts.trial import missing_in
from infra.runtime import Runtime
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


def bytes_of(made: Artifact) -> str:
    """Digest of an artifact's files, with their names and times."""
    digest = hashlib.sha256()
    for path in sorted(made.folder.rglob("*")):
        digest.update(f"{path.relative_to(made.folder)} {path.stat().st_mtime}".encode())
        digest.update(path.read_bytes() if path.is_file() else b"")
    return digest.hexdigest()


def runtime(folder: Path) -> Runtime:
    """This interpreter, whose runtime client nothing in an artifact imports."""
    return Runtime(sys.executable, folder / "no-client")


def test_the_same_code_makes_the_same_bytes(whole: Path, tmp_path: Path) -> None:
    """`sam deploy` then uploads nothing."""
    one, other = (artifact(whole, tmp_path / name, "VerifyCheck") for name in ("one", "other"))
    assert bytes_of(one) == bytes_of(other)


def test_a_changed_workflow_changes_its_own_artifact_alone(whole: Path, tmp_path: Path) -> None:
    functions = ("Authorize", "VerifyCheck", "VerifyStatus")
    before = {name: bytes_of(artifact(whole, tmp_path / name, name)) for name in functions}
    edited = shutil.copytree(whole, tmp_path / "edited")
    file = edited / "functions/workflows/verify_check/handler.py"
    file.write_text(f"{file.read_text()}\n# A change.\n")
    after = {name: bytes_of(artifact(edited, tmp_path / f"{name}2", name)) for name in functions}
    assert {name for name in functions if before[name] != after[name]} == {"VerifyCheck"}


@pytest.mark.parametrize("function", HANDLERS)
def test_all_that_a_function_can_import_and_ask_of_aws_works_from_its_artifact_alone(
    whole: Path, tmp_path: Path, function: str
) -> None:
    made = artifact(whole, tmp_path / function, function)
    assert missing_in(made, runtime(tmp_path)) == []


def test_what_an_artifact_lacks_is_told(whole: Path, tmp_path: Path) -> None:
    made = artifact(whole, tmp_path / "VerifyCheck", "VerifyCheck")
    (made.folder / "functions/core/verification/proof.py").unlink()
    (next(made.folder.glob("botocore/data/kms/*")) / "service-2.json").unlink()
    lines = missing_in(made, runtime(tmp_path))
    assert lines[0].startswith("VerifyCheck: functions.core.verification.proof cannot be imported")
    assert "kms" in lines[-1]


def test_verify_check_is_small(whole: Path, tmp_path: Path) -> None:
    made = artifact(whole, tmp_path / "VerifyCheck", "VerifyCheck")
    assert zip_bytes(made.folder) <= 4 * MEGABYTE
