"""Sample lists of 200 items, of which 5 fail, to watch a run that meets trouble."""

import json
from collections.abc import Mapping
from typing import Any

from infra.console.answer import Answer, plain_text
from infra.console.routes import Request
from infra.local.refused_emails import REFUSED_DOMAIN

_ITEMS = 200
_WRONG = {23, 61, 104, 148, 187}
_REFUSED = {23, 104}
"""Those of them whose address is one that the provider refuses; the others' are none."""
_FIRST = ("ana", "ben", "chidi", "dana", "emre", "fay", "goro", "hana", "ivan", "jana")
_LANGUAGES = ("en", "es", "fr", "de", "pt-BR", "ja")

Json = Mapping[str, Any]


def sample_list(request: Request) -> Answer:
    """A list of recipients as CSV, or of items like the `parameters` as JSON Lines.

    The body has the workflow's `schema` and the `parameters` of the form.
    """
    asked = request.json()
    schema, parameters = asked["schema"], asked["parameters"]
    columns = [name for name in ("channel", "to", "locale") if name in schema.get("properties", {})]
    if "to" in columns:
        rows = [",".join(columns), *(_row(columns, index) for index in range(_ITEMS))]
    else:
        rows = [json.dumps(each) for each in _items(schema, parameters)]
    return plain_text("\n".join(rows))


def _row(columns: list[str], index: int) -> str:
    cells = {"channel": "email", "to": _address(index), "locale": _LANGUAGES[index % 6]}
    return ",".join(cells[name] for name in columns)


def _address(index: int) -> str:
    name = f"{_FIRST[index % len(_FIRST)]}.{index}"
    if index in _REFUSED:
        return f"{name}@{REFUSED_DOMAIN}"
    return f"{name} at example.com" if index in _WRONG else f"{name}@example.com"


def _items(schema: Json, parameters: Json) -> list[dict[str, Any]]:
    """Items like the form, with their number at the end of a text; five have a wrong type."""
    properties = schema.get("properties", {})
    varied = next(
        (name for name in properties if _is_free_text(properties[name], parameters.get(name))), None
    )
    first = next(iter([*schema.get("required", ()), *properties]), "name")
    is_object = properties.get(first, {}).get("type") == "object"
    wrong = {first: "wrong" if is_object else {"wrong": True}}
    return [
        {
            **parameters,
            **({varied: f"{parameters[varied]} {index + 1}"} if varied else {}),
            **(wrong if index in _WRONG else {}),
        }
        for index in range(_ITEMS)
    ]


def _is_free_text(schema: Json, value: object) -> bool:
    limited = any(schema.get(name) for name in ("pattern", "format", "enum"))
    return schema.get("type") == "string" and not limited and isinstance(value, str)
