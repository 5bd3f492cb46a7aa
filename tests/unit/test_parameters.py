from datetime import datetime
from typing import Annotated, Any, Literal, Self

import msgspec
import pytest
from msgspec import Meta

from functions.core.errors import InvalidParameters
from functions.core.parameters import NotValid, Parameters, ValidatedStr, merged, read_parameters


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
        ({"name": "a", "nmae": 1}, "/nmae", "is not a parameter here; did you mean name?"),
        ({"name": "a", "Name": 1}, "/Name", "is not a parameter here; did you mean name?"),
        ({"name": "a", "email": 1}, "/email", "is not a parameter here"),
        (
            {"name": "a", "items": [{"too": "x"}]},
            "/items/0/too",
            "is not a parameter here; did you mean to?",
        ),
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


def test_a_wrong_header_is_told_whole_with_what_is_missing() -> None:
    with pytest.raises(InvalidParameters) as caught:
        read_parameters(Example, {"Email": "x", "Count": 1})
    assert caught.value.errors == (
        ("/Email", "is not a parameter here"),
        ("/Count", "is not a parameter here; did you mean count?"),
        ("/name", "is required"),
    )


def test_unknown_names_beyond_ten_are_not_listed() -> None:
    with pytest.raises(InvalidParameters) as caught:
        read_parameters(Example, {"name": "a"} | {f"x{number}": 1 for number in range(1000)})
    assert len(caught.value.errors) == 10


def test_null_and_empty_text_are_absent_for_optional_parameters() -> None:
    read = read_parameters(
        Example, {"name": "a", "count": None, "colour": "", "word": "", "at": None}
    )
    assert read == Example(name="a")


def test_the_sent_value_does_not_appear_in_the_error() -> None:
    with pytest.raises(InvalidParameters) as caught:
        read_parameters(Example, {"name": "a", "colour": "my-secret"})
    assert "my-secret" not in str(caught.value)


class Nickname(ValidatedStr):
    @classmethod
    def read(cls, text: str) -> Self:
        if not text.isalpha():
            raise NotValid("must be letters")
        return cls(text)


class Part(msgspec.Struct):
    number: int
    word: str | None = None


class Cells(Parameters):
    text: str | None = None
    nickname: Nickname | None = None
    whole: int | None = None
    number: float | None = None
    flag: bool | None = None
    level: Literal[1, 2] | None = None
    colour: Literal["red", "blue"] | None = None
    words: list[str] | None = None
    numbers: tuple[int, ...] | None = None
    part: Part | None = None
    parts: list[Part] | None = None
    several: str | list[str] | None = None
    anything: Any = None
    values: dict[str, Any] | None = None


@pytest.mark.parametrize(
    ("name", "cell", "value"),
    [
        ("text", "null", "null"),
        ("text", "NaN", "NaN"),
        ("text", "5", "5"),
        ("text", "[1]", "[1]"),
        ("text", " x ", " x "),
        ("nickname", "null", "null"),
        ("nickname", "NaN", "NaN"),
        ("anything", "null", "null"),
        ("anything", "[1]", "[1]"),
        ("whole", " 5 ", 5),
        ("whole", "0", 0),
        ("whole", "null", None),
        ("number", "1.5", 1.5),
        ("flag", "TRUE", True),
        ("flag", "false", False),
        ("level", "2", 2),
        ("colour", "red ", "red"),
        ("words", '["a", "5"]', ["a", "5"]),
        ("numbers", '[1, "2"]', (1, 2)),
        ("part", '{"number": "5", "word": "null"}', Part(5, "null")),
        ("part", {"number": "5", "word": "7"}, Part(5, "7")),
        ("parts", [{"number": "5"}], [Part(5)]),
        ("several", '["a", "b"]', ["a", "b"]),
        ("several", "[a", "[a"),
        ("values", '{"a": "5"}', {"a": "5"}),
    ],
)
def test_a_cell_becomes_what_its_type_expects_and_stays_a_text_where_that_takes_texts(
    name: str, cell: object, value: object
) -> None:
    assert getattr(read_parameters(Cells, {name: cell}, strict=False), name) == value


