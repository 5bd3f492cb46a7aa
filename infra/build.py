"""`make build`: validates and builds template.yaml with the SAM CLI, and tries the result.

Each function's artifact is pruned to what it can reach, and compiled, for short cold starts. Then
everything in it is imported, and every built function is called under AWS's own runtime client,
against the emulator, with the settings of samconfig.toml.
"""

import argparse
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

from samtranslator.yaml_helper import yaml_parse

from infra import sam
from infra.artifacts.artifact import Artifact, make_artifact, megabytes
from infra.artifacts.trial import missing_in
from infra.local.deploy import read_sources
from infra.local.errors import LocalStackError
from infra.local.sentences import find_missing_sentences
from infra.openapi.files import NotMade, begin, made
from infra.runtime import Runtime
from infra.samconfig import Environment, read_environment, refuse_wrong_parameters
from infra.settings_mistakes import refuse_mistakes
from infra.source_mistakes import mistakes_in_file
from infra.trial import try_functions

BUILD = sam.ROOT / ".aws-sam/build"

_SAM = sam.ROOT / ".venv-sam/bin/sam"
_CLIENT = sam.ROOT / ".aws-sam/runtime"
_PATH = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
"""PATH with the virtual environment first; its interpreter may be the one `sam build` needs."""

_DEFAULT = "default"
"""The SAM CLI's name for the environment used when none is given."""


class BuildFailed(Exception):
    """The build or a built function does not work; the message says why."""


def main() -> int:
    """Builds the artifact and tries it; 1 with a sentence if that fails."""
    parser = argparse.ArgumentParser(prog="infra.build", description=__doc__)
    parser.add_argument(
        "--env", default="local", help="an environment of samconfig.toml, or local: its default"
    )
    env = parser.parse_args().env
    try:
        _build(read_environment(_DEFAULT if env == "local" else env))
    except (BuildFailed, LocalStackError, NotMade, sam.TemplateError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def _build(environment: Environment) -> None:
    template = sam.read_template()
    refuse_wrong_parameters(environment, template["Parameters"])
    refuse_mistakes()
    if wrong := mistakes_in_file():
        raise BuildFailed("\n".join(wrong))
    if missing := find_missing_sentences(read_sources()):
        raise BuildFailed("\n".join(each.sentence for each in missing))
    about = template["Globals"]["Function"]
    python = find_python(about["Runtime"])
    if python is None:
        _skip(environment, about["Runtime"])
    print("sam validate --lint", flush=True)
    _sam(environment, "validate", "--lint")
    if python is None:
        return
    print("sam build (dependencies are downloaded once)", flush=True)
    _sam(environment, "build")
    document = made(begin(environment.parameters.get("PublicUrl") or "/"))
    artifacts = _make_artifacts(python, document)
    if sys.platform != "linux" or platform.machine() not in about["Architectures"]:
        built_for = f"Linux on {about['Architectures'][0]}"
        this_machine = f"{platform.system()} on {platform.machine()}"
        print(
            f"skipping the trial of the built functions: they are built for {built_for}, "
            f"and this machine is {this_machine}"
        )
        return
    runtime = Runtime(python, installed_client(python))
    print("importing all that each function can reach, from its artifact alone", flush=True)
    if left_out := [line for each in artifacts for line in missing_in(each, runtime)]:
        raise BuildFailed("\n".join(left_out))
    print(
        f"deploying to the emulator with the settings of {environment.name}, "
        "then calling every built function",
        flush=True,
    )
    if failed := try_functions(dict(_built()), runtime, environment.parameters):
        raise BuildFailed(f"These functions were built but do not work: {', '.join(failed)}.")


def _skip(environment: Environment, runtime: str) -> None:
    """Says that nothing is built. Raises `BuildFailed` if the build is for a deployment."""
    # A deployment would otherwise take the artifact of an earlier build.
    shutil.rmtree(BUILD, ignore_errors=True)
    needed = f"sam build needs a working {runtime} on PATH."
    if environment.name != _DEFAULT:
        raise BuildFailed(needed)
    print(f"{needed} The build and the trial of its functions are skipped.")


def find_python(name: str) -> str | None:
    """Path of the Lambda runtime's interpreter, such as `python3.13`; none if it does not work.

    A pyenv shim may be on PATH without a version behind it.
    """
    python = shutil.which(name, path=_PATH)
    works = (
        python
        and subprocess.run([python, "--version"], capture_output=True, check=False).returncode == 0  # noqa: S603
    )
    return python if works else None


def _built() -> Iterator[tuple[str, Path]]:
    """Handler and folder of each function that `sam build` built."""
    template: dict[str, Any] = yaml_parse((BUILD / "template.yaml").read_text())
    for each in template["Resources"].values():
        if each["Type"] == "AWS::Serverless::Function":
            about = each["Properties"]
            yield about["Handler"], (BUILD / about["CodeUri"]).resolve()


def installed_client(python: str) -> Path:
    """Folder with awslambdaric alone, in the version of the virtual environment."""
    wanted = version("awslambdaric")
    if not (_CLIENT / f"awslambdaric-{wanted}.dist-info").exists():
        print(
            f"installing awslambdaric {wanted}, AWS's runtime client, into a folder of its own",
            flush=True,
        )
        uv = str(Path(sys.executable).with_name("uv"))
        target = ["--python", python, "--target", str(_CLIENT), "--compile-bytecode"]
        _output([uv, "pip", "install", "--quiet", *target, f"awslambdaric=={wanted}"])
    return _CLIENT


def _sam(environment: Environment, *arguments: str) -> None:
    """Runs the SAM CLI; shows its warnings, or its whole output if it fails."""
    variables = (
        {"AWS_DEFAULT_REGION": "us-east-1"} | os.environ | {"SAM_CLI_TELEMETRY": "0", "PATH": _PATH}
    )
    output = _output([str(_SAM), *arguments, "--config-env", environment.name], variables)
    print(
        "".join(line for line in output.splitlines(keepends=True) if "warn" in line.lower()),
        end="",
        flush=True,
    )


def _output(command: list[str], environment: dict[str, str] | None = None) -> str:
    done = subprocess.run(  # noqa: S603 - our own commands
        command,
        cwd=sam.ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode:
        print(done.stdout, file=sys.stderr)
        raise BuildFailed(f"`{' '.join(command[:2])}` failed; its output is above.")
    return done.stdout


def _make_artifacts(python: str, document: bytes) -> list[Artifact]:
    """Prunes and compiles the artifacts, copies of what `sam build` keeps in its cache."""
    print("pruning each function to what it can reach, compiling to bytecode", flush=True)
    handlers: dict[Path, set[str]] = {}
    for handler, folder in _built():
        handlers.setdefault(folder, set()).add(handler)
    made = []
    for folder in sorted(handlers):
        before = megabytes(folder)
        made.append(make_artifact(folder, handlers[folder], python, document))
        print(f"  {folder.name}: {before:.1f} MB, of which it ships {megabytes(folder):.1f} MB")
    return made


if __name__ == "__main__":
    sys.exit(main())
