import re

import pytest

from functions.core.parameters import NotValid
from functions.core.verification.codes import CodeForm, CodeKeys, new_code, read_code

KEYS = CodeKeys.from_json('{"current": "k2", "k1": "old", "k2": "new"}')


def test_an_id_names_its_key_and_fits_a_schedules_name() -> None:
    made = {KEYS.new_verification_id() for _ in range(100)}
    assert len(made) == 100
    assert all(re.fullmatch(r"k2\.d6[0-9A-Za-z_-]{22}", each) and len(each) <= 64 for each in made)


def test_a_mac_is_made_with_the_key_that_the_id_names() -> None:
    only_old = CodeKeys.from_json('{"current": "k1", "k1": "old"}')
    assert KEYS.mac("k1.x", "123456") == only_old.mac("k1.x", "123456")
    assert KEYS.mac("k2.x", "123456") != only_old.mac("k2.x", "123456")


def test_a_mac_is_bound_to_its_verification() -> None:
    assert KEYS.mac("k1.x", "123456") != KEYS.mac("k1.y", "123456")
    assert KEYS.mac("k1.x", "1") != KEYS.mac("k1.x1", "")


def test_an_unknown_key_gives_a_mac_all_the_same() -> None:
    assert len(KEYS.mac("k9.x", "123456")) == 32


@pytest.mark.parametrize(
    "text", ['{"current": "k1"}', '{"k1": "x"}', '{"current": "k1", "k2": "x"}']
)
def test_a_secret_without_its_current_key_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="code keys"):
        CodeKeys.from_json(text)


def test_a_code_is_digits_of_the_length_asked_for() -> None:
    assert all(re.fullmatch(r"[0-9]{8}", new_code(8)) for _ in range(100))
    assert {digit for _ in range(500) for digit in new_code(6)} == set("0123456789")


def id_of(length: int = 6) -> str:
    return KEYS.new_verification_id(CodeForm.of_new(length))


@pytest.mark.parametrize(
    "typed",
    [
        "123456",
        " 123 456 ",
        "123-456",
        "\uff11\uff12\uff13\uff14\uff15\uff16",  # full width
        "\u0661\u0662\u0663\u0664\u0665\u0666",  # Arabic-Indic
        "\u06f1\u06f2\u06f3\u06f4\u06f5\u06f6",  # Persian
        "\u0967\u0968\u0969\u096a\u096b\u096c",  # Devanagari
        "12\u00a03456",
        "123\u2011456",
        "\u200e123456\u200f",
        "\u2068123456\u2069",
        "123\u200b456\ufeff",
        "123\u200c456\u2060",
        "123\u00ad456",
        "123456.",
        "code: 123456",
        "'123456'",
        "\u201c123456\u201d",
        "**123456**",
        "123,456",
        "1 2 3 4 5 6\r\n",
        "Your verification code is: 123456",
        "@app.example.com #123456",
    ],
)
def test_a_code_is_read_from_what_people_paste(typed: str) -> None:
    assert read_code(id_of(), typed) == "123456"


@pytest.mark.parametrize(
    "typed",
    ["", " ", "1", "12", "12345", "1234567", "null", "undefined", "\u200b", "12345x", "x" * 256],
)
def test_a_malformed_code_is_refused(typed: str) -> None:
    with pytest.raises(NotValid, match="is not a code of 6 digits"):
        read_code(id_of(), typed)


@pytest.mark.parametrize("length", range(6, 11))
def test_an_id_tells_the_length_of_its_code(length: int) -> None:
    typed = "1234567890"[:length]
    assert read_code(id_of(length), typed) == typed
    with pytest.raises(NotValid, match=f"is not a code of {length} digits"):
        read_code(id_of(length), typed[:-1])


@pytest.mark.parametrize("typed", ["123456", "12345678", "ABC234"])
def test_an_id_of_an_earlier_release_takes_any_code_that_there_was(typed: str) -> None:
    assert read_code("k1.ER1Ec48KUqvBAvQDJXBAIA", typed) == typed
    with pytest.raises(NotValid, match="is not a code of 6 to 10 letters and digits"):
        read_code("k1.ER1Ec48KUqvBAvQDJXBAIA", "12345")


@pytest.mark.parametrize("code", ["424242", "REVIEW10", "0123456789"])
def test_an_id_tells_the_form_of_a_test_destinations_code(code: str) -> None:
    verification_id = KEYS.new_verification_id(CodeForm.of_fixed(code))
    assert read_code(verification_id, f" {code.lower()}\u200b") == code


@pytest.mark.parametrize(
    "typed",
    [
        "ABC234",
        "abc234",
        "abc-234",
        " aBc 234 ",
        "\uff21\uff22\uff23234",
        "ABC\u2013234",
        "code: abc234",
        '"ABC234."',
    ],
)
def test_letters_may_be_typed_in_any_case(typed: str) -> None:
    assert read_code(KEYS.new_verification_id(CodeForm.of_fixed("ABC234")), typed) == "ABC234"


@pytest.mark.parametrize("typed", ["ABC23", "code abc234"])
def test_too_few_or_too_many_letters_are_no_code(typed: str) -> None:
    with pytest.raises(NotValid, match="is not a code of 6 letters and digits"):
        read_code(KEYS.new_verification_id(CodeForm.of_fixed("ABC234")), typed)
