import re

import pytest

from functions.core.verification.codes import CodeKeys, new_code, normalise

KEYS = CodeKeys.from_json('{"current": "k2", "k1": "old", "k2": "new"}')


def test_an_id_names_its_key_and_fits_a_schedules_name() -> None:
    made = {KEYS.new_verification_id() for _ in range(100)}
    assert len(made) == 100
    assert all(re.fullmatch(r"k2\.[0-9A-Za-z_-]{22}", each) and len(each) <= 64 for each in made)


def test_a_mac_is_made_with_the_key_that_the_id_names() -> None:
    only_old = CodeKeys.from_json('{"current": "k1", "k1": "old"}')
    assert KEYS.mac("k1.x", "123456") == only_old.mac("k1.x", "123456")
    assert KEYS.mac("k2.x", "123456") != only_old.mac("k2.x", "123456")


def test_a_mac_is_bound_to_its_verification() -> None:
    assert KEYS.mac("k1.x", "123456") != KEYS.mac("k1.y", "123456")
    assert KEYS.mac("k1.x", "1") != KEYS.mac("k1.x1", "")


def test_an_unknown_key_gives_a_mac_all_the_same() -> None:
    assert len(KEYS.mac("k9.x", "123456")) == 32


@pytest.mark.parametrize("text", ['{"current": "k1"}', '{"k1": "x"}', '{"current": "k1", "k2": "x"}'])
def test_a_secret_without_its_current_key_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="code keys"):
        CodeKeys.from_json(text)


def test_a_code_is_digits_of_the_length_asked_for() -> None:
    assert all(re.fullmatch(r"[0-9]{8}", new_code(8)) for _ in range(100))
    assert {digit for _ in range(500) for digit in new_code(6)} == set("0123456789")


@pytest.mark.parametrize(
    "typed", ["123456", " 123 456 ", "123-456", "\uff11\uff12\uff13\uff14\uff15\uff16", "12\u00a03456"]
)
def test_what_people_type_is_the_code(typed: str) -> None:
    assert normalise(typed) == "123456"


def test_letters_and_digits_that_look_alike_are_not_in_codes() -> None:
    made = {letter for _ in range(500) for letter in new_code(10, "letters_and_digits")}
    assert made == set("23456789ABCDEFGHJKMNPQRSTVWXYZ")


@pytest.mark.parametrize("typed", ["ABC234", "abc234", "abc-234", " aBc 234 ", "\uff21\uff22\uff23234", "ABC\u2013234"])
def test_letters_may_be_typed_in_any_case(typed: str) -> None:
    assert normalise(typed) == "ABC234"
