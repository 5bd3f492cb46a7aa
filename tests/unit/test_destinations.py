import pytest

from functions.core import config
from functions.core.errors import CountryNotAllowed, InvalidParameters
from functions.core.verification.destinations import Channel, read_destination


@pytest.fixture(autouse=True)
def _countries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SMS_COUNTRIES", "US,DE")
    config.reset()


@pytest.mark.parametrize(
    ("typed", "address", "deliver_to", "canonical"),
    [
        (
            "Case.Test@Example.COM",
            "case.test@example.com",
            "Case.Test@example.com",
            "case.test@example.com",
        ),
        ("ANA@straße.de", "ana@straße.de", "ANA@xn--strae-oqa.de", "ana@xn--strae-oqa.de"),
        ("ana@BU\u0308CHER.de", "ana@bücher.de", "ana@xn--bcher-kva.de", "ana@xn--bcher-kva.de"),
        ("ana+news@example.com", "ana+news@example.com", "ana+news@example.com", "ana@example.com"),
        (
            "a.n.a+x@googlemail.com",
            "a.n.a+x@googlemail.com",
            "a.n.a+x@googlemail.com",
            "ana@gmail.com",
        ),
        ("ana@bücher.de", "ana@bücher.de", "ana@xn--bcher-kva.de", "ana@xn--bcher-kva.de"),
    ],
)
def test_an_email_is_known_in_lower_case_sent_as_typed_and_limited_by_its_canonical_form(
    typed: str, address: str, deliver_to: str, canonical: str
) -> None:
    read = read_destination("email", typed)
    assert (read.address, read.deliver_to, read.canonical) == (address, deliver_to, canonical)


@pytest.mark.parametrize(
    ("names", "canonical"),
    [
        (["a.n.a@gmail.com", "ana+x@googlemail.com"], "ana@gmail.com"),
        (["a.n_a-b@pm.me", "anab+x@protonmail.com", "anab@protonmail.ch"], "anab@proton.me"),
        (["an.a@me.com", "an.a@mac.com", "an.a+x@icloud.com"], "an.a@icloud.com"),
        (["an.a@ya.ru", "an-a+x@yandex.com.tr", "an-a@yandex.kz"], "an-a@yandex.ru"),
        (["x@ana.fastmail.com", "ana+x@fastmail.com"], "ana@fastmail.com"),
        (["base-shop@yahoo.co.uk", "base-news@yahoo.co.uk"], "base@yahoo.co.uk"),
        (["base-shop@ymail.com"], "base@ymail.com"),
        (["An.a+x@outlook.com"], "an.a@outlook.com"),
        (["ana+x@hotmail.com"], "ana@hotmail.com"),
        (["ana+x@company.example"], "ana@company.example"),
    ],
)
def test_all_names_of_a_mailbox_are_one_limit_key(names: list[str], canonical: str) -> None:
    assert {read_destination("email", name).canonical for name in names} == {canonical}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("ana@fastmail.com", "ana@fastmail.fm"),
        ("ana@yahoo.com", "ana@yahoo.co.uk"),
        ("ana@outlook.com", "ana@hotmail.com"),
        ("an.a@outlook.com", "ana@outlook.com"),
        ("an.a@icloud.com", "ana@icloud.com"),
        ("an-a@example.com", "ana@example.com"),
        ("an-a@gmail.com", "ana@gmail.com"),
        ("an_a@yandex.ru", "an-a@yandex.ru"),
        ("ana@notyahoo.com", "ana@yahoo.com"),
        ("ana@yandex.example.com", "ana@yandex.com"),
        ("ana@yandex.zw", "ana@yandex.ru"),
        ("ana@yandex.co.zw", "ana@yandex.ru"),
        ("x@ana.example.com", "ana@example.com"),
        ("+a@example.com", "+b@example.com"),
        ("-a@yahoo.com", "-b@yahoo.com"),
    ],
)
def test_two_mailboxes_are_two_limit_keys(one: str, other: str) -> None:
    first, second = (read_destination("email", each).canonical for each in (one, other))
    assert first != second


@pytest.mark.parametrize(
    "typed",
    [
        " ana@example.com",
        "ana@example.com\r\n",
        "\tana@example.com\u00a0",
        "ana@example.com\u200b",
        "\u202aana@example.com\u202c",
        "\u2068ana@example.com\u2069",
        "\ufeffana@example.com",
        "ana@example.com\u3000",
        "ana@\u200bexample.com",
        "an\u00ada@exam\u2060ple.com",
        "ana\ufeff@example.com",
        "ana@example.com\u3164",
        "mailto:ana@example.com",
        "MailTo:ana@example.com ",
    ],
)
def test_an_email_is_read_from_what_people_paste(typed: str) -> None:
    assert read_destination("email", typed).address == "ana@example.com"


