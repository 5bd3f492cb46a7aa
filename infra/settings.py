"""functions/settings.toml: the settings that there are, and their values on a command line."""

import importlib
import re
import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Literal, NamedTuple

import msgspec

from functions.core import config
from infra import sam
from infra.local.errors import LocalStackError

FILE = sam.ROOT / "functions/settings.toml"

PLACE = FILE.relative_to(sam.ROOT).as_posix()
MISSING = f"the file is missing. `git restore {PLACE}` brings it back."
DECLARATION = '@config.settings("'
"""Text by which a module with settings of the file is found."""
_DESCRIBED = re.compile(r"((?:^# .*\n|^#\n)*)^#?([a-z_]+) = ", re.MULTILINE)


class Setting(NamedTuple):
    """One setting of the file."""

    section: str
    key: str
    type: Any
    default: object

    @property
    def variable(self) -> str:
        """Environment variable that wins over the file, such as `APP_NAME`."""
        return config.profile_variable(self.section) if self.key == "profile" else self.key.upper()


@cache
def settings() -> Mapping[str, Setting]:
    """All settings of the file, by their environment variables."""
    found = [each for section in sections().values() for each in section.values()]
    return {each.variable: each for each in found}


def refuse_wrong_text(setting: Setting, text: str) -> None:
    """Raises `LocalStackError` for a text on a command line that is no value of a setting."""
    try:
        if text:
            config.from_text(text, setting.type)
    except msgspec.ValidationError as error:
        raise LocalStackError(wrong_value(setting.variable, text, error, setting.key)) from None


def ready(text: str) -> bytes:
    """The file as JSON, as functions read it in Lambda."""
    return msgspec.json.encode(tomllib.loads(text))


def descriptions(text: str) -> dict[str, str]:
    """Comments of settings, by their keys."""
    found: dict[str, str] = {}
    for comment, key in _DESCRIBED.findall(text):
        first = comment.partition("\n#\n")[0]
        told = " ".join(line.removeprefix("#").strip() for line in first.splitlines())
        found.setdefault(key, told)  # a stage may set it again
    return found


@cache
def sections() -> dict[str, dict[str, Setting]]:
    """Settings by section and key."""
    for path in sorted((sam.ROOT / "functions").rglob("*.py")):
        if DECLARATION in path.read_text():
            module = path.relative_to(sam.ROOT).with_suffix("")
            importlib.import_module(".".join(module.parts).removesuffix(".__init__"))
    found: dict[str, dict[str, Setting]] = {}
    for kind, (section, profiles) in config.registered().items():
        if not section:
            continue
        for field in msgspec.structs.fields(kind):
            if not is_of_environment(field):
                setting = Setting(section, field.name, field.type, field.default)
                found.setdefault(section, {})[field.name] = setting
        if profiles:
            names = Literal[(config.STANDARD, *profiles)]  # type: ignore[valid-type] # made here
            profile = Setting(section, "profile", names, config.STANDARD)
            found[section]["profile"] = profile
    return found


def is_of_environment(field: msgspec.structs.FieldInfo) -> bool:
    """Whether the environment alone has a field, because it names a resource."""
    return config.ENVIRONMENT in getattr(field.type, "__metadata__", ())


def wrong_value(name: str, value: object, error: msgspec.ValidationError, key: str) -> str:
    """Why a value cannot be, and what would be right, as the file's own comment says it."""
    right = descriptions(FILE.read_text()).get(key, "")
    return f"{name} cannot be {value!r}: {config.sentence_of(error)} {right}".strip()


def write_ready(folder: Path) -> None:
    """Puts the file's JSON beside it in a folder that holds functions/."""
    text = (folder / PLACE).read_text()
    (folder / PLACE).with_name(config.READY_FILE.name).write_bytes(ready(text))
