"""Settings on make's command line: port, state folder and parameters of template.yaml."""

import math
import os
import re
from typing import Any, NamedTuple

from infra import sam
from infra.local.errors import LocalStackError


class Given(NamedTuple):
    """Settings such as `PORT=9000 DELETE_AFTER_SECONDS=20`."""

    state: str
    """Path of a folder; empty if none was given."""
    port: int
    parameters: dict[str, str]
    """Values by parameter name."""


def read_given(words: list[str], default_port: int) -> Given:
    """Settings in `words` (`NAME=value`), or those on make's command line if there are none.

    Raises:
        LocalStackError: for an unknown setting or an invalid value.
    """
    given = dict(word.split("=", 1) for word in words if "=" in word) or _given_to_make()
    state = given.pop("STATE", "")
    port = given.pop("PORT", str(default_port))
    template = sam.read_template()
    declared = {upper_snake(name): name for name in template["Parameters"]}
    if unknown := sorted(set(given) - set(declared)):
        raise LocalStackError(
            f"No such setting: {', '.join(unknown)}. There are PORT, {', '.join(sorted(declared))}."
        )
    if not (port.isascii() and port.isdecimal()) or int(port) > 65_535:  # noqa: PLR2004 - the largest TCP port
        raise LocalStackError(f"PORT must be a number up to 65535, not {port!r}.")
    parameters = {declared[name]: value for name, value in given.items()}
    for name, value in parameters.items():
        refuse_wrong(upper_snake(name), value, template["Parameters"][name])
    return Given(state, int(port), parameters)


def upper_snake(name: str) -> str:
    """`AppName` as `APP_NAME`, the form in make and in the functions' environment."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).upper()


def _given_to_make() -> dict[str, str]:
    """Variables on make's command line: make exports them, and names them in MAKEFLAGS."""
    flags = os.environ.get("MAKEFLAGS", "")
    names = re.findall(r"(?:^|(?<!\\)\s)([A-Za-z_]\w*)=", flags.partition("-- ")[2] or flags)
    return {name: os.environ[name] for name in names if name in os.environ}


def refuse_wrong(name: str, value: str, declared: dict[str, Any]) -> None:
    """Raises `LocalStackError` for a value that only CloudFormation would refuse."""
    low, high = declared.get("MinValue", -math.inf), declared.get("MaxValue", math.inf)
    if declared["Type"] == "Number" and not (
        value.isascii() and value.isdecimal() and low <= int(value) <= high
    ):
        raise LocalStackError(f"{name} must be a whole number from {low} to {high}, not {value!r}.")
    pattern, allowed = declared.get("AllowedPattern", ""), declared.get("AllowedValues", [value])
    fits = declared.get("MinLength", 0) <= len(value) <= declared.get("MaxLength", math.inf)
    if (pattern and not re.fullmatch(pattern, value)) or value not in map(str, allowed) or not fits:
        raise LocalStackError(f"{name} cannot be {value!r}. {declared['Description']}")
