import re

import msgspec
import pytest

from functions.core.messages.locales import FOLDER, Locale, fill, find_locale, tags
from functions.core.settings import SettingsError
from tests.unit.conftest import SetMessages

pytestmark = pytest.mark.usefixtures("set_messages")

ENGLISH = msgspec.json.decode((FOLDER / "en.json").read_bytes(), type=Locale).sentences
BASES = {key for key in ENGLISH if not key.startswith("minutes.")}
"""Variants by number (`minutes.1`) are each language's own."""


def test_the_locales_are_these() -> None:
    assert set(tags().values()) == {"ar", "de", "en", "es", "fr", "ja", "pt-BR"}


@pytest.mark.parametrize("tag", tags().values())
def test_every_locale_has_the_sentences_and_placeholders_of_english(tag: str) -> None:
    sentences = find_locale(tag).sentences
    assert {key for key in sentences if not re.fullmatch(r"minutes\.\d+", key)} == BASES
    assert all(sentences.values())
    assert {key: placeholders(sentences[key]) for key in BASES} == {key: placeholders(ENGLISH[key]) for key in BASES}


def placeholders(sentence: str) -> list[str]:
    return sorted(re.findall(r"\{.*?\}", sentence))


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ("pt-BR", "pt-BR"),
        ("PT-br", "pt-BR"),
        ("pt_BR", "pt-BR"),
        ("pt-BR-x-old", "pt-BR"),
        ("pt", "pt-BR"),
        ("pt-PT", "pt-BR"),
        ("es-419", "es"),
        ("de-Latn-DE-1996", "de"),
        ("ar-EG", "ar"),
    ],
)
def test_a_tag_falls_back_to_the_nearest_locale(wanted: str, found: str) -> None:
    assert find_locale(wanted).tag == found


@pytest.mark.parametrize(
    "wanted", [None, "", "tlh", "x-pirate", "p", "fr-", "fr--FR", "fr FR", "../fr", "fr\0", "fr,en;q=0.9", "de" * 999]
)
def test_what_is_unknown_or_malformed_is_the_default_locale(wanted: str | None, set_messages: SetMessages) -> None:
    set_messages(default_locale="ja")
    assert find_locale(wanted).tag == "ja"


def test_a_default_locale_that_does_not_exist_ends_the_init_with_a_sentence(set_messages: SetMessages) -> None:
    set_messages(default_locale="tlh")
    with pytest.raises(SettingsError, match=r"DEFAULT_LOCALE: tlh is none of ar, de, en, es, fr, ja, pt-BR\."):
        find_locale(None)


def test_only_arabic_is_written_from_right_to_left() -> None:
    assert [tag for tag in tags().values() if find_locale(tag).dir == "rtl"] == ["ar"]


def test_a_variant_is_used_where_there_is_one() -> None:
    locale = Locale(sentences={"code": "a code", "code.sign_in": "a sign-in code"})
    assert [locale.sentence("code", variant) for variant in ("sign_in", "sign_up", None)] == [
        "a sign-in code",
        "a code",
        "a code",
    ]


def test_values_are_put_in_as_they_are() -> None:
    assert fill("{a} and {b}", {"a": "{b}", "b": "{a.__class__}"}.__getitem__) == "{b} and {a.__class__}"
