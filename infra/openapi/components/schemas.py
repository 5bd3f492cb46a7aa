"""JSON Schemas (2020-12) of the types that clients send and get."""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
from msgspec import inspect

from functions.core.parameters import ValidatedStr
from infra.openapi.components.docstrings import attribute_texts, class_text

Schema = dict[str, Any]

_REF = "#/components/schemas/{name}"
_NULL = {"type": "null"}


class Schemas:
    """Schemas by name, and the references to them."""

    def __init__(self, requests: Iterable[Any], answers: Iterable[Any]) -> None:
        """Makes the schemas of all types that these hold.

        Args:
            requests: types of what clients send.
            answers: types of what they get. All fields of an answer are always there.
        """
        sent, got = list(requests), list(answers)
        references, self.components = msgspec.json.schema_components(
            [*sent, *got], schema_hook=_validated_text, ref_template=_REF
        )
        self._references = [
            (kind, _polished(each)) for kind, each in zip([*sent, *got], references, strict=True)
        ]
        requested = set(_structs(sent))
        for kind in _structs([*sent, *got]):
            schema = self.components[self._name_of(kind)]
            _describe(schema, kind, always_there=kind not in requested)
        self.components = dict(sorted((name, each) for name, each in self.components.items()))

    def reference(self, kind: Any) -> Schema:  # noqa: ANN401 - any type
        """Schema of one of the types, a reference where it has a name."""
        return next(reference for known, reference in self._references if known == kind)

    def resolved(self, schema: Mapping[str, Any]) -> Mapping[str, Any]:
        """The schema itself behind a reference."""
        if "$ref" not in schema:
            return schema
        found: Schema = self.components[schema["$ref"].rpartition("/")[2]]
        return found

    def _name_of(self, kind: type) -> str:
        full = f"{kind.__module__}.{kind.__qualname__}"
        return full if full in self.components else kind.__name__


def _validated_text(kind: type) -> Schema:
    """Schema of a type that msgspec does not know."""
    if not issubclass(kind, ValidatedStr):
        raise NotImplementedError
    return {"type": "string", "description": class_text(kind)} | kind.schema()


def _structs(kinds: Iterable[Any]) -> list[type[msgspec.Struct]]:
    """Structs that the types hold, each once."""
    found: dict[type[msgspec.Struct], None] = {}
    left = [inspect.type_info(kind) for kind in kinds]
    while left:
        each = left.pop(0)
        if isinstance(each, inspect.StructType):
            if each.cls not in found:
                found[each.cls] = None
                left += [field.type for field in each.fields]
        else:
            left += _inner(each)
    return list(found)


def _inner(kind: inspect.Type) -> list[inspect.Type]:
    if isinstance(kind, inspect.Metadata):
        return [kind.type]
    if isinstance(kind, inspect.UnionType):
        return list(kind.types)
    if isinstance(kind, inspect.DictType):
        return [kind.key_type, kind.value_type]
    if isinstance(kind, inspect.TupleType):
        return list(kind.item_types)
    return [kind.item_type] if isinstance(kind, inspect.CollectionType) else []


def _describe(schema: Schema, kind: type[msgspec.Struct], *, always_there: bool) -> None:
    """Completes the schema of a struct in place."""
    schema.pop("title", None)
    schema.pop("description", None)
    if text := class_text(kind):
        schema["description"] = text
    texts = attribute_texts(kind)
    info = inspect.type_info(kind)
    assert isinstance(info, inspect.StructType)  # noqa: S101 - narrows the type
    for field in info.fields:
        about = schema["properties"][field.encode_name]
        if _holds_time(field.type):
            _mark_time(about)
        about = _polished(about)
        if always_there or about.get("default", ...) is None:
            about.pop("default", None)
        if field.name in texts:
            about = {"description": texts[field.name]} | about | {"description": texts[field.name]}
        schema["properties"][field.encode_name] = about
    if always_there:
        schema["required"] = list(schema["properties"])
    if not schema["required"]:
        del schema["required"]


def _holds_time(kind: inspect.Type) -> bool:
    if isinstance(kind, inspect.DateTimeType):
        return True
    return any(map(_holds_time, _inner(kind))) if not isinstance(kind, inspect.DictType) else False


def _mark_time(schema: Schema) -> None:
    """Adds the format, which msgspec leaves out where a time may lack its zone."""
    for option in (schema, *schema.get("anyOf", ())):
        if option.get("type") == "string":
            option["format"] = "date-time"


def _polished(schema: Schema) -> Schema:
    """The same schema in the words of OpenAPI 3.1: JavaScript's patterns, types beside null."""
    found: Schema = {}
    for key, value in schema.items():
        if key in {"properties", "patternProperties"}:
            found[key] = value
        elif key == "pattern":
            found[key] = value.replace(r"\Z", "$")
        elif isinstance(value, dict) and key not in {"default", "example"}:
            found[key] = _polished(value)
        elif key in {"anyOf", "allOf", "oneOf", "prefixItems"}:
            found[key] = [_polished(each) for each in value]
        else:
            found[key] = value
    if "enum" in found and all(isinstance(each, str) for each in found["enum"]):
        found = {"type": "string", **found}
    return _nullable(found)


def _nullable(schema: Schema) -> Schema:
    """One schema for a value or null, where the value has a plain type."""
    options = schema.get("anyOf", [])
    values = [each for each in options if each != _NULL]
    if (
        len(options) == len(values)
        or len(values) != 1
        or not isinstance(values[0].get("type"), str)
    ):
        return schema
    (value,) = values
    rest = {key: each for key, each in schema.items() if key != "anyOf"}
    merged = {**value, **rest, "type": [value["type"], "null"]}
    if "enum" in merged:
        merged["enum"] = [*merged["enum"], None]
    return merged
