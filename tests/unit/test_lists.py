"""Uploaded lists: their items, and the place that an error names."""

import csv
import io
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from functions.api.runs.lists import json_list, read_items
from functions.api.runs.lists.reading import MAX_UPLOADED_ITEM_BYTES
from functions.core.errors import UnreadableItems
from functions.core.runs.uploads import Format
from tests.sizes import size

examples = settings(max_examples=size(25, 200), deadline=None)

texts = st.text(st.characters(codec="utf-8"))
objects = st.dictionaries(
    texts,
    st.recursive(st.none() | st.booleans() | st.integers(-9, 9) | texts, st.lists),
    max_size=3,
)
LARGE = "x" * (MAX_UPLOADED_ITEM_BYTES + 1)


def read(text: str | bytes, kind: Format) -> list[dict[str, Any]]:
    data = text if isinstance(text, bytes) else text.encode()
    return list(read_items(io.BytesIO(data), kind))


def refusal(text: str | bytes, kind: Format) -> str:
    with pytest.raises(UnreadableItems) as refused:
        read(text, kind)
    (error,) = refused.value.errors
    assert error.pointer == "/upload_id"
    return error.detail


@pytest.mark.soak
@examples
@given(st.lists(objects, min_size=1), st.sampled_from([None, 1]))
def test_a_json_array_is_read_as_it_was_written(
    items: list[dict[str, Any]], indent: int | None
) -> None:
    assert read(json.dumps(items, ensure_ascii=False, indent=indent), "json") == items


@pytest.mark.soak
@examples
@given(st.lists(objects, min_size=1))
def test_json_lines_are_read_as_they_were_written(items: list[dict[str, Any]]) -> None:
    assert read("".join(json.dumps(item) + "\r\n" for item in items), "jsonl") == items


@pytest.mark.soak
@examples
@given(st.lists(st.tuples(texts, texts, texts), min_size=1))
def test_csv_is_read_as_it_was_written(rows: list[tuple[str, ...]]) -> None:
    """Python's csv module writes the list (RFC 4180); empty cells are absent parameters."""
    file = io.StringIO()
    csv.writer(file).writerows([("to", "data.name", "data.city"), *rows])
    expected = []
    for to, name, city in rows:
        data = {key: value for key, value in {"name": name, "city": city}.items() if value}
        expected.append(({"to": to} if to else {}) | ({"data": data} if data else {}))
    assert read(file.getvalue(), "csv") == expected


def test_an_array_is_read_alike_however_it_is_cut_into_chunks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    items = [{"n": index, "text": "ä" * 1000} for index in range(500)]
    text = json.dumps(items, ensure_ascii=False, indent=1)
    for chunk in (MAX_UPLOADED_ITEM_BYTES, 77_777):
        monkeypatch.setattr(json_list, "_CHUNK_BYTES", chunk)
        assert read(text, "json") == items


@pytest.mark.parametrize(
    ("kind", "text"), [("json", '[{"a": 1}]'), ("jsonl", '{"a": 1}'), ("csv", "a\n1")]
)
def test_a_byte_order_mark_is_not_part_of_the_list(kind: Format, text: str) -> None:
    assert [list(item) for item in read(b"\xef\xbb\xbf" + text.encode(), kind)] == [["a"]]


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ('{"a": 1}', "the list is not a JSON array"),
        ("", "the list is not a JSON array"),
        ("[]", "the list has no items"),
        ("[{}, 5]", "index 1 is not a JSON object"),
        ("[{}, {]", "index 1 is not valid JSON"),
        ("[{}, ]", "index 1 is not valid JSON"),
        ("[{}", "after the item with index 0"),
        ("[{} {}]", "after the item with index 0"),
        ("[{}] []", "there is more text after the end of the array"),
        ('[{}, {"a": NaN}]', "index 1 is not valid JSON"),
        ('[{}, {"a": 1e999}]', "index 1 is not valid JSON"),
        ('[{}, {"a": "\\ud800"}]', "index 1 is not valid JSON"),
        (b'[{}, {"a": "\xff"}, {}]', "index 1 is not valid JSON in UTF-8"),
        ('[{}, {"a": ' + "[" * 100_000 + "}]", "index 1 is not valid JSON"),
        (f'[{{}}, {{"a": "{LARGE}"}}]', "index 1 has more than 200,000 bytes"),
        (
            f'[{{}}, {{"a": "{LARGE * 6}"}}]',
            "index 1 is not valid JSON in UTF-8, or has more than 200,000 bytes",
        ),
    ],
)
def test_an_array_that_cannot_be_read_is_refused_with_the_index(
    text: str | bytes, where: str
) -> None:
    assert where in refusal(text, "json")


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("\n \n", "the list has no items"),
        ("{}\n\n[]\n", "line 3 is not a JSON object"),
        ("{}\n{\n", "line 2 is not valid JSON"),
        (b'{}\n{"a": "\xff"}\n', "line 2 is not valid JSON"),
        (f'{{}}\n{{"a": "{LARGE}"}}', "line 2 has more than 200,000 bytes"),
    ],
)
def test_json_lines_that_cannot_be_read_are_refused_with_the_line(
    text: str | bytes, where: str
) -> None:
    assert where in refusal(text, "jsonl")


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("", "the list has no items"),
        ("a,b\n", "the list has no items"),
        ("a,b\n1,2\n1\n", "row 3 has 1 cells, but row 1 has 2 names"),
        ("a,b\n1,2,3\n", "row 2 has 3 cells"),
        ("a,,b\n1,2,3\n", "row 1, column 2 has no name"),
        (
            "a;b\n1;2\n",
            (
                "row 1, column 1 has 'a;b', which is not a valid parameter name; "
                "write the parameters' names, separated by commas"
            ),
        ),
        ("a,b,a\n1,2,3\n", "row 1, column 3 repeats the name a"),
        ("a,a.b\n1,2\n", "row 1 names a both as a value and as an object with fields"),
        ('a\n1\n"x\n', "row 3 is not valid CSV"),
        ('a\n1\n"x"y\n', "row 3 is not valid CSV"),
        ("a\n1\nx\ry\n", "row 3 is not valid CSV"),
        (b"a\n1\n\xff\n", "line 3 is not UTF-8"),
        (f"a\n{LARGE}", "line 2 has more than 200,000 bytes"),
        (
            "a,b\n" + ("x" * 150_000 + ',"\n' + "x" * 150_000 + '"'),
            "row 2 has more than 200,000 characters",
        ),
    ],
)
def test_csv_that_cannot_be_read_is_refused_with_the_row(text: str | bytes, where: str) -> None:
    assert where in refusal(text, "csv")


def test_an_error_late_in_a_list_is_reported_with_its_row() -> None:
    assert "row 20002 has 2 cells" in refusal("a\n" + "x\n" * 20_000 + "x,y\n", "csv")


def test_an_empty_line_is_no_row_and_a_quoted_empty_cell_is_one() -> None:
    assert read('a\n1\n\n""\n', "csv") == [{"a": "1"}, {}]


def test_a_name_of_many_dots_is_refused_before_it_makes_objects() -> None:
    with pytest.raises(UnreadableItems, match="more than 8 dots"):
        list(read_items(io.BytesIO(b"a" + b".a" * 20_000 + b"\nx\n"), "csv"))
