"""Each folder of templates/ that workflows send.

It is complete, in every language, and says the same in HTML and in text.
"""

import html
import itertools
import json
import re
from datetime import date
from typing import Any

import pytest

from functions.core.errors import InvalidParameters
from functions.core.messages.rendering.locales import find_locale
from functions.core.messages.rendering.render import TEMPLATES
from tests.builders.emails import LEAVE, LOCALES, NAMES, SAMPLES_LINK_TO, Page, email, sample
from tests.unit.conftest import SetMessages

MOST_BYTES = 100 * 1000
"""Gmail shows the first 102 KB."""
EVERY = pytest.mark.parametrize(
    ("name", "locale"), list(itertools.product([*NAMES, "verification"], LOCALES))
)
WITH_SENTENCES = [name for name in NAMES if (TEMPLATES / name / "sentences.json").exists()]
ISO_DATE = re.compile(r"\d{4}-\d\d-\d\d")


@pytest.fixture(autouse=True)
def _app(set_messages: SetMessages) -> None:
    set_messages(link_hosts=SAMPLES_LINK_TO, support_address="help@example.com")


def sentences(name: str) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = json.loads((TEMPLATES / name / "sentences.json").read_text())
    return found


def placeholders(sentence: str) -> list[str]:
    return sorted(set(re.findall(r"\{.*?\}", sentence)))


def paragraphs(text: str) -> list[str]:
    """Paragraphs without spelled-out links and without direction marks."""
    plain = re.sub("[\u2068\u2069]", "", text)
    return [re.sub(r": https://\S+$", "", paragraph) for paragraph in re.split(r"\n{2,}", plain)]


def given(value: Any) -> list[str]:
    """All texts in a sample."""
    if isinstance(value, dict):
        return [text for each in value.values() for text in given(each)]
    if isinstance(value, list):
        return [text for each in value for text in given(each)]
    return [value]


def test_the_templates_are_these() -> None:
    assert {"invitation", "message", "welcome"} <= set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_a_folder_is_complete(name: str) -> None:
    files = {path.name for path in (TEMPLATES / name).iterdir() if path.is_file()}
    needed = {"__init__.py", "data.py", "subject.txt", "body.txt", "body.html", "sample.json"}
    assert files - {"sentences.json"} == needed


@pytest.mark.parametrize("name", WITH_SENTENCES)
def test_a_template_speaks_every_language_with_the_same_sentences(name: str) -> None:
    spoken = sentences(name)
    assert sorted(spoken) == LOCALES
    english = {key: placeholders(sentence) for key, sentence in spoken["en"].items()}
    for locale, own in spoken.items():
        assert {key: placeholders(sentence) for key, sentence in own.items()} == english, locale
        assert all(own.values()), locale


@pytest.mark.parametrize("name", WITH_SENTENCES)
def test_every_sentence_is_said(name: str) -> None:
    files = "".join(
        (TEMPLATES / name / file).read_text() for file in ("subject.txt", "body.txt", "body.html")
    )
    bases = {key.partition(".")[0] for key in sentences(name)["en"]}
    assert bases == set(re.findall(r'say\("(\w+)"', files))


@EVERY
def test_the_subject_is_one_line(name: str, locale: str) -> None:
    subject = email(name, locale).subject
    assert subject
    assert subject.isprintable()


@EVERY
def test_text_and_html_say_the_same(name: str, locale: str) -> None:
    mail = email(name, locale)
    assert Page(mail.html).blocks == paragraphs(mail.text)
    assert "{" not in mail.text


@pytest.mark.parametrize(("name", "locale"), list(itertools.product(NAMES, LOCALES)))
def test_every_given_value_is_in_both(name: str, locale: str) -> None:
    mail = email(name, locale)
    for text in given(sample(name)):
        shown = (
            find_locale(locale).format_date(date.fromisoformat(text))
            if ISO_DATE.fullmatch(text)
            else text
        )
        assert shown in html.unescape(mail.html)
        assert shown in mail.text


