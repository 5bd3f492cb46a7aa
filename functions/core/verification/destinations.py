"""Destinations: email addresses and phone numbers, checked and normalised before anything else happens to them."""

import re
from typing import TYPE_CHECKING, Literal

import msgspec

from functions.core import config
from functions.core.email_address import EmailAddress, masked
from functions.core.errors import (
    CountryNotAllowed,
    FieldError,
    InvalidParameters,
    LineTypeNotSupported,
)
from functions.core.parameters import NotValid
from functions.core.pasted import plain

if TYPE_CHECKING:
    import phonenumbers as pn

Channel = Literal["email", "sms", "whatsapp", "voice"]

EVERY_COUNTRY = "*"

_REACHED = {
    "sms": "receives SMS",
    "whatsapp": "receives WhatsApp messages",
    "voice": "can be called",
}

UNKNOWN_COUNTRY = "ZZ"
"""For numbers that no numbering plan knows: only `*` allows them."""

_PHONE = re.compile(r"\(?\+?[0-9\s()./-]+", re.ASCII)
_LINK = re.compile(r"^tel:\s*", re.IGNORECASE)
_INTERNATIONAL = re.compile(r"^(\(?)00(?=[\s()./-]*[1-9])")
"""The prefix that stands for + in most countries (ITU-T E.123 §3, E.164)."""

_OTHER_CODES = {"UK": "GB", "EL": "GR"}
"""Countries by codes that people and the European Union use for them, and ISO 3166-1 does not."""

_SHORTEST_WITH_CODE = 11
"""Digits: where every country is allowed, ten are more likely an American number without its 1 than somebody's elsewhere."""

_NO_NUMBER = "is not a phone number with its country code, such as +14155550100"


@config.settings()
class DestinationSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Settings of destinations; read from the environment."""

    sms_countries: tuple[str, ...] = ()
    """ISO 3166-1 alpha-2 codes of the countries that SMS may go to, or `*` for every country. None by default, because
    who sends SMS anywhere pays for SMS pumping."""


class Destination(msgspec.Struct, frozen=True, kw_only=True):
    """Where a code goes."""

    channel: Channel
    address: str
    """What the client is told and the record keeps: an email address (NFC, domain in lower case) or E.164."""

    deliver_to: str
    """What the provider is given: the address with an ASCII domain, or E.164."""

    canonical: str
    """Only for limits: the same for all spellings that reach one mailbox or phone."""

    country: str | None = None
    """Of a phone number: ISO 3166-1 alpha-2, or 001 and the like for numbers of no country."""

    prefix: str | None = None
    """Of a phone number: its block of 10,000 numbers."""

    @property
    def masked(self) -> str:
        """Enough to recognise one's own destination: `a**@example.com`, `+*********34`."""
        if self.channel == "email":
            return masked(self.address)
        return f"+{'*' * (len(self.address) - 3)}{self.address[-2:]}"


def read_destination(channel: Channel, to: str, country: str | None = None) -> Destination:
    """Checks what a client gave as `to`; `country` (ISO 3166-1 alpha-2) is where a number without its country code is from.

    Raises:
        InvalidParameters: with a sentence on what is wrong with it.
    """
    return _email(to) if channel == "email" else _phone(channel, to, country)


def _email(to: str) -> Destination:
    try:
        address = EmailAddress.read(to)
    except NotValid as error:
        raise _invalid(str(error)) from None
    return Destination(
        channel="email",
        address=str(address),
        deliver_to=address.deliver_to,
        canonical=address.canonical,
    )


def _phone(channel: Channel, to: str, country: str | None) -> Destination:
    import phonenumbers as pn  # noqa: PLC0415 - only SMS pays for it

    number = _parsed(to, country)
    # By the numbering plans, not by the dialling prefix: +1 alone is some twenty countries.
    region = pn.region_code_for_number(number) or UNKNOWN_COUNTRY
    allowed = config.read(DestinationSettings).sms_countries
    if EVERY_COUNTRY not in allowed and region not in allowed:
        raise CountryNotAllowed(
            FieldError("/to", "is in a country to which this deployment sends no SMS")
        )
    kinds = pn.PhoneNumberType
    reached = {kinds.MOBILE, kinds.FIXED_LINE_OR_MOBILE, kinds.UNKNOWN}
    if pn.number_type(number) not in reached | (
        {kinds.FIXED_LINE} if channel == "voice" else set()
    ):
        raise LineTypeNotSupported(FieldError("/to", f"is not a number that {_REACHED[channel]}"))
    e164 = pn.format_number(number, pn.PhoneNumberFormat.E164)
    block = e164[:-4]
    return Destination(
        channel=channel, address=e164, deliver_to=e164, canonical=e164, country=region, prefix=block
    )


def _parsed(to: str, country: str | None) -> "pn.PhoneNumber":
    import phonenumbers as pn  # noqa: PLC0415 - only SMS pays for it

    region = _region(country)
    text = _INTERNATIONAL.sub(r"\1+", _LINK.sub("", plain(to)))
    if not _PHONE.fullmatch(text):
        raise _invalid(_NO_NUMBER)
    international = text.lstrip("( ").startswith("+")
    try:
        # Without + and country it has its country code all the same.
        number = pn.parse(text if international or region else f"+{text}", region)
    except pn.NumberParseException:
        raise _invalid(_NO_NUMBER) from None
    possible = pn.is_possible_number_with_reason(number) == pn.ValidationResult.IS_POSSIBLE
    # A national number that somebody forgot the country of would be a stranger's number elsewhere.
    if not possible or not (
        international or region or (pn.is_valid_number(number) and not _is_national(text))
    ):
        raise _invalid(_NO_NUMBER)
    return number


def _region(country: str | None) -> str | None:
    """ISO 3166-1 code of a country as people write it: `de`, `UK`. Raises `InvalidParameters`."""
    import phonenumbers as pn  # noqa: PLC0415 - only SMS pays for it

    # Of a language with its region, as browsers have it (de-DE), the region.
    code = re.split(r"[-_]", plain(country or ""))[-1].upper()
    region = _OTHER_CODES.get(code, code)
    if region and region not in pn.SUPPORTED_REGIONS:
        raise InvalidParameters(
            FieldError("/country", "is not an ISO 3166-1 code of a country, such as DE")
        )
    return region or None


def _is_national(digits: str) -> bool:
    """Whether a number without + may be one of an allowed country's own, written without its country code."""
    import phonenumbers as pn  # noqa: PLC0415 - only SMS pays for it

    allowed = config.read(DestinationSettings).sms_countries
    if EVERY_COUNTRY in allowed:
        return len(re.sub(r"\D", "", digits)) < _SHORTEST_WITH_CODE
    home = [
        region
        for region in allowed
        if not digits.startswith(str(pn.country_code_for_region(region)))
    ]
    return any(pn.is_valid_number(pn.parse(digits, region)) for region in home)


def _invalid(detail: str) -> InvalidParameters:
    return InvalidParameters(FieldError("/to", detail))