@pytest.mark.parametrize(
    "typed",
    [
        "ana",
        "ana @example.com",
        "ana\u202e@example.com",
        "mailto:mailto:ana@example.com",
        "ana@",
        "ana@localhost",
        '"eve@attacker.example"@example.com',
        "ana\uff20example.com",
        "ana@example.com\r\nBcc: eve@example.com",
        "ana@example.com,eve@example.com",
        "Ana <ana@example.com>",
        "x" * 65 + "@example.com",
        "añá@example.com",
        "ana@exam ple.com",
    ],
)
def test_an_invalid_email_address_is_refused(typed: str) -> None:
    with pytest.raises(InvalidParameters) as caught:
        read_destination("email", typed)
    assert caught.value.errors == (("/to", "is not a valid email address"),)


@pytest.mark.parametrize(
    "typed",
    [
        "+14155550123",
        "+1 (415) 555-0123",
        "1 415 555 0123",
        " +1-415-555-0123",
        "\u202a+1 415 555 0123\u202c",
        "+1\u00a0415\u202f555\u2009-\u200a0123",
        "+1\u2011415\u2013555\u20140123",
        "+1\u2212415\u2010555\u30fc0123",
        "\uff0b\uff11\uff14\uff11\uff15\uff15\uff15\uff15\uff10\uff11\uff12\uff13",
        "\u0661\u0664\u0661\u0665\u0665\u0665\u0665\u0660\u0661\u0662\u0663",
        "+\u06f1\u06f4\u06f1\u06f5\u06f5\u06f5\u06f5\u06f0\u06f1\u06f2\u06f3",
        "tel:+1-415-555-0123",
        "TEL: +14155550123",
        "0014155550123",
        "00 1 (415) 555 0123",
        "(+1) 415 555 0123",
        "(001) 415 555 0123",
        "+1.415.555.0123\r\n",
        "+1 415\u200b555\ufeff0123",
        "+1/415/5550123",
    ],
)
def test_a_phone_number_is_read_to_e164(typed: str) -> None:
    assert read_destination("sms", typed).address == "+14155550123"


@pytest.mark.parametrize(
    ("typed", "detail"),
    [
        ("+1", "is not a phone number"),
        ("hello", "is not a phone number"),
        ("+1415555012345678", "is not a phone number"),
        ("+14155550123;ext=4", "is not a phone number"),
        ("++14155550123", "is not a phone number"),
        ("+49110", "is not a phone number"),
        ("0151 23456789", "is not a phone number"),
        ("4155550123", "is not a phone number"),
        ("tel:", "is not a phone number"),
        ("00", "is not a phone number"),
        ("\u202a\u202c", "is not a phone number"),
        ("+1 415 555 0123 or +1 415 555 0124", "is not a phone number"),
        ("+33612345678", "is in a country that is not enabled"),
        ("+4930123456", "is not a number that receives SMS"),
        ("+19005550123", "is not a number that receives SMS"),
    ],
)
def test_a_number_that_gets_no_sms_is_refused_with_a_reason(typed: str, detail: str) -> None:
    with pytest.raises(InvalidParameters) as caught:
        read_destination("sms", typed)
    assert caught.value.errors[0].detail.startswith(detail)


@pytest.mark.parametrize(
    ("typed", "country", "address"),
    [
        ("0151 23456789", "DE", "+4915123456789"),
        ("(415) 555-0123", "US", "+14155550123"),
        ("+4915123456789", "US", "+4915123456789"),
        ("0151 23456789", "de", "+4915123456789"),
        ("0151 23456789", "de-DE", "+4915123456789"),
        ("0151 23456789", " De\u200b", "+4915123456789"),
        ("+49 (0) 151 23456789", None, "+4915123456789"),
        ("0049 151 23456789", "US", "+4915123456789"),
    ],
)
def test_a_national_number_is_read_with_its_country(
    typed: str, country: str | None, address: str
) -> None:
    assert read_destination("sms", typed, country).address == address


