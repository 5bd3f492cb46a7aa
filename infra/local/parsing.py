"""Finds mistakes in the files of functions/ without running them."""

import json
import re
import tomllib
import warnings
from collections.abc import Callable, Iterable, Mapping
from pathlib import PurePosixPath

from jinja2 import Environment, TemplateSyntaxError

from infra.local.mistake import Mistake

Sources = Mapping[str, bytes]
"""Contents of files by path in the project."""

_TEMPLATES = "functions/core/messages/templates/"


class _SyntaxMistake(Exception):
    def __init__(self, what: str, line: int | None) -> None:
        super().__init__(what)
        self.what, self.line = what, line


def find_mistakes(sources: Sources, paths: Iterable[str]) -> list[Mistake]:
    """Syntax errors in Python, JSON, TOML and Jinja files; the first of each file."""
    return [mistake for path in sorted(paths) if (mistake := _mistake(path, sources[path]))]


def line_text(content: bytes, line: int | None) -> str:
    """Text of a line, counted from 1; empty if there is no such line."""
    lines = content.decode(errors="replace").splitlines()
    return lines[line - 1] if line and line <= len(lines) else ""


def _mistake(path: str, content: bytes) -> Mistake | None:
    check = _check_of(path)
    try:
        if check:
            check(path, content)
    except _SyntaxMistake as mistake:
        return Mistake(mistake.what, path, mistake.line, line_text(content, mistake.line))
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        return Mistake(
            "UnicodeDecodeError: the file is not UTF-8", path, line, line_text(content, line)
        )
    return None


def _check_of(path: str) -> Callable[[str, bytes], None] | None:
    suffix = PurePosixPath(path).suffix
    if path.startswith(_TEMPLATES) and suffix in {".html", ".txt"}:
        return _check_template
    return {".py": _check_python, ".json": _check_json, ".toml": _check_toml}.get(suffix)


def _check_python(path: str, content: bytes) -> None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compile(content, path, "exec", dont_inherit=True)
    except (SyntaxError, ValueError) as error:
        what = error.msg if isinstance(error, SyntaxError) else error
        raise _SyntaxMistake(
            f"{type(error).__name__}: {what}", getattr(error, "lineno", None)
        ) from None


def _check_json(_: str, content: bytes) -> None:
    try:
        json.loads(content.decode())
    except json.JSONDecodeError as error:
        raise _SyntaxMistake(f"invalid JSON: {error.msg}", error.lineno) from None


def _check_toml(_: str, content: bytes) -> None:
    try:
        tomllib.loads(content.decode())
    except tomllib.TOMLDecodeError as error:
        match = re.search(r"at line (\d+)", str(error))
        line = int(match[1]) if match else content.count(b"\n") + 1  # "at end of document"
        raise _SyntaxMistake(f"invalid TOML: {error}", line) from None


def _check_template(_: str, content: bytes) -> None:
    try:
        Environment(autoescape=True).parse(content.decode())
    except TemplateSyntaxError as error:
        raise _SyntaxMistake(f"TemplateSyntaxError: {error.message}", error.lineno) from None
