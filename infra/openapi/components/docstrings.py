"""Docstrings of functions, classes and attributes, as texts for clients."""

import ast
import inspect
import re
from functools import cache
from itertools import pairwise
from textwrap import dedent
from typing import NamedTuple

from functions.core import errors

_SECTION = re.compile(r"^(Args|Raises|Returns|Yields):$")
_NAME = re.compile(r"[A-Z]\w+")


class Told(NamedTuple):
    """Parts of a docstring."""

    summary: str
    """First sentence, without its full stop."""
    description: str
    """The rest, one line a paragraph; the summary where there is no rest."""
    raises: tuple[type[Exception], ...]
    """Errors of functions.core.errors in the section `Raises`."""


def told(documented: object, name: str) -> Told:
    """Docstring of a function or a class. Without one, its name says what it does."""
    paragraphs = _paragraphs(inspect.getdoc(documented) or "")
    text = [each for each in paragraphs if not _SECTION.match(each[0])]
    first, *rest = [" ".join(each) for each in text] or [name.replace("_", " ").capitalize()]
    summary, _, more = first.partition(". ")
    description = "\n\n".join(each for each in (more, *rest) if each)
    return Told(summary.rstrip("."), description or f"{summary.rstrip('.')}.", _raised(paragraphs))


def class_text(kind: type) -> str:
    """Docstring of a class as one text; empty without one of its own."""
    own = kind.__dict__.get("__doc__") or ""
    paragraphs = _paragraphs(inspect.cleandoc(own))
    return "\n\n".join(" ".join(each) for each in paragraphs if not _SECTION.match(each[0]))


@cache
def attribute_texts(kind: type) -> dict[str, str]:
    """Docstrings of a class's attributes and of those that it inherits, by name."""
    found: dict[str, str] = {}
    for each in reversed(kind.__mro__):
        if each.__module__.partition(".")[0] not in {"builtins", "msgspec"}:
            found |= _own_attribute_texts(each)
    return found


def _own_attribute_texts(kind: type) -> dict[str, str]:
    (tree,) = ast.parse(dedent(inspect.getsource(kind))).body
    body = tree.body if isinstance(tree, ast.ClassDef) else []
    return {
        field.target.id: " ".join(inspect.cleandoc(text.value.value).split())
        for field, text in pairwise(body)
        if isinstance(field, ast.AnnAssign)
        and isinstance(field.target, ast.Name)
        and isinstance(text, ast.Expr)
        and isinstance(text.value, ast.Constant)
        and isinstance(text.value.value, str)
    }


def _paragraphs(text: str) -> list[list[str]]:
    blocks = re.split(r"\n\s*\n", text.strip())
    return [[line.strip() for line in block.splitlines()] for block in blocks if block.strip()]


def _raised(paragraphs: list[list[str]]) -> tuple[type[Exception], ...]:
    lines = [line for each in paragraphs if each[0] == "Raises:" for line in each[1:]]
    names = [name for line in lines for name in _NAME.findall(line.partition(":")[0])]
    return tuple(found for name in names if (found := getattr(errors, name, None)))
