"""Environments of samconfig.toml: where each is deployed to, and with which parameters."""

import difflib
import shlex
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from infra import sam
from infra.local.errors import LocalStackError
from infra.parameters import refuse_wrong, upper_snake

FILE = sam.ROOT / "samconfig.toml"


class Environment(NamedTuple):
    """One environment of samconfig.toml."""

    name: str
    stack: str
    region: str | None
    """Region; null for that of the AWS CLI's settings."""
    profile: str | None
    """Profile of the AWS CLI; null for the current one."""
    parameters: dict[str, str]
    """Stack parameters that the environment sets."""

    def value(self, name: str, template: Mapping[str, Any]) -> str:
        """Value of a parameter; the template has its default."""
        return self.parameters.get(name) or str(template["Parameters"][name]["Default"])


def read_environment(name: str, file: Path = FILE) -> Environment:
    """An environment by its name.

    Raises:
        ValueError: when there is no such environment, or the file cannot be read.
    """
    sections = _read(file)
    if name not in sections or "stack_name" not in _options(sections, name, "deploy"):
        raise ValueError(
            f"samconfig.toml has no environment {name!r}. It has: {', '.join(_deployed(sections))}."
        )
    deploy = _options(sections, name, "deploy")
    # An environment that is only built has its parameters in the section of `sam build`.
    given = (
        deploy.get("parameter_overrides")
        or _options(sections, name, "build").get("parameter_overrides")
        or []
    )
    return Environment(
        name,
        deploy["stack_name"],
        deploy.get("region"),
        deploy.get("profile"),
        _parameters(name, given),
    )


def stages(file: Path = FILE) -> set[str]:
    """Stages of all environments. Raises `ValueError` when the file cannot be read."""
    names = (name for name, about in _read(file).items() if isinstance(about, dict))
    declared = sam.read_template()["Parameters"]["Stage"]["Default"]
    return {read_environment(name, file).parameters.get("Stage", declared) for name in names}


def refuse_wrong_parameters(environment: Environment, declared: Mapping[str, Any]) -> None:
    """Raises `ValueError` for parameters that CloudFormation would refuse or the SAM CLI drop.

    Args:
        environment: its parameters are checked.
        declared: `Parameters` of template.yaml.
    """
    for name, value in environment.parameters.items():
        if name not in declared:
            raise ValueError(
                _wrong(
                    environment.name,
                    f"template.yaml has no parameter {name}{_whereabouts(name, declared)}",
                )
            )
        try:
            refuse_wrong(name, value, declared[name])
        except LocalStackError as error:
            raise ValueError(_wrong(environment.name, str(error))) from None
    if missing := [
        name
        for name in declared
        if "Default" not in declared[name] and name not in environment.parameters
    ]:
        raise ValueError(_wrong(environment.name, f"{', '.join(missing)} must be set."))


def _read(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text())
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise ValueError(f"samconfig.toml cannot be read: {error}") from None


def _options(sections: Mapping[str, Any], name: str, command: str) -> dict[str, Any]:
    """Options of a command of the SAM CLI; they win over the global ones."""
    about: dict[str, dict[str, Any]] = {
        section: each.get("parameters", {}) for section, each in sections[name].items()
    }
    return about.get("global", {}) | about.get(command, {})


def _deployed(sections: Mapping[str, Any]) -> list[str]:
    return [
        name for name, about in sections.items() if isinstance(about, dict) and "deploy" in about
    ]


def _parameters(name: str, given: object) -> dict[str, str]:
    """Parameters in any form that the SAM CLI reads: list, text or table."""
    if isinstance(given, dict):
        return {
            key: ",".join(map(str, value)) if isinstance(value, list) else str(value)
            for key, value in given.items()
        }
    texts = given if isinstance(given, list) else [str(given)]
    try:
        words = [word for text in texts for word in shlex.split(text)]
    except ValueError as error:
        raise ValueError(_wrong(name, f"parameter_overrides cannot be read: {error}.")) from None
    if wrong := [word for word in words if "=" not in word]:
        raise ValueError(
            _wrong(
                name,
                f"parameter_overrides are Name=value, or \"Name='two words'\", not {wrong[0]!r}.",
            )
        )
    return dict(word.split("=", 1) for word in words)


def _wrong(name: str, sentence: str) -> str:
    return f"samconfig.toml, environment {name}: {sentence}"


def _whereabouts(name: str, declared: Mapping[str, Any]) -> str:
    """Where a parameter is that is not there: in functions/settings.toml, or under another name."""
    from infra.settings import settings  # noqa: PLC0415 - which imports this module

    if setting := settings().get(upper_snake(name)):
        return f". Set {setting.key} in functions/settings.toml, section [{setting.section}]."
    return _similar(name, declared)


def _similar(name: str, declared: Mapping[str, Any]) -> str:
    found = difflib.get_close_matches(name, declared, n=1)
    return f". Did you mean {found[0]}?" if found else "."
