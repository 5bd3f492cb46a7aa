import re
from collections import Counter
from itertools import product

import pytest

from functions.core.parameters import NotValid
from functions.core.verification.codes import CodeForm, CodeKeys, digits, new_salt, read_code

KEYS = CodeKeys.from_json('{"current": "k2", "k1": "old", "k2": "new"}')


def test_an_id_names_its_key_and_fits_a_schedules_name() -> None:
    made = {KEYS.new_verification_id() for _ in range(100)}
    assert len(made) == 100
    assert all(re.fullmatch(r"k2\.d6[0-9A-Za-z_-]{22}", each) and len(each) <= 64 for each in made)


def test_a_mac_is_made_with_the_key_that_the_id_names() -> None:
    only_old = CodeKeys.from_json('{"current": "k1", "k1": "old"}')
    assert KEYS.mac("k1.x", "123456") == only_old.mac("k1.x", "123456")
    assert KEYS.mac("k2.x", "123456") != only_old.mac("k2.x", "123456")


def test_a_mac_is_that_of_earlier_releases() -> None:
    """Otherwise no code that was sent before a deployment would be right after it."""
    assert KEYS.mac("k1.x", "123456").hex() == (
        "0208fc1d347ae0089c2eb7eadfd3c65b2b98fe25bd0d59a07a13798497971443"
    )


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


def id_of(length: int = 6) -> str:
    return KEYS.new_verification_id(CodeForm.of_new(length))


@pytest.mark.parametrize("length", [6, 8, 10])
def test_a_code_is_digits_of_the_length_that_its_id_tells(length: int) -> None:
    codes = [KEYS.code(id_of(length), new_salt()) for _ in range(300)]
    assert all(re.fullmatch(rf"[0-9]{{{length}}}", code) for code in codes)
    assert {digit for code in codes for digit in code} == set("0123456789")


def test_each_digit_is_equally_likely() -> None:
    """Exactly: of the 256 values of a byte each digit has 25, and six are left out."""
    assert Counter(digits(range(256))) == dict.fromkeys("0123456789", 25)
    assert list(digits([249, 250, 255, 7])) == ["9", "7"]


def test_each_pair_of_digits_is_equally_likely() -> None:
    """A byte that is left out changes nothing about the ones around it."""
    pairs = Counter(
        "".join(digits(pair)) for pair in product(range(256), repeat=2) if max(pair) < 250
    )
    assert Counter(pairs.values()) == {25 * 25: 100}


def test_the_same_id_and_salt_have_the_same_code() -> None:
    verification_id, salt = id_of(), new_salt()
    assert KEYS.code(verification_id, salt) == KEYS.code(verification_id, salt)


def salted(verification_id: str, keys: CodeKeys = KEYS) -> list[str]:
    """Codes of an id for 1,000 salts."""
    return [keys.code(verification_id, number.to_bytes(16)) for number in range(1000)]


def test_a_key_alone_tells_no_code() -> None:
    """Whoever has the key and an id has one of many codes for each salt that there may be."""
    codes = salted("k2.d6AAAAAAAAAAAAAAAAAAAAAA")
    assert len(set(codes)) > 990
    assert {digit for code in codes for digit in code} == set("0123456789")


def test_a_table_alone_tells_no_code() -> None:
    """Id and salt are stored. With another key they have other codes."""
    other = CodeKeys.from_json('{"current": "k2", "k2": "other"}')
    verification_id = "k2.d6AAAAAAAAAAAAAAAAAAAAAA"
    pairs = zip(salted(verification_id), salted(verification_id, other), strict=True)
    assert sum(mine == others for mine, others in pairs) < 10


def test_another_id_with_the_same_salt_has_another_code() -> None:
    ids = [f"k2.d6{number:022}" for number in range(1000)]
    assert len({KEYS.code(each, bytes(16)) for each in ids}) > 990


def test_a_code_is_made_with_the_key_that_the_id_names() -> None:
    only_old = CodeKeys.from_json('{"current": "k1", "k1": "old"}')
    verification_id = "k1.d6AAAAAAAAAAAAAAAAAAAAAA"
    assert salted(verification_id) == salted(verification_id, only_old)


def test_what_a_key_signs_is_never_alike() -> None:
    """Ids have no control characters, so the first byte tells the kinds of messages apart."""
    verification_id, signer = "k2.d6AAAAAAAAAAAAAAAAAAAAAA", "token\nkey"
    mac = KEYS.mac(verification_id, signer)
    mark, proof_id = (
        KEYS.check_mark(verification_id, signer),
        KEYS.proof_id(verification_id, signer),
    )
    assert len({mac[:16], bytes.fromhex(mark)[:16], proof_id}) == 3
    assert all(character > " " for character in verification_id)


def test_a_mark_is_bound_to_its_verification_its_token_and_its_key() -> None:
    marks = {
        KEYS.check_mark(verification_id, f"{token}\n{key}")
        for verification_id, token, key in product(("k2.x", "k2.y"), ("a", "b"), ("k", "l"))
    }
    assert len(marks) == 8


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
