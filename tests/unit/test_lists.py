"""Uploaded lists: their items, and the place that an error names."""

import csv
import io
import json
import tracemalloc
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from functions.api.runs.lists import json_list, read_items
from functions.api.runs.lists.reading import MAX_UPLOADED_ITEM_BYTES
from functions.core.errors import UnreadableItems
from functions.core.pasted import strip_blank
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
    """Python's csv module writes the list (RFC 4180); blank cells are absent parameters."""
    file = io.StringIO()
    csv.writer(file).writerows([("to", "data.name", "data.city"), *rows])
    expected = []
    for to, name, city in rows:
        data = {
            key: value for key, value in {"name": name, "city": city}.items() if strip_blank(value)
        }
        expected.append(({"to": to} if strip_blank(to) else {}) | ({"data": data} if data else {}))
    if any(expected):
        assert read(file.getvalue(), "csv") == [item for item in expected if item]


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
        (",,\n", "the list has no items"),
        ("a,b\n1,2,3\n", "row 2 has 3 cells, but row 1 has 2 names"),
        ("a,,b\n1,,3\n1,2,3\n", "row 3, column 2 has a value, but row 1 has no name for it"),
        ("\n\na,a b\n1,2\n", "row 3, column 2 has 'a b', which is not a valid parameter name"),
        (
            "a|b\n1|2\n",
            (
                "row 1, column 1 has 'a|b', which is not a valid parameter name; "
                "write the parameters' names, separated by commas, semicolons or tabs"
            ),
        ),
        ("a, b ,\u00a0b\n1,2,3\n", "row 1, column 3 repeats the name b"),
        ("a,b,a\n1,2,3\n", "row 1, column 3 repeats the name a"),
        ("a,a.b\n1,2\n", "row 1 names a both as a value and as an object with fields"),
        ('a\n1\n"x\n', "row 3 is not valid CSV"),
        ('a\n1\n"x"y\n', "row 3 is not valid CSV"),
        ("a\n1\nx\ry\n", "row 3 is not valid CSV"),
        (b"a\n1\n\xff\n", "row 3 is not UTF-8; save the list as “CSV UTF-8”"),
        ("a\n1\n2".encode("utf-16")[:-1], "row 3 is not UTF-8"),
        (b"\xff\xfea\x00\n\x00\x00\xd8\n\x001\x00", "row 2 is not UTF-8"),
        (f"a\n{LARGE}", "row 2 has more than 200,000 bytes"),
        (
            "a,b\n" + ("x" * 150_000 + ',"\n' + "x" * 150_000 + '"'),
            "row 2 has more than 200,000 bytes",
        ),
    ],
)
def test_csv_that_cannot_be_read_is_refused_with_the_row(text: str | bytes, where: str) -> None:
    assert where in refusal(text, "csv")


def test_an_error_late_in_a_list_is_reported_with_its_row() -> None:
    assert "row 20002 has 2 cells" in refusal("a\n" + "x\n" * 20_000 + "x,y\n", "csv")


def rows(text: str | bytes, kind: Format = "csv") -> list[tuple[int | None, dict[str, Any]]]:
    """Items with their rows."""
    data = text if isinstance(text, bytes) else text.encode()
    return [(item.row, dict(item)) for item in read_items(io.BytesIO(data), kind)]


def test_a_row_of_blank_cells_is_no_item_and_rows_are_numbered_as_a_spreadsheet_shows_them() -> (
    None
):
    text = 'a,b\r\n1,"x\r\ny"\r\n\r\n"",""\r\n , \r\n"\u00a0","\u200b"\r\n,\r\n2,3\r\n'
    assert rows(text) == [(2, {"a": "1", "b": "x\r\ny"}), (8, {"a": "2", "b": "3"})]


def test_an_item_knows_its_line_in_json_lines_and_none_in_an_array() -> None:
    assert rows('\n{"a": 1}\n\n{"a": 2}\n', "jsonl") == [(2, {"a": 1}), (4, {"a": 2})]
    assert rows('[{"a": 1}]', "json") == [(None, {"a": 1})]


