import re
from datetime import date

import msgspec
import pytest

from functions.core.config import SettingsError
from functions.core.messages.rendering.locales import (
    FOLDER,
    Locale,
    LocaleHint,
    fill,
    find_locale,
    tags,
)
from tests.unit.conftest import SetMessages

pytestmark = pytest.mark.usefixtures("set_messages")

ENGLISH = msgspec.json.decode((FOLDER / "en.json").read_bytes(), type=Locale).sentences
OWN = re.compile(r"(minutes|date)\.\d+")
"""Plural variants (`minutes.1`), which differ by language."""
BASES = {key for key in ENGLISH if not OWN.fullmatch(key)}


def test_the_locales_are_these() -> None:
    assert set(tags().values()) == {"ar", "de", "en", "es", "fr", "ja", "pt-BR"}


@pytest.mark.parametrize("tag", tags().values())
def test_every_locale_has_the_sentences_and_placeholders_of_english(tag: str) -> None:
    sentences = find_locale(tag).sentences
    assert {key for key in sentences if not OWN.fullmatch(key)} == BASES
    assert all(sentences.values())
    assert {key: placeholders(sentences[key]) for key in BASES} == {
        key: placeholders(ENGLISH[key]) for key in BASES
    }


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
        (" de ", "de"),
        ("de_DE.UTF-8", "de"),
        ("pt_BR.ISO8859-1@euro", "pt-BR"),
        ("deu", "de"),
        ("ger-AT", "de"),
        ("jpn", "ja"),
        ("por", "pt-BR"),
        ("ara", "ar"),
        ("fr-CH, fr;q=0.9, en;q=0.8, de;q=0.7, *;q=0.5", "fr"),
        ("it,es;q=0.8,en;q=0.7", "es"),
        ("en;q=0.3,ja;q=0.9", "ja"),
        ("de;q=0,fr;q=0.1", "fr"),
        ("*, ar;q=0.5", "ar"),
        ("tlh;q=1.0,de ; q=0.2", "de"),
        (["it", "de-AT", "en"], "de"),
        (["de_DE.UTF-8"], "de"),
    ],
)
def test_a_readers_languages_find_the_nearest_locale(wanted: LocaleHint, found: str) -> None:
    assert find_locale(wanted).tag == found


@pytest.mark.parametrize(
    "wanted",
    [
        *(
            None,
            "",
            [],
            "tlh",
            "x-pirate",
            "p",
            "fr-",
            "fr--FR",
            "fr FR",
            "../fr",
            "fr\0",
            "C.UTF-8",
            "POSIX",
            "*",
        ),
        *("de;q=0", ",", ";q=1", "de" * 999, "," * 5_000 + "de", [*["tlh"] * 30, "de"]),
    ],
)
def test_an_unknown_or_malformed_language_gives_the_default_locale(
    wanted: LocaleHint | None, set_messages: SetMessages
) -> None:
    set_messages(default_locale="ja")
    assert find_locale(wanted).tag == "ja"


def test_a_default_locale_that_does_not_exist_ends_the_init_with_a_sentence(
    set_messages: SetMessages,
) -> None:
    set_messages(default_locale="tlh")
    with pytest.raises(
        SettingsError, match=r"DEFAULT_LOCALE: tlh is not one of ar, de, en, es, fr, ja, pt-BR\."
    ):
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


@pytest.mark.parametrize(
    ("tag", "written"),
    [
        ("en", "January 31, 2027; May 1, 2027"),
        ("es", "31 de enero de 2027; 1 de mayo de 2027"),
        ("fr", "31 janvier 2027; 1er mai 2027"),
        ("de", "31. Januar 2027; 1. Mai 2027"),
        ("pt-BR", "31 de janeiro de 2027; 1º de maio de 2027"),
        ("ja", "2027年1月31日; 2027年5月1日"),
        ("ar", "31 يناير 2027; 1 مايو 2027"),
    ],
)
def test_a_date_is_written_as_the_language_does(tag: str, written: str) -> None:
    locale = find_locale(tag)
    assert (
        "; ".join(locale.format_date(day) for day in (date(2027, 1, 31), date(2027, 5, 1)))
        == written
    )


def test_values_are_put_in_as_they_are() -> None:
    assert (
        fill("{a} and {b}", {"a": "{b}", "b": "{a.__class__}"}.__getitem__)
        == "{b} and {a.__class__}"
    )