@pytest.mark.parametrize(
    ("country", "typed"), [("UK", "07400 123456"), ("uk", "07400 123456"), ("EL", "694 123 4567")]
)
def test_a_country_may_be_named_as_people_name_it(
    country: str, typed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SMS_COUNTRIES", "GB,GR")
    config.reset()
    assert (
        read_destination("sms", typed, country).country == {"UK": "GB", "EL": "GR"}[country.upper()]
    )


@pytest.mark.parametrize("country", ["XX", "Germany", "D", "+49"])
def test_a_country_that_there_is_not_is_refused(country: str) -> None:
    with pytest.raises(InvalidParameters) as caught:
        read_destination("sms", "0151 23456789", country)
    assert caught.value.errors[0].pointer == "/country"


@pytest.fixture
def every_country(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SMS_COUNTRIES", "*")
    config.reset()


@pytest.mark.usefixtures("every_country")
@pytest.mark.parametrize(
    ("typed", "country"),
    [
        ("+52 1 55 1234 5678", None),
        ("+52 55 1234 5678", None),
        ("5215512345678", None),
        ("0052 1 55 1234 5678", None),
        ("1 55 1234 5678", "MX"),
        ("044 55 1234 5678", "MX"),
        ("045 55 1234 5678", "MX"),
        ("55 1234 5678", "MX"),
    ],
)
def test_a_mexican_number_is_one_with_and_without_its_old_prefix(
    typed: str, country: str | None
) -> None:
    assert read_destination("sms", typed, country).address == "+525512345678"


@pytest.mark.usefixtures("every_country")
@pytest.mark.parametrize(
    ("typed", "country"),
    [("+54 11 2345 6789", None), ("11 2345 6789", "AR"), ("15 2345 6789", "AR")],
)
def test_an_argentine_mobile_without_its_9_is_refused_with_how_to_write_it(
    typed: str, country: str | None
) -> None:
    with pytest.raises(InvalidParameters) as caught:
        read_destination("sms", typed, country)
    assert "without its 9; write a mobile number as +54 9" in caught.value.errors[0].detail


@pytest.mark.usefixtures("every_country")
@pytest.mark.parametrize("typed", ["+54 9 11 2345 6789", "+54 11 15 2345 6789"])
def test_an_argentine_mobile_is_read(typed: str) -> None:
    assert read_destination("sms", typed).address == "+5491123456789"


@pytest.mark.usefixtures("every_country")
def test_an_argentine_landline_can_be_called() -> None:
    assert read_destination("voice", "+54 11 2345 6789").address == "+541123456789"


@pytest.mark.parametrize("countries", ["*", "US", "DE"])
@pytest.mark.parametrize("typed", ["+15551234567", "+39 312345678", "+999 123456789"])
def test_a_number_of_no_country_is_no_number_whichever_are_allowed(
    typed: str, countries: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SMS_COUNTRIES", countries)
    config.reset()
    with pytest.raises(InvalidParameters) as caught:
        read_destination("sms", typed)
    assert type(caught.value) is InvalidParameters
    assert caught.value.errors[0].detail.startswith("is not a phone number")


@pytest.mark.usefixtures("every_country")
@pytest.mark.parametrize(
    ("typed", "detail"),
    [
        ("+49 1 2 3 4 5 6 7", "is not a phone number of any country"),
        ("+55 11 8765 4321", "is a Brazilian mobile number without its ninth digit"),
        ("+55 11 7765 4321", "is a Brazilian mobile number without its ninth digit"),
        ("+55 11 8 7654 3210", "is not a phone number of any country"),
        ("+55 00 9 8765 4321", "is not a phone number"),
        ("+54 9 00 2345 6789", "is not a phone number"),
    ],
)
@pytest.mark.parametrize("channel", ["sms", "voice"])
def test_a_number_that_a_settled_plan_does_not_have_is_refused(
    typed: str, detail: str, channel: Channel
) -> None:
    with pytest.raises(InvalidParameters) as caught:
        read_destination(channel, typed)
    assert type(caught.value) is InvalidParameters
    assert caught.value.errors[0].detail.startswith(detail)


@pytest.mark.usefixtures("every_country")
@pytest.mark.parametrize(
    ("typed", "address"),
    [
        ("+55 11 98765 4321", "+5511987654321"),
        ("+49 199 1234567", "+491991234567"),  # no range that the library knows
        ("+48 999 999 999", "+48999999999"),
    ],
)
def test_a_number_newer_than_the_library_is_not_refused(typed: str, address: str) -> None:
    assert read_destination("sms", typed).address == address


def test_a_landline_can_be_called() -> None:
    assert read_destination("voice", "+4930123456").address == "+4930123456"


def test_a_number_knows_its_country_and_its_block() -> None:
    read = read_destination("sms", "+4915123456789")
    assert (read.country, read.prefix) == ("DE", "+491512345")


def test_one_dialling_code_is_many_countries() -> None:
    with pytest.raises(CountryNotAllowed):
        read_destination("sms", "+18765550123")  # Jamaica


def test_no_country_is_allowed_unless_it_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SMS_COUNTRIES")
    config.reset()
    with pytest.raises(InvalidParameters):
        read_destination("sms", "+14155550123")


@pytest.mark.parametrize(
    ("channel", "to", "masked"),
    [("email", "ana@example.com", "a**@example.com"), ("sms", "+14155550123", "+*********23")],
)
def test_a_masked_destination_shows_enough_to_recognise_it(
    channel: Channel, to: str, masked: str
) -> None:
    assert read_destination(channel, to).masked == masked
