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
from collections.abc import Iterable, Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

from samtranslator.yaml_helper import yaml_parse

from infra import sam
from infra.alias import ALIAS, has_alias, version_of, with_alias
from infra.artifacts.artifact import Artifact, make_artifact, megabytes
from infra.artifacts.machine import made_for_another
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

_TEMPLATE = BUILD / "template.yaml"
_SAM = sam.ROOT / ".venv-sam/bin/sam"
_CLIENT = sam.ROOT / ".aws-sam/runtime"
_PATH = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
"""PATH with the virtual environment first; its interpreter may be the one `sam build` needs."""

_ARCHITECTURES = {"aarch64": "arm64"}
"""Lambda's name of a processor, where Linux has another one."""

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
    runtime_name = template["Globals"]["Function"]["Runtime"]
    architecture = environment.value("Architecture", template)
    python = find_python(runtime_name)
    if python is None:
        _skip(environment, runtime_name)
    print("sam validate --lint", flush=True)
    _sam(environment, "validate", "--lint")
    if python is None:
        return
    print(f"sam build for {architecture} (dependencies are downloaded once)", flush=True)
    _sam(environment, "build", "--parameter-overrides", f"Architecture={architecture}")
    _finish_template(architecture, alias=environment.value("SnapStart", template) == "true")
    built = list(_built())
    if named := ", ".join(each.folder.name for each in built if each.has_alias):
        print(f"SnapStart: {named} will be published, and called by the alias {ALIAS}")
    document = made(begin(environment.parameters.get("PublicUrl") or "/"))
    artifacts = _make_artifacts(built, python, document, version_of(environment.parameters))
    _refuse_foreign(artifacts, architecture)
    this_machine = _ARCHITECTURES.get(platform.machine(), platform.machine())
    if (sys.platform, this_machine) != ("linux", architecture):
        print(
            f"skipping the trial of the built functions: they are built for Linux on "
            f"{architecture}, and this machine is {platform.system()} on {this_machine}"
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
    folders = {each.handler: each.folder for each in built}
    if failed := try_functions(folders, runtime, environment.parameters):
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


class _Built(NamedTuple):
    """A function that `sam build` built."""

    handler: str
    folder: Path
    has_alias: bool


def _built() -> Iterator[_Built]:
    template: dict[str, Any] = yaml_parse(_TEMPLATE.read_text())
    for each in template["Resources"].values():
        if each["Type"] == "AWS::Serverless::Function":
            about = each["Properties"]
            folder = (BUILD / about["CodeUri"]).resolve()
            yield _Built(about["Handler"], folder, has_alias(each))


def _finish_template(architecture: str, *, alias: bool) -> None:
    """Fits the built template to the build.

    The processor is a literal: a parameter that samconfig.toml leaves out keeps the value that the
    stack has, and the code would not run on it.
    """
    template = sam.read_template(_TEMPLATE)
    template["Globals"]["Function"]["Architectures"] = [architecture]
    _TEMPLATE.write_text(sam.dump(with_alias(template) if alias else template))


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


def _make_artifacts(
    built: list[_Built], python: str, document: bytes, version: bytes
) -> list[Artifact]:
    """Prunes and compiles the artifacts, copies of what `sam build` keeps in its cache."""
    print("pruning each function to what it can reach, compiling to bytecode", flush=True)
    made = []
    for folder in sorted({each.folder for each in built}):
        here = [each for each in built if each.folder == folder]
        handlers = {each.handler for each in here}
        before = megabytes(folder)
        published = version if any(each.has_alias for each in here) else b""
        made.append(make_artifact(folder, handlers, python, document, published))
        print(f"  {folder.name}: {before:.1f} MB, of which it ships {megabytes(folder):.1f} MB")
    return made


def _refuse_foreign(artifacts: Iterable[Artifact], architecture: str) -> None:
    """Raises `BuildFailed` for machine code of another processor, as a cache may hold it."""
    foreign = [
        str(path.relative_to(BUILD))
        for each in artifacts
        for path in made_for_another(each.folder, architecture)
    ]
    if foreign:
        raise BuildFailed(f"Not for {architecture}: {', '.join(foreign)}")


if __name__ == "__main__":
    sys.exit(main())
