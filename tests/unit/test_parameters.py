from datetime import datetime
from typing import Annotated, Any, Literal

import pytest
from msgspec import Meta

from functions.core.errors import InvalidParameters
from functions.core.parameters import Parameters, read_parameters


class Item(Parameters):
    to: str
    letter: Literal["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k"] = "a"
    unit: Literal["hour"] | None = None


class Example(Parameters):
    name: Annotated[str, Meta(min_length=1, max_length=5)]
    count: Annotated[int, Meta(ge=1)] = 1
    colour: Literal["red", "blue"] | None = None
    word: Annotated[str, Meta(pattern="^[a-z]+$")] | None = None
    at: datetime | None = None
    flag: bool = False
    items: tuple[Item, ...] = ()
    either: int | list[int] | None = None


@pytest.mark.parametrize(
    ("values", "pointer", "detail"),
    [
        ({}, "/name", "is required"),
        ({"name": "a", "nmae": 1}, "/nmae", "is not a parameter here"),
        ({"name": "a", "a/b~c": 1}, "/a~1b~0c", "is not a parameter here"),
        ({"name": "a", "": 1}, "/", "is not a parameter here"),
        ({"name": "a", "x\ny": 1}, "/x\ny", "is not a parameter here"),
        ({"name": 1}, "/name", "must be text, not a whole number"),
        ({"name": ""}, "/name", "must not be empty"),
        ({"name": None}, "/name", "must be text, not null"),
        ({"name": "abcdef"}, "/name", "length must be <= 5"),
        ({"name": "a", "count": 0}, "/count", "must be >= 1"),
        ({"name": "a", "count": "1"}, "/count", "must be a whole number, not text"),
        ({"name": "a", "colour": "green"}, "/colour", "must be one of: blue, red"),
        ({"name": "a", "word": "A"}, "/word", "does not have the right form"),
        ({"name": "a", "at": "today"}, "/at", "must be a time like 2026-01-31T12:00:00Z"),
        ({"name": "a", "flag": 1}, "/flag", "must be true or false, not a whole number"),
        (
            {"name": "a", "items": [{"to": "x"}, {"to": 2}]},
            "/items/1/to",
            "must be text, not a whole number",
        ),
        ({"name": "a", "items": [{}]}, "/items/0/to", "is required"),
        (
            {"name": "a", "items": [{"to": "x", "unit": "day"}]},
            "/items/0/unit",
            "must be one of: hour",
        ),
        (
            {"name": "a", "items": [{"to": "x", "letter": "z"}]},
            "/items/0/letter",
            "is not one of the allowed values",
        ),
        ({"name": "a", "items": {}}, "/items", "must be a list, not an object"),
        ({"name": "a", "either": "x"}, "/either", "must be a whole number or a list, not text"),
    ],
)
def test_an_invalid_parameter_is_named_by_pointer_and_sentence(
    values: dict[str, Any], pointer: str, detail: str
) -> None:
    with pytest.raises(InvalidParameters) as caught:
        read_parameters(Example, values)
    assert caught.value.errors == ((pointer, detail),)


def test_null_and_empty_text_are_absent_for_optional_parameters() -> None:
    read = read_parameters(
        Example, {"name": "a", "count": None, "colour": "", "word": "", "at": None}
    )
    assert read == Example(name="a")


def test_the_sent_value_does_not_appear_in_the_error() -> None:
    with pytest.raises(InvalidParameters) as caught:
        read_parameters(Example, {"name": "a", "colour": "my-secret"})
    assert "my-secret" not in str(caught.value)
