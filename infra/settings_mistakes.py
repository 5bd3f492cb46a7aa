"""Mistakes in functions/settings.toml, each with its line and what would be right.

`python -m infra.settings_mistakes` prints a sentence for each and exits with 1 if there are any.
"""

import difflib
import re
import sys
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec

from functions.core import config
from functions.core.config import SettingsError
from functions.core.messages.rendering import locales
from functions.core.messages.settings import MessageSettings
from infra import sam
from infra.local.errors import LocalStackError
from infra.samconfig import stages
from infra.settings import FILE, MISSING, PLACE, is_of_environment, sections, settings, wrong_value

_LOCAL = "local"
_HEADER = re.compile(r"\s*\[([^\[\]]+)\]\s*(?:#.*)?")
_KEY = re.compile(r"\s*([\w-]+(?:\s*\.\s*[\w-]+)*)\s*=")
_SOMETHING = "https://set.example"
"""Stands for a resource, so that rules between settings of the file can be checked without it."""
_NO_STAGE = "holds sections of a stage. Write [stage.<Stage>.<section>], such as [stage.prod.sms]."
Keys = tuple[str, ...]
"""Names of sections and a key, from the outermost, such as `("stage", "prod", "sms")`."""


def main() -> int:
    """1 with a sentence for each mistake in the file, or with `-` in the text on standard input."""
    found = mistakes(sys.stdin.read()) if sys.argv[1:] == ["-"] else _mistakes_in_file()
    for sentence in found:
        print(sentence, file=sys.stderr)
    return 1 if found else 0


def refuse_mistakes() -> None:
    """Raises `LocalStackError` with a sentence for each mistake in the file."""
    if found := _mistakes_in_file():
        raise LocalStackError("\n".join(found))


def _mistakes_in_file() -> list[str]:
    try:
        return mistakes(FILE.read_text("utf-8"))
    except FileNotFoundError:
        return [f"{PLACE}:1: {MISSING}"]
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        return [f"{PLACE}:{line}: the file is not UTF-8."]


def mistakes(text: str, known_stages: Iterable[str] | None = None) -> list[str]:
    """A sentence for each mistake in a text of the file, with its line, in the order of lines.

    Args:
        text: the file's.
        known_stages: names of stages; those of samconfig.toml and the local one by default.
    """
    if text.startswith("\ufeff"):
        return [f"{PLACE}:1: the file begins with a byte order mark. Save it as UTF-8 without one."]
    try:
        document = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # also of very long numbers and deep lists
        return [f"{PLACE}:{_line_of_error(error, text)}: {error}."]
    known = {_LOCAL, *(_stages_of(document) if known_stages is None else known_stages)}
    lines = _lines(text)
    found = [*_in_document(document, (), known)]
    if _holds_tables(document):
        found += _between(document, known & {*_stages(document)})
    numbered = sorted((_line_of(path, lines), sentence) for path, sentence in found)
    return list(dict.fromkeys(f"{PLACE}:{line}: {sentence}" for line, sentence in numbered))


def _in_document(
    document: Mapping[str, Any], above: Keys, known: set[str]
) -> Iterator[tuple[Keys, str]]:
    """Mistakes in sections: of the file, or of a stage."""
    for name, value in document.items():
        here = (*above, name)
        if name == "stage" and not above:
            for stage, of_stage in value.items() if isinstance(value, dict) else ():
                if stage not in known:
                    told = f"no environment has the stage {stage}{_similar(stage, known)}"
                    yield (*here, stage), f"{told} There are {', '.join(sorted(known))}."
                elif isinstance(of_stage, dict):
                    yield from _in_document(of_stage, (*here, stage), known)
                else:
                    yield (*here, stage), f"stage.{stage} {_NO_STAGE}"
            if not isinstance(value, dict):
                yield here, f"stage {_NO_STAGE}"
        elif not isinstance(value, dict) and name in sections():
            yield here, f"{name} is a section. Write [{'.'.join(here)}], and its settings below."
        elif not isinstance(value, dict):
            yield here, f"{name} stands in no section. {_whereabouts(name, '')}".strip()
        elif name not in sections():
            yield here, f"there is no section [{name}]{_similar(name, sections())}"
        else:
            yield from _in_section(name, value, here)


def _in_section(section: str, values: Mapping[str, Any], above: Keys) -> Iterator[tuple[Keys, str]]:
    for key, value in values.items():
        setting = sections()[section].get(key)
        if setting is None:
            told = _whereabouts(key, section)
            yield (*above, key), f"[{section}] has no setting {key}. {told}".strip()
        elif value != "":
            try:
                msgspec.convert(value, setting.type)
            except msgspec.ValidationError as error:
                yield (*above, key), wrong_value(key, value, error, key)


def _holds_tables(document: Mapping[str, Any]) -> bool:
    """Whether sections, stages and their sections are tables, as `config` reads them."""
    of_stages = document.get("stage", {})
    tables = [*document.values(), *(of_stages.values() if isinstance(of_stages, dict) else ())]
    for each in of_stages.values() if isinstance(of_stages, dict) else ():
        tables += each.values() if isinstance(each, dict) else ()
    return all(isinstance(each, dict) for each in tables)


def _between(document: Mapping[str, Any], known: Iterable[str]) -> Iterator[tuple[Keys, str]]:
    """Mistakes that settings make together, in each stage."""
    for kind, (section, _) in config.registered().items():
        for stage in ("", *known) if section else ():
            resources = {
                field.name.upper(): _SOMETHING
                for field in msgspec.structs.fields(kind)
                if is_of_environment(field) and field.default in {"", msgspec.NODEFAULT}
            }
            try:
                found = config.read_from(kind, resources | {"STAGE": stage}, document)
                if isinstance(found, MessageSettings):
                    locales.default_of(found.default_locale)
            except SettingsError as error:
                if "settings.toml, [" not in str(error):  # a value's own mistake, which is told
                    named = set(re.findall(r"\w+", str(error)))
                    key = next((k for k in sections()[section] if k.upper() in named), "")
                    yield _place(document, stage, section, key), str(error)


def _place(document: Mapping[str, Any], stage: str, section: str, key: str) -> Keys:
    """Path of a setting where it is said for a stage."""
    own = document.get("stage", {}).get(stage, {}).get(section, {})
    return ("stage", stage, section, key) if key in own else (section, key)


def _whereabouts(key: str, section: str) -> str:
    """Where a setting is that is in none or in another section, or what was meant."""
    for name, settings_of in sections().items():
        if key in settings_of:
            return f"It belongs in [{name}]."
    name = "".join(part.capitalize() for part in key.split("_"))
    if name in sam.read_template()["Parameters"]:
        return f"It is the parameter {name} of template.yaml; set it in samconfig.toml."
    near = sections().get(section) or {each.key for each in settings().values()}
    return _similar(key, near).removeprefix(".").strip()


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
    if not (path or within):
        return 1
    return lines.get(path) or (within[0] if within else _line_of(path[:-1], lines))


def _line_of_error(error: Exception, text: str) -> int:
    line = re.search(r"at line (\d+)", str(error))
    if line:
        return int(line[1])
    return max(1, len(text.splitlines())) if "end of document" in str(error) else 1


if __name__ == "__main__":
    sys.exit(main())
