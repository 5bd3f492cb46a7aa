"""Texts read as the JSON values that a type expects: cells of a CSV, query parameters, variables.

A text stays a text where the type takes one, also `NaN`, `null` and `5`. Otherwise it becomes a
number, true or false, null, or the list or object whose JSON it is. A text that is none of them is
left as it is, for the error that names its type.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec
from msgspec import inspect

from functions.core import config

_TEXTS = (inspect.StrType, inspect.CustomType)
"""Types that take any text. Custom types are texts that are validated (`ValidatedStr`)."""
_LISTS = inspect.CollectionType
_OBJECTS = (inspect.StructType, inspect.DictType)
_SCALARS: dict[type[inspect.Type], type[float]] = {
    inspect.IntType: int,
    inspect.FloatType: float,
    inspect.BoolType: bool,
}


def read_cells(values: Mapping[str, Any], kind: type[msgspec.Struct]) -> Mapping[str, Any]:
    """The values with their texts as `kind` expects them, nested ones too."""
    read: Mapping[str, Any] = _read(values, _type_of(kind))
    return read


def json_of(text: str) -> Any:  # noqa: ANN401 - JSON
    """The list or object that a text is in JSON; null for any other text."""
    if not text.lstrip().startswith(("[", "{")):
        return None
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        return None


def alternatives(kind: inspect.Type | None) -> list[inspect.Type]:
    """Types that a type stands for: those of a union, without annotations."""
    kind = kind.type if isinstance(kind, inspect.Metadata) else kind
    if isinstance(kind, inspect.UnionType):
        return [each for one in kind.types for each in alternatives(one)]
    return [kind] if kind else []


def inner_type(kind: inspect.Type, name: str) -> inspect.Type | None:
    """The type of a field of an object, or of any item of a list."""
    if isinstance(kind, inspect.StructType):
        return next((each.type for each in kind.fields if each.encode_name == name), None)
    if isinstance(kind, inspect.DictType):
        return kind.value_type
    return kind.item_type if isinstance(kind, inspect.CollectionType) else None


@config.cached(lasting=True)
def _type_of(kind: type[msgspec.Struct]) -> inspect.Type:
    return inspect.type_info(kind)


def _read(value: Any, kind: inspect.Type | None) -> Any:  # noqa: ANN401 - JSON
    kinds = [each for each in alternatives(kind) if not isinstance(each, inspect.AnyType)]
    if not kinds:
        return value
    if isinstance(value, str):
        value = _read_text(value, kinds)
    if isinstance(value, Mapping):
        objects = [each for each in kinds if isinstance(each, _OBJECTS)]
        return {name: _read(each, _inner(objects, name)) for name, each in value.items()}
    if isinstance(value, list):
        lists = [each for each in kinds if isinstance(each, _LISTS)]
        return [_read(each, _inner(lists, "")) for each in value]
    return value


def _inner(kinds: Sequence[inspect.Type], name: str) -> inspect.Type | None:
    """Type within a type; none where several could be meant."""
    return inner_type(kinds[0], name) if len(kinds) == 1 else None


def _read_text(text: str, kinds: list[inspect.Type]) -> Any:  # noqa: ANN401 - JSON
    found = json_of(text) if any(isinstance(each, (_LISTS, *_OBJECTS)) for each in kinds) else None
    wanted = _LISTS if isinstance(found, list) else _OBJECTS
    if found is not None and any(isinstance(each, wanted) for each in kinds):
        return found
    if any(isinstance(each, _TEXTS) for each in kinds):
        return text
    text = text.strip()
    for value in _values(kinds):
        if str(value) == text:
            return value
    return _scalar(text, kinds)


def _values(kinds: Iterable[inspect.Type]) -> list[Any]:
    """Values that the types name."""
    literals = [
        each for kind in kinds if isinstance(kind, inspect.LiteralType) for each in kind.values
    ]
    enums = [each for kind in kinds if isinstance(kind, inspect.EnumType) for each in kind.cls]
    return literals + [each.value for each in enums]


def _scalar(text: str, kinds: Iterable[inspect.Type]) -> object:
    held = {type(each) for each in kinds}
    if inspect.NoneType in held and text.lower() == "null":
        return None
    for kind, python in _SCALARS.items():
        if kind in held and (value := _number(text, python)) is not None:
            return value
    return text


def _number(text: str, kind: type[float]) -> float | None:
    """The number, or truth, that a text is; null for another one. JSON has no NaN."""
    try:
        value = msgspec.convert(text, kind, strict=False)
    except (msgspec.ValidationError, msgspec.DecodeError):
        return None
    return None if isinstance(value, float) and not math.isfinite(value) else value
