"""Deployments into an emulator of this session, by the very command of `make deploy`."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import boto3
import pytest

from infra import sam
from infra.local.emulator import Emulator, running_emulator

Done = subprocess.CompletedProcess[str]


class Account(NamedTuple):
    """An emulator as a stranger's AWS account, and a folder in which a build was made."""

    emulator: Emulator
    folder: Path

    def deploy(self, env: str, typed: str = "") -> Done:
        """Runs the last command of `make deploy`; its earlier steps have tests of their own."""
        return self.run(make("deploy", env)[-1], typed)

    def delete(self, env: str, typed: str) -> Done:
        return self.run(make("delete", env)[-1], typed)

    def run(self, command: str, typed: str = "") -> Done:
        """Runs a line of a shell, without this machine's AWS settings."""
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("AWS_", "SAM_", "MAKE"))
        }
        signed_in = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
        variables = {
            "AWS_ENDPOINT_URL": self.emulator.url,
            "HOME": str(self.folder),
            "SAM_CLI_TELEMETRY": "0",
        }
        return subprocess.run(  # noqa: S602 - a line of our Makefile
            command,
            shell=True,
            cwd=self.folder,
            env=kept | signed_in | variables | {"PYTHONPATH": str(sam.ROOT)},
            input=typed,
            capture_output=True,
            text=True,
            check=False,
        )


def make(target: str, env: str) -> list[str]:
    """Commands of a target, without running them."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    command = ["make", "--no-print-directory", "--dry-run", target, f"ENV={env}"]
    done = subprocess.run(
        command, cwd=sam.ROOT, env=kept, capture_output=True, text=True, check=True
    )
    return done.stdout.splitlines()


@pytest.fixture(scope="session")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    with new_account(tmp_path_factory.mktemp("account")) as made:
        yield made


@contextmanager
def new_account(folder: Path) -> Iterator[Account]:
    """An account of a test's own, in an empty folder."""
    _build(folder / ".aws-sam/build")
    for environment in (".venv", ".venv-sam"):
        (folder / environment).symlink_to(sam.ROOT / environment)
    with running_emulator(folder / "state") as emulator:
        yield Account(emulator, folder)


@pytest.fixture
def signed_in(account: Account, monkeypatch: pytest.MonkeyPatch) -> Iterator[Emulator]:
    """Signs commands in this process in as an operator in another region than samconfig.toml's."""
    for name, value in {
        "AWS_ENDPOINT_URL": account.emulator.url,
        "AWS_REGION": "eu-west-1",
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    boto3.DEFAULT_SESSION = None
    yield account.emulator
    boto3.DEFAULT_SESSION = None


def _build(folder: Path) -> None:
    """Makes a build like `sam build`, but without dependencies, which take minutes to pack."""
    shutil.copytree(
        sam.ROOT / "functions",
        folder / "code/functions",
        ignore=shutil.ignore_patterns("__pycache__"),
    )
    shutil.copytree(
        sam.ROOT / "infra", folder / "infra", ignore=shutil.ignore_patterns("__pycache__")
    )
    template = sam.TEMPLATE.read_text()
    assert template.count("CodeUri: functions/") == 1
    (folder / "template.yaml").write_text(template.replace("CodeUri: functions/", "CodeUri: code"))
