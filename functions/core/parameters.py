"""Typed parameters and results: their base classes, and parameters read from JSON values."""

import re
from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Any, ClassVar, Self, TypeVar

import msgspec
from msgspec import inspect

from functions.core import config
from functions.core.cells import alternatives, inner_type, json_of, read_cells
from functions.core.errors import FieldError, InvalidParameters


class Parameters(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Base of a workflow's parameters.

    Unknown fields are refused; an optional field needs a default.
    """

    def check(self) -> None:
        """Checks what types cannot express. Raises `InvalidParameters`.

        Also called for each item of a list before a run starts.
        """

    def check_origin(self, started_by: str | None) -> None:
        """Raises `InvalidParameters` for what only some parts of the platform may request.

        Also called for each item of a list before a run starts.

        Args:
            started_by: `Call.started_by`; null for a client's request.
        """


class NoParameters(Parameters):
    """Body of a call that takes no parameters."""


class Result(msgspec.Struct, kw_only=True):
    """Base of a workflow's result. Absent values are null: an answer always has the same shape."""


class NotValid(ValueError):
    """A text does not fit its type. Clients read the message; it never repeats the text."""


class ValidatedStr(str):
    """Base of types for validated texts, such as an email address.

    class OrderNumber(ValidatedStr):
        @classmethod
        def read(cls, text: str) -> Self:
            if not text.isdecimal():
                raise NotValid("must be the digits of an order number")
            return cls(text)

        @classmethod
        def schema(cls) -> dict[str, Any]:
            return {"pattern": "^[0-9]+$", "examples": ["1042"]}
    """

    __slots__ = ()

    @classmethod
    def read(cls, text: str) -> Self:
        """The validated, normalised text. Raises `NotValid`."""
        return cls(text)

    @classmethod
    def schema(cls) -> dict[str, Any]:
        """JSON Schema keywords for openapi.json: lengths, a pattern, examples."""
        return {}


class NumericStr(ValidatedStr):
    """Base of types for texts that are mostly digits, which no-code clients send as JSON numbers.

    A whole number is read as its digits, because nothing of it is lost but leading zeros. A number
    with a fraction or an exponent is refused: digits of it may be lost.
    """

    shortest: ClassVar[int] = 0
    longest: ClassVar[int]

    was_number: bool = False
    """Whether it came as a number, which has lost its leading zeros."""

    @classmethod
    def read(cls, text: str) -> Self:
        """The text, if its length is right. Raises `NotValid`."""
        if len(text) < cls.shortest:
            raise NotValid("must not be empty")
        if len(text) > cls.longest:
            raise NotValid(f"length must be <= {cls.longest}")
        return cls(text)

    @classmethod
    def read_number(cls, number: object) -> Self:
        """The digits of a whole number. Raises `NotValid`."""
        if type(number) is not int or number < 0:  # true and false are of a subclass of int
            raise NotValid("must be text, or a whole number without sign, fraction and exponent")
        read = cls.read(str(number))
        read.was_number = True
        return read

    @classmethod
    def schema(cls) -> dict[str, Any]:
        """Its lengths. The type stays string, so that generated clients have one type for it."""
        return ({"minLength": cls.shortest} if cls.shortest else {}) | {"maxLength": cls.longest}


P = TypeVar("P", bound=Parameters)


def read_parameters(
    kind: type[P], values: Mapping[str, Any], at: str = "", *, strict: bool = True
) -> P:
    """Converts JSON values to a workflow's parameters.

    null and "" count as absent for optional parameters, because no-code clients send them for empty
    fields.

    Args:
        kind: what they are converted to.
        values: as they came.
        at: a JSON pointer to where they stood in what the client sent.
        strict: if not, texts become what is wanted ("5", "true", "[1, 2]"): cells of a CSV and
            query parameters are all texts. A text stays one where the type takes texts.

    Raises:
        InvalidParameters: with a JSON pointer to what is wrong.
    """
    present: Mapping[str, Any] = given(kind, values)
    try:
        present = present if strict else read_cells(present, kind)
        parameters = msgspec.convert(present, kind, dec_hook=_read_validated)
    except msgspec.ValidationError as error:
        wrong = _field_error(kind, str(error), known=isinstance(error.__cause__, NotValid))
        found = _name_errors(kind, present) if wrong.detail.startswith(NOT_A_PARAMETER) else ()
        raise InvalidParameters(
            *(FieldError(at + each.pointer, each.detail) for each in found or (wrong,))
        ) from None
    parameters.check()
    return parameters


def given(kind: type[Parameters], values: Mapping[str, Any]) -> dict[str, Any]:
    """The values without those that count as absent: null and "" of optional parameters."""
    optional = _optional(kind)
    return {
        name: value
        for name, value in values.items()
        if name not in optional or value not in (None, "")
    }


@config.cached(lasting=True)
def _optional(kind: type[Parameters]) -> frozenset[str]:
    """Names of the optional parameters; msgspec would resolve the types anew for each call."""
    fields = msgspec.structs.fields(kind)
    return frozenset(field.encode_name for field in fields if not field.required)


def encode_validated(value: object) -> str:
    """Msgspec's `enc_hook`: a validated text is a plain text in JSON."""
    if isinstance(value, ValidatedStr):
        return str(value)
    raise NotImplementedError(f"{type(value).__name__} cannot stand in a result.")


def _read_validated(kind: type, value: object) -> ValidatedStr:
    """Msgspec's `dec_hook`."""
    if not issubclass(kind, ValidatedStr):
        raise NotImplementedError(f"{kind.__name__} cannot be a parameter's type.")
    if isinstance(value, str):
        return kind.read(value)
    if issubclass(kind, NumericStr):
        return kind.read_number(value)
    raise NotValid("must be text")


def merged(
    item: Mapping[str, Any], parameters: Mapping[str, Any], *, lenient: bool = False
) -> dict[str, Any]:
    """An item's parameters; those that it lacks come from the parameters common to all items.

    Objects are merged field by field, however deep. An item's own list stands as it is.

    Args:
        item: the item's own parameters. Null and "" count as absent where there is a common value.
        parameters: common to all items.
        lenient: whether an object may be a text, its JSON, as in a cell of a CSV.

    Raises:
        InvalidParameters: they are nested too deep.
    """
    try:
        return _merged(item, parameters, lenient=lenient)
    except RecursionError:
        raise InvalidParameters(FieldError("", "has objects within objects too deep")) from None


def _merged(
    item: Mapping[str, Any], parameters: Mapping[str, Any], *, lenient: bool
) -> dict[str, Any]:
    whole = dict(parameters)
    for name, own in item.items():
        common = parameters.get(name)
        if isinstance(common, Mapping) and isinstance(
            fields := _object(own, lenient=lenient), Mapping
        ):
            whole[name] = _merged(fields, common, lenient=lenient)
        elif own not in (None, "") or name not in parameters:
            whole[name] = own
    return whole


def _object(value: object, *, lenient: bool) -> object:
    return json_of(value) if lenient and isinstance(value, str) else value


_NAMES = {
    "str": "text",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "array": "a list",
}
_NAMES |= {"object": "an object", "null": "null"}

# Patterns of msgspec's messages. Field names come from the client and may be anything.
_MISSING = re.compile(r"Object missing required field `(.+?)`")
_UNKNOWN = re.compile(r"Object contains unknown field `(.*?)`(?: - at `|$)", re.DOTALL)

_STEP = re.compile(r"\.([^.\[`]+)|\[(\d+|\.\.\.)\]")
"""Step of msgspec's path: a field, an index, or `[...]` for any key of an object."""

NOT_A_PARAMETER = "is not a parameter here"
"""Beginning of the sentence on an unknown name; the nearest name may follow."""
_REQUIRED = "is required"
LONGEST_NAME = 64
"""Characters of an unknown parameter's name that a problem repeats."""
_MOST_NAMES = 10
"""Unknown names in a problem: all columns of a usual header, but no client's thousands."""
_SENTENCES = {
    r"Expected `str` of length >= 1$": "must not be empty",
    r"Expected `(?:str|array|object|bytes)` of length (>=|<=) (\d+)": "length must be {0} {1}",
    r"Expected `(?:int|float)` (>=|<=|<|>) (\S+)": "must be {0} {1}",
    r"Expected `str` matching regex": "does not have the right form",
    r"Invalid RFC3339 encoded date$": "must be a date like 2026-01-31",
    r"Expected `datetime` with a timezone": "must have its offset, like 2026-01-31T12:00:00Z",
    r"Invalid RFC3339": "must be a time like 2026-01-31T12:00:00Z",
}


_NOT_ALLOWED = "Invalid enum value"
_MAX_VALUES_NAMED = 10


def _field_error(kind: type, message: str, *, known: bool) -> FieldError:
    """`known`: the message is already one of our sentences."""
    message = message.replace(" - at `key` in `$", " - at `$")
    what, _, path = message.rpartition(" - at `") if " - at `$" in message else (message, "", "")
    pointer = _pointer(path.rstrip("`"))
    if known:
        return FieldError(pointer, what)
    if found := _MISSING.match(what):
        return FieldError(f"{pointer}/{_escape(found[1])}", _REQUIRED)
    if found := _UNKNOWN.match(what):
        return _unknown_name(pointer, found[1], _names(kind, path))
    if what.startswith(_NOT_ALLOWED):
        return FieldError(pointer, _allowed_sentence(_allowed_values(kind, path)))
    for pattern, sentence in _SENTENCES.items():
        if found := re.match(pattern, what):
            return FieldError(pointer, sentence.format(*found.groups()))
    return FieldError(pointer, _type_sentence(what))


def _name_errors(kind: type[Parameters], values: Mapping[str, Any]) -> list[FieldError]:
    """Unknown names among the values, and required ones that are missing: none if all are right."""
    fields = {field.encode_name: field.required for field in msgspec.structs.fields(kind)}
    unknown = list(islice((name for name in values if name not in fields), _MOST_NAMES))
    missing = [name for name, required in fields.items() if required and name not in values]
    errors = [_unknown_name("", name, fields) for name in unknown]
    return errors + [FieldError(f"/{_escape(name)}", _REQUIRED) for name in missing if unknown]


def _unknown_name(pointer: str, name: str, known: Iterable[str]) -> FieldError:
    from difflib import get_close_matches  # noqa: PLC0415 - only a mistake pays for it

    name = name[:LONGEST_NAME]
    lower = {each.lower(): each for each in known}
    near = [lower[each] for each in get_close_matches(name.lower(), lower, n=1)]
    hint = f"; did you mean {near[0]}?" if near else ""
    return FieldError(f"{pointer}/{_escape(name)}", f"{NOT_A_PARAMETER}{hint}")


def _type_sentence(what: str) -> str:
    found = re.match(r"Expected `(.+?)`(?:, got `(.+?)`)?", what)
    if not found:
        return "is not valid"
    wanted = [
        _NAMES.get(name.strip(), name.strip())
        for name in found[1].split("|")
        if name.strip() != "null"
    ]
    return f"must be {' or '.join(wanted)}" + (
        f", not {_NAMES.get(found[2], found[2])}" if found[2] else ""
    )


def _allowed_sentence(values: list[str]) -> str:
    if not 1 <= len(values) <= _MAX_VALUES_NAMED:
        return "is not one of the allowed values"
    return f"must be one of: {', '.join(values)}"


def _allowed_values(kind: type, path: str) -> list[str]:
    """Values that the type allows at one of msgspec's paths; none where it names none."""
    literals = [each for each in _types(kind, path) if isinstance(each, inspect.LiteralType)]
    return [str(value) for each in literals for value in each.values]


def _names(kind: type, path: str) -> list[str]:
    """Names of the fields at one of msgspec's paths."""
    structs = [each for each in _types(kind, path) if isinstance(each, inspect.StructType)]
    return [field.encode_name for each in structs for field in each.fields]


def _types(kind: type, path: str) -> list[inspect.Type]:
    types = alternatives(inspect.type_info(kind))
    for name, _ in _STEP.findall(path):
        types = [inner for each in types for inner in alternatives(inner_type(each, name))]
    return types


def _pointer(path: str) -> str:
    """`$.items[3].to` as a JSON pointer: `/items/3/to`.

    For an object with arbitrary keys, msgspec hides the key: `[...]`.
    """
    steps = _STEP.findall(path.removeprefix("$").replace("[...]", ""))
    return "".join(f"/{_escape(name or index)}" for name, index in steps)


def _escape(step: str) -> str:
    return step.replace("~", "~0").replace("/", "~1")
