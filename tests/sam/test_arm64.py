"""A build for arm64 on this machine, beside one for x86_64. Packages come from the index of pip."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from infra import sam
from infra.artifacts.artifact import Artifact, make_artifact
from infra.artifacts.machine import made_for_another
from infra.build import find_python
from tests.roles import HANDLERS

PYTHON = find_python(sam.read_template()["Globals"]["Function"]["Runtime"])
FUNCTION = "Webhooks"
"""The function with most machine code."""

pytestmark = pytest.mark.skipif(PYTHON is None, reason="sam build needs Lambda's Python")


def built(folder: Path, architecture: str) -> Artifact:
    command = [".venv-sam/bin/sam", "build", FUNCTION, "--build-dir", str(folder)]
    command += ["--parameter-overrides", f"Architecture={architecture}", "--no-cached"]
    variables = {"AWS_DEFAULT_REGION": "us-east-1", "SAM_CLI_TELEMETRY": "0"}
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    done = subprocess.run(
        command,
        cwd=sam.ROOT,
        env=os.environ | variables | {"PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    handler = f"{HANDLERS[FUNCTION]}.lambda_handler"
    return make_artifact(folder / FUNCTION, [handler], str(PYTHON), b"{}")


@pytest.fixture(scope="module")
def arm64(tmp_path_factory: pytest.TempPathFactory) -> Artifact:
    return built(tmp_path_factory.mktemp("arm64"), "arm64")


@pytest.fixture(scope="module")
def x86_64(tmp_path_factory: pytest.TempPathFactory) -> Artifact:
    return built(tmp_path_factory.mktemp("x86_64"), "x86_64")


def test_all_machine_code_is_for_the_processor_that_was_asked_for(
    arm64: Artifact, x86_64: Artifact
) -> None:
    for made, ours, other in ((arm64, "arm64", "x86_64"), (x86_64, "x86_64", "arm64")):
        assert made_for_another(made.folder, ours) == []
        code = {path.name.partition(".")[0] for path in made_for_another(made.folder, other)}
        assert {"_core", "_rust"} <= code, "msgspec's and cryptography's"


def test_all_but_the_machine_code_is_what_is_tried_on_x86_64(
    arm64: Artifact, x86_64: Artifact
) -> None:
    assert portable(arm64, "x86_64") == portable(x86_64, "arm64")
    assert arm64.reach.modules == x86_64.reach.modules


def portable(made: Artifact, other: str) -> dict[str, bytes]:
    """Contents of an artifact's files that are no machine code, by place."""
    code = set(made_for_another(made.folder, other))
    files = [path for path in made.folder.rglob("*") if path.is_file() and path not in code]
    return {path.relative_to(made.folder).as_posix(): path.read_bytes() for path in files}
