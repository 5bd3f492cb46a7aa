"""functions/settings.toml: the settings that there are, and what is wrong with it.

`python -m infra.settings` prints a sentence for each mistake, with its line, and exits with 1.
"""

import difflib
import importlib
import re
import sys
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Literal, NamedTuple

import msgspec

from functions.core import config
from functions.core.config import SettingsError
from infra import sam
from infra.local.errors import LocalStackError
from infra.samconfig import stages

FILE = sam.ROOT / "functions/settings.toml"

_PLACE = FILE.relative_to(sam.ROOT).as_posix()
_LOCAL = "local"
_HEADER = re.compile(r"\s*\[([^\[\]]+)\]\s*(?:#.*)?")
_KEY = re.compile(r"\s*([\w-]+(?:\s*\.\s*[\w-]+)*)\s*=")
_DESCRIBED = re.compile(r"((?:^# .*\n|^#\n)*)^#?([a-z_]+) = ", re.MULTILINE)
_SOMETHING = "https://set.example"
"""Stands for a resource, so that rules between settings of the file can be checked without it."""

Keys = tuple[str, ...]
"""Names of sections and a key, from the outermost, such as `("stage", "prod", "sms")`."""


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


def main() -> int:
    """1 with a sentence for each mistake in the file, or with `-` in the text on standard input."""
    found = mistakes(sys.stdin.read() if sys.argv[1:] == ["-"] else FILE.read_text())
    for sentence in found:
        print(sentence, file=sys.stderr)
    return 1 if found else 0


def refuse_mistakes() -> None:
    """Raises `LocalStackError` with a sentence for each mistake in the file."""
    if found := mistakes(FILE.read_text()):
        raise LocalStackError("\n".join(found))


@cache
def settings() -> Mapping[str, Setting]:
    """All settings of the file, by their environment variables."""
    found = [each for section in _sections().values() for each in section.values()]
    return {each.variable: each for each in found}


def refuse_wrong_text(setting: Setting, text: str) -> None:
    """Raises `LocalStackError` for a text on a command line that is no value of a setting."""
    try:
        if text:
            config.from_text(text, setting.type)
    except msgspec.ValidationError as error:
        raise LocalStackError(_wrong(setting.variable, text, error, setting.key)) from None


def ready(text: str) -> bytes:
    """The file as JSON, as functions read it in Lambda."""
    return msgspec.json.encode(tomllib.loads(text))


def mistakes(text: str, known_stages: Iterable[str] | None = None) -> list[str]:
    """A sentence for each mistake in a text of the file, with its line, in the order of lines.

    Args:
        text: the file's.
        known_stages: names of stages; those of samconfig.toml and the local one by default.
    """
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        line = re.search(r"at line (\d+)", str(error))
        return [f"{_PLACE}:{line[1] if line else 1}: {error}."]
    known = {_LOCAL, *(_stages_of(document) if known_stages is None else known_stages)}
    lines = _lines(text)
    found = [*_in_document(document, (), known), *_between(document, known & {*_stages(document)})]
    numbered = sorted((_line_of(path, lines), sentence) for path, sentence in found)
    return list(dict.fromkeys(f"{_PLACE}:{line}: {sentence}" for line, sentence in numbered))


def descriptions(text: str) -> dict[str, str]:
    """Comments of settings, by their keys."""
    found: dict[str, str] = {}
    for comment, key in _DESCRIBED.findall(text):
        first = comment.partition("\n#\n")[0]
        told = " ".join(line.removeprefix("#").strip() for line in first.splitlines())
        found.setdefault(key, told)  # a stage may set it again
    return found


@cache
def _sections() -> dict[str, dict[str, Setting]]:
    """Settings by section and key."""
    for path in sorted((sam.ROOT / "functions").rglob("*.py")):
        if '@config.settings("' in path.read_text():
            module = path.relative_to(sam.ROOT).with_suffix("")
            importlib.import_module(".".join(module.parts).removesuffix(".__init__"))
    sections: dict[str, dict[str, Setting]] = {}
    for kind, (section, profiles) in config.registered().items():
        if not section:
            continue
        for field in msgspec.structs.fields(kind):
            if not _is_of_environment(field):
                setting = Setting(section, field.name, field.type, field.default)
                sections.setdefault(section, {})[field.name] = setting
        if profiles:
            names = Literal[(config.STANDARD, *profiles)]  # type: ignore[valid-type] # made here
            profile = Setting(section, "profile", names, config.STANDARD)
            sections[section]["profile"] = profile
    return sections


def _is_of_environment(field: msgspec.structs.FieldInfo) -> bool:
    return config.ENVIRONMENT in getattr(field.type, "__metadata__", ())


