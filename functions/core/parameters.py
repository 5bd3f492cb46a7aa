"""Typed parameters and results: the base classes of a workflow's types, and parameters read from JSON values."""

import re
from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec

from functions.core.errors import FieldError, InvalidParameters


class Parameters(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Base of a workflow's parameters. Unknown fields are refused; an optional field needs a default."""


class Result(msgspec.Struct, kw_only=True):
    """Base of a workflow's result. Absent values are null, so that the shape of an answer is always the same."""


P = TypeVar("P", bound=Parameters)


def read_parameters(kind: type[P], values: Mapping[str, Any], *, strict: bool = True) -> P:
    """Converts JSON values to a workflow's parameters.

    null and "" count as absent for optional parameters, because no-code clients send them for empty fields. With `strict`
    false, texts are converted to what is wanted ("5", "true"): cells of a CSV and query parameters are all texts.

    Raises:
        InvalidParameters: with a JSON pointer to what is wrong.
    """
    optional = {field.encode_name for field in msgspec.structs.fields(kind) if not field.required}
    given = {name: value for name, value in values.items() if name not in optional or value not in (None, "")}
    try:
        return msgspec.convert(given, kind, strict=strict)
    except msgspec.ValidationError as error:
        raise InvalidParameters(_field_error(str(error))) from None


_NAMES = {"str": "text", "int": "a whole number", "float": "a number", "bool": "true or false", "array": "a list"}
_NAMES |= {"object": "an object", "null": "null"}

# msgspec's messages, in our own words. Names of fields are the client's: they may be anything.
_MISSING = re.compile(r"Object missing required field `(.+?)`")
_UNKNOWN = re.compile(r"Object contains unknown field `(.*?)`(?: - at `|$)", re.DOTALL)

NOT_A_PARAMETER = "is not a parameter of this workflow"
LONGEST_NAME = 64
"""Characters of an unknown parameter's name that are told; whoever sends a longer one knows it."""
_SENTENCES = {
    r"Expected `str` of length >= 1$": "must not be empty",
    r"Expected `(?:str|array|object|bytes)` of length (>=|<=) (\d+)": "length must be {0} {1}",
    r"Expected `(?:int|float)` (>=|<=|<|>) (\S+)": "must be {0} {1}",
    r"Expected `str` matching regex": "does not have the right form",
    r"Invalid enum value": "is not one of the allowed values",
    r"Invalid RFC3339": "must be a time like 2026-01-31T12:00:00Z",
}


def _field_error(message: str) -> FieldError:
    what, _, path = message.rpartition(" - at `") if " - at `$" in message else (message, "", "")
    pointer = _pointer(path.rstrip("`"))
    if found := _MISSING.match(what):
        return FieldError(f"{pointer}/{_escape(found[1])}", "is required")
    if found := _UNKNOWN.match(what):
        return FieldError(f"{pointer}/{_escape(found[1][:LONGEST_NAME])}", NOT_A_PARAMETER)
    for pattern, sentence in _SENTENCES.items():
        if found := re.match(pattern, what):
            return FieldError(pointer, sentence.format(*found.groups()))
    return FieldError(pointer, _type_sentence(what))


def _type_sentence(what: str) -> str:
    found = re.match(r"Expected `(.+?)`(?:, got `(.+?)`)?", what)
    if not found:
        return "is not valid"
    wanted = [_NAMES.get(name.strip(), name.strip()) for name in found[1].split("|") if name.strip() != "null"]
    return f"must be {' or '.join(wanted)}" + (f", not {_NAMES.get(found[2], found[2])}" if found[2] else "")


def _pointer(path: str) -> str:
    """`$.items[3].to` as a JSON pointer: `/items/3/to`."""
    steps = re.findall(r"\.([^.\[]+)|\[(\d+|\.\.\.)\]", path.removeprefix("$"))
    return "".join(f"/{_escape(name or index)}" for name, index in steps)


def _escape(step: str) -> str:
    return step.replace("~", "~0").replace("/", "~1")
