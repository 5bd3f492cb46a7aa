"""Settings on make's command line: port, state folder, parameters and settings of the code."""

import difflib
import os
import re
from typing import NamedTuple

from infra import sam, settings
from infra.local.errors import LocalStackError
from infra.parameters import refuse_wrong, upper_snake


class SettingsArguments(NamedTuple):
    """Settings such as `PORT=9000 DELETE_AFTER_SECONDS=20`."""

    state: str
    """Path of a folder; empty if none was given."""
    port: int
    parameters: dict[str, str]
    """Values by parameter name."""
    debug: str
    """Name of the function that waits for a debugger; empty if none was given."""
    variables: dict[str, str]
    """Settings of functions/settings.toml, by their environment variables."""


def read_settings_arguments(words: list[str], default_port: int) -> SettingsArguments:
    """Settings in `words` (`NAME=value`), or those on make's command line if there are none.

    Raises:
        LocalStackError: for an unknown setting or an invalid value.
    """
    values = dict(word.split("=", 1) for word in words if "=" in word) or _make_arguments()
    state, debug = values.pop("STATE", ""), values.pop("DEBUG", "")
    port = values.pop("PORT", str(default_port))
    template = sam.read_template()
    declared = {upper_snake(name): name for name in template["Parameters"]}
    known = {*declared, *settings.settings()}
    if unknown := sorted(values.keys() - known):
        similar = difflib.get_close_matches(unknown[0], known, n=1)
        meant = f" Did you mean {similar[0]}?" if similar else ""
        raise LocalStackError(
            f"No such setting: {', '.join(unknown)}.{meant} "
            f"There are DEBUG, PORT, {', '.join(sorted(known))}."
        )
    if not (port.isascii() and port.isdecimal()) or int(port) > 65_535:  # noqa: PLR2004 - the largest TCP port
        raise LocalStackError(f"PORT must be a number up to 65535, not {port!r}.")
    parameters = {declared[name]: values[name] for name in values.keys() & declared.keys()}
    variables = {name: value for name, value in values.items() if name not in declared}
    for name, value in parameters.items():
        refuse_wrong(upper_snake(name), value, template["Parameters"][name])
    for name, value in variables.items():
        settings.refuse_wrong_text(settings.settings()[name], value)
    return SettingsArguments(state, int(port), parameters, debug, variables)


def _make_arguments() -> dict[str, str]:
    """Variables on make's command line: make exports them, and names them in MAKEFLAGS."""
    flags = os.environ.get("MAKEFLAGS", "")
    names = re.findall(r"(?:^|(?<!\\)\s)([A-Za-z_]\w*)=", flags.partition("-- ")[2] or flags)
    return {name: os.environ[name] for name in names if name in os.environ}