def _in_document(
    document: Mapping[str, Any], above: Keys, known: set[str]
) -> Iterator[tuple[Keys, str]]:
    """Mistakes in sections: of the file, or of a stage."""
    for name, value in document.items():
        here = (*above, name)
        if name == "stage" and not above and isinstance(value, dict):
            for stage, sections in value.items():
                if stage not in known:
                    told = f"no environment has the stage {stage}{_similar(stage, known)}"
                    yield (*here, stage), f"{told} There are {', '.join(sorted(known))}."
                elif isinstance(sections, dict):
                    yield from _in_document(sections, (*here, stage), known)
        elif not isinstance(value, dict):
            yield here, f"{name} stands in no section. {_whereabouts(name, '')}".strip()
        elif name not in _sections():
            yield here, f"there is no section [{name}]{_similar(name, _sections())}"
        else:
            yield from _in_section(name, value, here)


def _in_section(section: str, values: Mapping[str, Any], above: Keys) -> Iterator[tuple[Keys, str]]:
    for key, value in values.items():
        setting = _sections()[section].get(key)
        if setting is None:
            told = _whereabouts(key, section)
            yield (*above, key), f"[{section}] has no setting {key}. {told}".strip()
        elif value != "":
            try:
                msgspec.convert(value, setting.type)
            except msgspec.ValidationError as error:
                yield (*above, key), _wrong(key, value, error, key)


def _between(document: Mapping[str, Any], known: Iterable[str]) -> Iterator[tuple[Keys, str]]:
    """Mistakes that settings make together, in each stage."""
    for kind, (section, _) in config.registered().items():
        for stage in ("", *known) if section else ():
            resources = {
                field.name.upper(): _SOMETHING
                for field in msgspec.structs.fields(kind)
                if _is_of_environment(field) and field.default in {"", msgspec.NODEFAULT}
            }
            try:
                config.read_from(kind, resources | {"STAGE": stage}, document)
            except SettingsError as error:
                if "settings.toml, [" not in str(error):  # a value's own mistake, which is told
                    key = next((k for k in _sections()[section] if k.upper() in str(error)), "")
                    yield _place(document, stage, section, key), str(error)


def _place(document: Mapping[str, Any], stage: str, section: str, key: str) -> Keys:
    """Path of a setting where it is said for a stage."""
    own = document.get("stage", {}).get(stage, {}).get(section, {})
    return ("stage", stage, section, key) if key in own else (section, key)


def _wrong(name: str, value: object, error: msgspec.ValidationError, key: str) -> str:
    """Why a value cannot be, and what would be right, as the file's own comment says it."""
    right = descriptions(FILE.read_text()).get(key, "")
    return f"{name} cannot be {value!r}: {config.sentence_of(error)} {right}".strip()


def _whereabouts(key: str, section: str) -> str:
    """Where a setting is that is in none or in another section, or what was meant."""
    for name, settings_of in _sections().items():
        if key in settings_of:
            return f"It belongs in [{name}]."
    name = "".join(part.capitalize() for part in key.split("_"))
    if name in sam.read_template()["Parameters"]:
        return f"It is the parameter {name} of template.yaml; set it in samconfig.toml."
    near = _sections().get(section) or settings_by_key()
    return _similar(key, near).removeprefix(".").strip()


def settings_by_key() -> dict[str, Setting]:
    """All settings of the file, by their keys."""
    return {each.key: each for each in settings().values()}


def _similar(name: str, known: Iterable[str]) -> str:
    found = difflib.get_close_matches(name, list(known), n=1)
    return f". Did you mean {found[0]}?" if found else "."


def _stages_of(document: Mapping[str, Any]) -> Iterable[str]:
    """Stages of samconfig.toml; the document's own where that file cannot be read."""
    try:
        return stages()
    except ValueError:  # told by the commands that need the file
        return _stages(document)


def _stages(document: Mapping[str, Any]) -> list[str]:
    found = document.get("stage", {})
    return list(found) if isinstance(found, dict) else []


def _lines(text: str) -> dict[Keys, int]:
    """Lines of sections and keys, which tomllib does not tell."""
    found: dict[Keys, int] = {}
    section: Keys = ()
    for number, line in enumerate(text.splitlines(), start=1):
        if header := _HEADER.fullmatch(line):
            section = _parts(header[1])
            found.setdefault(section, number)
        elif key := _KEY.match(line):
            found.setdefault((*section, *_parts(key[1])), number)
    return found


def _parts(dotted: str) -> Keys:
    return tuple(part.strip().strip("\"'") for part in dotted.split("."))


def _line_of(path: Keys, lines: Mapping[Keys, int]) -> int:
    """Line of a key, else of the first thing in it, else of what it is in."""
    within = [line for each, line in lines.items() if each[: len(path)] == path]
    return lines.get(path) or (within[0] if within else _line_of(path[:-1], lines))


def write_ready(folder: Path) -> None:
    """Puts the file's JSON beside it in a folder that holds functions/."""
    text = (folder / _PLACE).read_text()
    (folder / _PLACE).with_name(config.READY_FILE.name).write_bytes(ready(text))


if __name__ == "__main__":
    sys.exit(main())