@pytest.mark.parametrize(
    "text",
    [
        "to;data.name\r\nx;y,z\r\n",
        "to\tdata.name\nx\ty,z\n",
        '"to";"data.name"\nx;"y,z"\n',
        'to,data.name\nx,"y,z"',
        'to,data.name\rx,"y,z"\r',
        "sep=;\r\nto;data.name\r\nx;y,z\r\n",
        " to ;\u00a0data.name\u200b\nx;y,z\n",
        "to;data.name;\nx;y,z;\n",
        "to;data.name;;\nx;y,z\n",
        "to;data.name\nx;y,z;;;\n",
        "\n;\nto;data.name\nx;y,z\n",
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_csv_is_read_as_spreadsheets_export_it(text: str, encoding: str) -> None:
    assert read(text.encode(encoding), "csv") == [{"to": "x", "data": {"name": "y,z"}}]


def test_utf_16_is_read_whichever_byte_comes_first_and_in_every_format() -> None:
    for mark, encoding in ((b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be")):
        assert read(mark + "a\nä😀\n".encode(encoding), "csv") == [{"a": "ä😀"}]
        assert read(mark + '[{"a": "ä😀"}]'.encode(encoding), "json") == [{"a": "ä😀"}]
        assert read(mark + '{"a": "ä😀"}\n'.encode(encoding), "jsonl") == [{"a": "ä😀"}]


def test_a_long_list_in_utf_16_is_read_whole() -> None:
    text = "a\n" + "".join(f"ä😀{number}\n" for number in range(150_000))
    items = read(text.encode("utf-16"), "csv")
    assert (len(items), items[-1]) == (150_000, {"a": "ä😀149999"})


def test_a_delimiter_in_a_quoted_name_does_not_count() -> None:
    assert "row 1, column 1 has 'a,b,c'" in refusal('"a,b,c";d\n1;2\n', "csv")


def test_an_exporter_may_leave_out_the_last_empty_cells_of_a_row() -> None:
    assert read("a,b,c\n1\n1,2\n", "csv") == [{"a": "1"}, {"a": "1", "b": "2"}]


def test_short_rows_below_a_long_header_cost_little() -> None:
    """Each row costs work in proportion to its size (Rule 3.8)."""
    header = ",".join(f"a{number}.0" for number in range(20_000))
    assert len(read(header + "\n" + "x\n" * 100_000, "csv")) == 100_000


@pytest.mark.parametrize("row", [1, 2])
def test_a_row_of_many_short_lines_does_not_fill_the_memory(row: int) -> None:
    file = io.BytesIO(b"a,b\n" * (row - 1) + b'"x\n",' * 1_000_000)
    with pytest.raises(UnreadableItems) as refused:
        list(read_items(file, "csv"))
    assert refused.value.errors[0].detail == f"row {row} has more than 200,000 bytes"
    assert file.tell() < 3_000_000


def test_numbered_names_are_the_places_of_a_list_and_empty_cells_leave_none() -> None:
    text = "d.p.1,d.p.0,d.n,b.0.to,b.1.to\n2,1,x,y,\n2,,,,\n,,,,z\n"
    assert read(text, "csv") == [
        {"d": {"p": ["1", "2"], "n": "x"}, "b": [{"to": "y"}]},
        {"d": {"p": ["2"]}},
        {"b": [{"to": "z"}]},
    ]


def test_numbers_that_are_no_places_from_zero_on_are_names() -> None:
    assert read("d.2025,d.2026,e.0,e.x\n1,2,3,4\n", "csv") == [
        {"d": {"2025": "1", "2026": "2"}, "e": {"0": "3", "x": "4"}}
    ]


EXPORT = (
    "row,status,result,problem,detail,to,status\n"
    '2,succeeded,"{""sent"":1}",,,a@example.com,new\n'
    "3,failed,,invalid_parameters,/to: is not valid,b@example.com,old\n"
    "4,failed,,unavailable,Try again.,,\n"
)


def test_an_exported_run_is_uploaded_as_it_is_and_what_has_succeeded_is_not_done_again() -> None:
    assert rows(EXPORT) == [(3, {"to": "b@example.com", "status": "old"}), (4, {})]
    moved = "to;row;status;result;problem;detail\na@example.com;2;failed;;;\n"
    assert read(moved, "csv") == [{"to": "a@example.com"}]


def test_an_exported_run_of_which_all_succeeded_has_nothing_left_to_run() -> None:
    done = "".join(EXPORT.splitlines(keepends=True)[:2])
    assert refusal(done, "csv").startswith("each row has the status succeeded")


def test_columns_of_these_names_are_parameters_where_they_are_not_all_together() -> None:
    assert read("row,status,to\n1,succeeded,x\n", "csv") == [
        {"row": "1", "status": "succeeded", "to": "x"}
    ]


@pytest.mark.parametrize(
    "header",
    [
        "row,status,result,problem,to",
        "row,status,detail,to",
        "status,result,problem,detail,to",
        "row,to,status,result,problem,detail",
    ],
)
def test_an_export_without_one_of_its_columns_is_refused_with_what_to_do(header: str) -> None:
    sentence = "row, status, result, problem and detail must stay side by side, or all be deleted"
    assert refusal(f"{header}\n{',' * header.count(',')}\n", "csv").endswith(sentence)


def test_a_name_of_many_dots_is_refused_before_it_makes_objects() -> None:
    with pytest.raises(UnreadableItems, match="more than 8 dots"):
        list(read_items(io.BytesIO(b"a" + b".a" * 20_000 + b"\nx\n"), "csv"))


def peak_bytes(kind: Format, items: int) -> int:
    """Most memory in use while a list of items of a kilobyte is read."""
    line = json.dumps({"name": "x" * 1000})
    joined = {"json": f"[{','.join([line] * items)}]", "jsonl": f"{line}\n" * items}
    file = io.BytesIO(joined.get(kind, "name\n" + f"{'x' * 1000}\n" * items).encode())
    tracemalloc.start()
    try:
        assert sum(1 for _ in read_items(file, kind)) == items
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.soak
@pytest.mark.parametrize("kind", get_args(Format))
def test_a_list_of_ten_times_the_items_is_read_in_the_same_memory(kind: Format) -> None:
    items = size(2_000, 10_000)
    assert peak_bytes(kind, 10 * items) < 1.5 * peak_bytes(kind, items)
