"""Emails and SMS with a code, in every locale and for every purpose."""

import itertools
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any, cast

import pytest

from functions.core import config
from functions.core.config import SettingsError
from functions.core.messages import segments
from functions.core.messages.email import Email
from functions.core.messages.rendering import locales
from functions.core.messages.rendering.purposes import Purpose, purposes
from functions.core.messages.verification import (
    prepare,
    spoken_introduction,
    verification_email,
    verification_sms,
)
from functions.core.parameters import NotValid
from tests.builders.emails import Page
from tests.unit.conftest import SetMessages

pytestmark = pytest.mark.usefixtures("set_messages")

LOCALES = sorted(locales.tags().values())
PURPOSES = [None, *purposes()]
LONGEST_DOMAIN = "a." * 18 + "test"
HASH = "FA+9qCX9VSu"
EVERY = pytest.mark.parametrize(("locale", "purpose"), list(itertools.product(LOCALES, PURPOSES)))


def email(
    code: str = "123456", minutes: int = 10, purpose: str | None = None, locale: str | None = "en"
) -> Email:
    return verification_email(code, minutes=minutes, purpose=purpose, locale=locale)


def sms(
    code: str = "123456", minutes: int = 10, purpose: str | None = None, locale: str | None = "en"
) -> str:
    return verification_sms(code, minutes=minutes, purpose=purpose, locale=locale)


