import pytest

from functions.core.messages.segments import Length, length


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", Length("GSM-7", 0)),
        ("code 123\n", Length("GSM-7", 9)),
        ("@£$¥èéùìòÇØøÅåΔÆæßÉäöñüà§¿¡", Length("GSM-7", 27)),
        ("€[]{}\\^~|\f", Length("GSM-7", 20)),
        ("ç", Length("UCS-2", 1)),
        ("código", Length("UCS-2", 6)),
        ("認証", Length("UCS-2", 2)),
        ("😀", Length("UCS-2", 2)),
        ("\u2068a\u2069", Length("UCS-2", 3)),
        ("`", Length("UCS-2", 1)),
    ],
)
def test_units_are_septets_with_an_escape_for_extensions_or_utf_16(
    text: str, expected: Length
) -> None:
    assert length(text) == expected


@pytest.mark.parametrize(
    ("text", "one"),
    [
        ("a" * 160, True),
        ("a" * 161, False),
        ("€" * 80, True),
        ("a" + "€" * 80, False),
        ("ç" * 70, True),
        ("ç" * 71, False),
        ("😀" * 35, True),
        ("ç" + "😀" * 35, False),
    ],
)
def test_one_segment_is_160_septets_or_70_utf_16_units(text: str, one: bool) -> None:  # noqa: FBT001 - a case
    assert length(text).one_segment is one