@pytest.mark.parametrize(
    ("name", "cell", "pointer", "detail"),
    [
        ("number", "NaN", "/number", "must be a number, not text"),
        ("number", "-Infinity", "/number", "must be a number, not text"),
        ("number", "1e999", "/number", "must be a number, not text"),
        ("whole", "9" * 5000, "/whole", "must be a whole number, not text"),
        ("flag", "yes", "/flag", "must be true or false, not text"),
        ("words", "a", "/words", "must be a list, not text"),
        ("words", "[a]", "/words", "must be a list, not text"),
        ("words", '{"a": 1}', "/words", "must be a list, not text"),
        ("words", "[" * 100_000, "/words", "must be a list, not text"),
        ("numbers", '["x"]', "/numbers/0", "must be a whole number, not text"),
        ("part", '{"number": "x"}', "/part/number", "must be a whole number, not text"),
        ("colour", "green", "/colour", "must be one of: blue, red"),
        ("nickname", "5", "/nickname", "must be letters"),
    ],
)
def test_a_cell_that_is_not_of_its_type_is_named(
    name: str, cell: str, pointer: str, detail: str
) -> None:
    with pytest.raises(InvalidParameters) as caught:
        read_parameters(Cells, {name: cell}, strict=False)
    assert caught.value.errors == ((pointer, detail),)


def test_texts_are_not_converted_where_json_has_types() -> None:
    for name, cell in (("whole", "5"), ("words", "[]"), ("flag", "true")):
        with pytest.raises(InvalidParameters):
            read_parameters(Cells, {name: cell})


COMMON: dict[str, Any] = {
    "data": {"url": "u", "name": "all", "button": {"label": "Go"}, "list": [1]},
    "to": "x",
}


@pytest.mark.parametrize(
    ("item", "whole"),
    [
        ({}, COMMON),
        ({"data": None, "to": ""}, COMMON),
        ({"data": {}}, COMMON),
        ({"data": {"name": "own"}}, COMMON | {"data": {**COMMON["data"], "name": "own"}}),
        ({"data": {"name": None, "url": ""}}, COMMON),
        (
            {"data": {"button": {"url": "b"}}},
            COMMON | {"data": {**COMMON["data"], "button": {"label": "Go", "url": "b"}}},
        ),
        ({"data": {"list": [2]}}, COMMON | {"data": {**COMMON["data"], "list": [2]}}),
        ({"data": "text"}, COMMON | {"data": "text"}),
        ({"data": '{"name": "own"}'}, COMMON | {"data": '{"name": "own"}'}),
        ({"to": {"a": 1}}, COMMON | {"to": {"a": 1}}),
        ({"new": None}, COMMON | {"new": None}),
    ],
)
def test_common_parameters_stand_for_what_an_item_does_not_say_within_objects_too(
    item: dict[str, Any], whole: dict[str, Any]
) -> None:
    assert merged(item, COMMON) == whole


def test_an_object_in_a_cell_is_merged_too() -> None:
    own = {"data": '{"name": "own", "url": null, "button": "{\\"label\\": \\"Stop\\"}"}'}
    assert merged(own, COMMON, lenient=True) == COMMON | {
        "data": {"url": "u", "name": "own", "button": {"label": "Stop"}, "list": [1]}
    }


def test_merging_changes_neither_the_item_nor_the_common_parameters() -> None:
    common = {"data": {"a": {"b": 1}}}
    item = {"data": {"a": {"c": 2}}}
    merged(item, common)
    assert (item, common) == ({"data": {"a": {"c": 2}}}, {"data": {"a": {"b": 1}}})


def test_objects_that_are_nested_too_deep_to_merge_are_refused() -> None:
    deep: dict[str, Any] = {}
    for _ in range(100_000):
        deep = {"a": deep}
    with pytest.raises(InvalidParameters, match="too deep"):
        merged(deep, deep)