class Runs(HTMLParser):
    """Runs of text of an HTML document."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.runs: list[str] = []
        self.feed(html)

    def handle_data(self, data: str) -> None:
        self.runs.append(data)


@EVERY
@pytest.mark.parametrize("code", ["012345", "A1B2C3D4E5"])
def test_the_code_is_one_run_of_html_and_a_line_of_text(
    code: str, purpose: str | None, locale: str
) -> None:
    mail = email(code, purpose=purpose, locale=locale)
    assert Runs(mail.html).runs.count(code) == 1
    assert mail.text.splitlines().count(code) == 1
    assert "\n" not in mail.subject
    assert code not in mail.subject


@pytest.mark.parametrize("locale", LOCALES)
def test_a_link_is_a_button_and_a_line_of_text_beside_the_code(locale: str) -> None:
    link = "https://app.example.com/verify?a=1&b=2#verification_id=k1.d6&code=123456"
    mail = verification_email("123456", minutes=10, purpose=None, locale=locale, link=link)
    page = Page(mail.html)
    assert page.links == [link]
    assert Runs(mail.html).runs.count("123456") == mail.text.splitlines().count("123456") == 1
    assert mail.text.splitlines().count(link) == 1
    assert "Our app" in page.blocks[page.blocks.index("123456") + 2]
    assert link not in email(locale=locale).html


@EVERY
def test_an_email_names_the_app_and_how_long_the_code_is_valid(
    purpose: str | None, locale: str
) -> None:
    mail = email(purpose=purpose, locale=locale)
    assert "Our app" in mail.subject
    assert all(
        "10" in part and "Our app" in part and "{" not in part.split("</style>")[-1]
        for part in (mail.text, mail.html)
    )


@pytest.mark.parametrize("locale", LOCALES)
def test_each_purpose_has_its_own_words(locale: str) -> None:
    assert len({email(purpose=purpose, locale=locale).subject for purpose in PURPOSES}) == len(
        PURPOSES
    )
    assert len({email(purpose=purpose, locale=locale).text for purpose in PURPOSES}) == len(
        PURPOSES
    )
    assert len({sms(purpose=purpose, locale=locale) for purpose in PURPOSES}) == len(PURPOSES)
    spoken = {spoken_introduction(purpose=each, locale=locale) for each in PURPOSES}
    assert len(spoken) == len(PURPOSES)


def test_these_purposes_are_always_there() -> None:
    assert set(purposes()) >= {
        "sign_up",
        "sign_in",
        "two_factor",
        "change_destination",
        "reset_password",
        "delete_account",
    }


@pytest.fixture
def read_anew() -> Iterator[None]:
    """Forgets what was read of the locales, and what the test made of them."""
    config.reset(everything=True)
    yield
    config.reset(everything=True)


@pytest.mark.usefixtures("read_anew")
def test_a_purpose_needs_sentences_and_no_code(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(NotValid, match="must be one of: sign_up, sign_in, "):
        Purpose.read("export_data")
    sentences = locales.find_locale("en").sentences | {
        "verification.subject.export_data": "Your code to export your data from {app_name}",
        "verification.intro.export_data": "Use this code to export your data from {app_name}:",
        "verification.sms_code.export_data": "{code} is your code to export your data.",
    }
    monkeypatch.setattr(locales, "_read", lambda tag: locales.Locale(sentences=sentences, tag=tag))
    config.reset(everything=True)
    assert Purpose.read("export_data") == "export_data"
    assert email(purpose="export_data").subject == "Your code to export your data from Our app"
    assert sms(purpose="export_data").startswith("123456 is your code to export your data.")
    assert spoken_introduction(purpose="export_data", locale="en") == (
        "Use this code to export your data from Our app:",
        "en",
    )


def test_an_unknown_purpose_has_the_words_of_none() -> None:
    assert email(purpose="party") == email()


def test_one_minute_is_singular() -> None:
    assert "valid for 1 minute and" in email(minutes=1).text
    assert "دقيقتين" in sms(minutes=2, locale="ar")


@pytest.mark.parametrize("locale", LOCALES)
def test_html_says_its_language_and_direction(locale: str) -> None:
    direction = "rtl" if locale == "ar" else "ltr"
    assert f'<html lang="{locale}" dir="{direction}">' in email(locale=locale).html


def test_arabic_isolates_the_app_name_and_the_code() -> None:
    mail = email(locale="ar")
    assert 'في <span dir="auto">Our app</span> هو:' in mail.html
    assert re.search(r'<p class="code" dir="ltr"[^>]*>123456</p>', mail.html)
    assert "في \u2068Our app\u2069 هو:" in mail.text
    assert not re.search("[\u2066-\u2069]", mail.subject + sms(locale="ar"))


def test_a_preview_shows_the_preheader_and_not_the_code() -> None:
    shown = "".join(Runs("<body" + email().html.partition("<body")[2]).runs).lstrip()
    assert shown.startswith("It is valid for 10 minutes and works once.")
    assert shown.index("123456") > 200


def test_tables_are_only_layout() -> None:
    html = email().html
    assert html.count("<table") == html.count('<table role="presentation"') == 2


def test_an_email_follows_the_readers_dark_mode() -> None:
    assert '<meta name="color-scheme" content="light dark">' in email().html
    assert "prefers-color-scheme: dark" in email().html


def test_the_brand_color_has_readable_text(set_messages: SetMessages) -> None:
    set_messages(brand_color="#ffee00")
    assert "background-color:#ffee00;color:#000000;" in email().html


def test_the_support_address_is_in_the_footer_when_set(set_messages: SetMessages) -> None:
    assert "Need help?" not in email().text + email().html
    set_messages(support_address="help@example.com")
    assert email().text.endswith("Need help? help@example.com")
    assert 'href="mailto:help@example.com"' in email().html


def test_the_code_is_in_the_subject_only_by_setting(set_messages: SetMessages) -> None:
    set_messages(code_in_subject="true")
    assert email().subject == "123456 · Your verification code for Our app"


def test_the_title_is_the_subject() -> None:
    assert "<title>Your sign-in code for Our app</title>" in email(purpose="sign_in").html


@EVERY
def test_a_usual_sms_says_app_and_purpose_in_the_languages_alphabet(
    purpose: str | None, locale: str
) -> None:
    text = sms(purpose=purpose, locale=locale)
    sentence = locales.find_locale(locale).sentence("verification.sms_code", purpose)
    assert text.startswith(sentence.replace("{code}", "123456").replace("{app_name}", "Our app"))
    assert segments.length(text).alphabet == ("UCS-2" if locale in {"ar", "ja"} else "GSM-7")
    assert text.endswith(locales.find_locale(locale).sentence("verification.sms_secrecy"))


def worst_cases() -> Iterator[dict[str, str]]:
    names = ["x" * 40, "€" * 40, "ç" * 40, "名" * 40, "😀" * 40, "Our app"]
    for name, domain, app_hash in itertools.product(names, ["", LONGEST_DOMAIN], ["", HASH]):
        yield {"app_name": name, "web_domain": domain, "android_app_hash": app_hash}


@pytest.mark.parametrize(
    "about", list(worst_cases()), ids=lambda about: "-".join(each[:3] for each in about.values())
)
def test_every_sms_is_one_segment_with_its_whole_code(
    about: dict[str, str], set_messages: SetMessages
) -> None:
    set_messages(**about)
    for locale, purpose in itertools.product(LOCALES, PURPOSES):
        text = sms("A1B2C3D4E5", purpose=purpose, locale=locale)
        length = segments.length(text)
        assert length.one_segment, (locale, purpose, text)
        assert "A1B2C3D4E5" in text
        if about["android_app_hash"]:
            assert text.endswith(HASH)
            assert length.units <= 140, "Android's SMS Retriever reads 140 bytes"
        if about["web_domain"]:
            assert wicg(text) == (LONGEST_DOMAIN, "A1B2C3D4E5")


def wicg(message: str) -> tuple[str, str]:
    """Host and code as browsers parse them (WICG, origin-bound one-time codes, §3.2).

    Browsers ignore everything after the code.
    """
    found = re.match(r"@(\S+) #(\S+)", message.splitlines()[-1])
    assert found, message
    return found[1], found[2]


def test_the_app_name_goes_before_the_code_does(set_messages: SetMessages) -> None:
    set_messages(app_name="名" * 40, web_domain="app.example.com")
    words, _ = sms(purpose="sign_in").splitlines()
    assert words == "123456 is your code. Valid for 10 minutes. Do not share it."


@pytest.mark.parametrize(
    ("settings", "last_line"),
    [
        ({"web_domain": "app.example.com"}, "@app.example.com #123456"),
        ({"android_app_hash": HASH}, HASH),
        (
            {"web_domain": "app.example.com", "android_app_hash": HASH},
            f"@app.example.com #123456 {HASH}",
        ),
    ],
)
def test_the_last_line_is_for_machines(
    settings: dict[str, str], last_line: str, set_messages: SetMessages
) -> None:
    set_messages(**settings)
    assert (
        sms() == f"123456 is your Our app code. Valid for 10 minutes. Do not share it.\n{last_line}"
    )


def test_init_finds_wrong_settings(set_messages: SetMessages) -> None:
    set_messages(default_locale="tlh")
    with pytest.raises(SettingsError, match="DEFAULT_LOCALE"):
        prepare()


def test_init_reads_the_default_locale_only() -> None:
    config.reset(everything=True)
    prepare()
    assert cast("Any", locales._read).cache_info().currsize == 1