@EVERY
def test_links_are_https_and_have_words(name: str, locale: str) -> None:
    page = email(name, locale).html
    links = Page(page).links
    assert links
    assert all(link.startswith("https://") or link == "mailto:help@example.com" for link in links)
    assert all(re.sub(r"<.*?>|\s", "", words) for words in re.findall(r"<a .*?>(.*?)</a>", page))


@EVERY
def test_mail_programs_show_all_of_it(name: str, locale: str) -> None:
    assert len(email(name, locale).html.encode()) < MOST_BYTES


@EVERY
def test_language_and_direction_are_said_where_webmail_keeps_them(name: str, locale: str) -> None:
    wanted = {"lang": locale, "dir": "rtl" if locale == "ar" else "ltr"}
    (page,) = [about for tag, about in Page(email(name, locale).html).elements if tag == "html"]
    (inside, *_) = [about for tag, about in Page(email(name, locale).html).elements if tag == "div"]
    assert page == inside == wanted


@EVERY
def test_a_preview_shows_more_than_the_subject(name: str, locale: str) -> None:
    mail = email(name, locale)
    preheader = re.sub(
        r"<.*?>",
        "",
        mail.html.partition("mso-hide:all;")[2].removeprefix('">').partition("&#847;")[0],
    )
    assert preheader
    assert preheader not in mail.subject


def test_a_given_text_has_its_own_direction() -> None:
    assert re.search(
        r'<h1 [^>]*dir="auto"[^>]*>مرحبا</h1>', email("message", "en", heading="مرحبا").html
    )


@pytest.mark.parametrize("locale", LOCALES)
def test_an_unsubscribe_link_is_seen_where_there_is_one(locale: str) -> None:
    without, mail = email("message", locale), email("message", locale, unsubscribe_url=LEAVE)
    assert LEAVE not in without.html + without.text
    word = find_locale(locale).sentence("layout.unsubscribe")
    assert f"{word}: {LEAVE}" in mail.text
    assert (Page(mail.html).blocks[-1], Page(mail.html).links[-1]) == (word, LEAVE)
    assert mail.unsubscribe_url == LEAVE


@pytest.mark.parametrize("locale", LOCALES)
def test_welcome_also_greets_somebody_without_a_name(locale: str) -> None:
    mail = email("welcome", locale, first_name=None)
    assert "Ana" not in mail.text + mail.html
    assert email("welcome", locale).text != mail.text


@pytest.mark.parametrize("locale", LOCALES)
def test_an_invitation_needs_no_note(locale: str) -> None:
    mail = email("invitation", locale, note=None)
    assert (
        len(Page(mail.html).blocks)
        == len(paragraphs(mail.text))
        == len(Page(email("invitation", locale).html).blocks) - 2
    )


@pytest.mark.parametrize(
    ("name", "wrong", "pointer", "detail"),
    [
        ("welcome", {"first_name": "x" * 61}, "/data/first_name", "must be at most 60 characters"),
        ("invitation", {"inviter": "Click\nhere"}, "/data/inviter", "line breaks"),
        ("invitation", {"team": "x" * 61}, "/data/team", "must be at most 60 characters"),
        ("invitation", {"note": "x" * 501}, "/data/note", "must be at most 500 characters"),
        ("invitation", {"note": "see https://evil.example"}, "/data/note", "link_hosts"),
        ("invitation", {"accept_url": "https://evil.example/"}, "/data/accept_url", "link_hosts"),
        (
            "invitation",
            {"expires_on": "tomorrow"},
            "/data/expires_on",
            "must be a date like 2026-01-31",
        ),
        ("invitation", {"inviter": None}, "/data/inviter", ""),
        ("message", {"colour": "red"}, "/data/colour", "is not"),
    ],
    ids=str,
)
def test_what_is_wrong_is_named(
    name: str, wrong: dict[str, Any], pointer: str, detail: str
) -> None:
    with pytest.raises(InvalidParameters) as raised:
        email(name, "en", **wrong)
    (error,) = raised.value.errors
    assert error.pointer == pointer
    assert detail in error.detail


def test_a_name_is_no_link() -> None:
    mail = email("invitation", "en", inviter="evil.example", team="Blue")
    assert "evil.example" not in mail.subject + mail.text + mail.html
