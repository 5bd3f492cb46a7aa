"""Destinations: email addresses and phone numbers, validated and normalised before use."""

import re
from typing import TYPE_CHECKING, Annotated, Literal

import msgspec
from msgspec import Meta

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
"""Region of numbers that no numbering plan knows. Only `*` allows them."""

_PHONE = re.compile(r"\(?\+?[0-9\s()./-]+", re.ASCII)
_LINK = re.compile(r"^tel:\s*", re.IGNORECASE)
_INTERNATIONAL = re.compile(r"^(\(?)00(?=[\s()./-]*[1-9])")
"""00, the international prefix of most countries, instead of + (ITU-T E.123 §3, E.164)."""

_OTHER_CODES = {"UK": "GB", "EL": "GR"}
"""ISO 3166-1 codes by other codes that people and the European Union use."""

_SHORTEST_WITH_CODE = 11
"""Least digits of a number without + that is taken to include its country code.

Ten digits are more likely an American number without its 1.
"""

_NO_NUMBER = (
    "is not a phone number; send it with its country code, such as +14155550100, or send country"
)


@config.settings("sms")
class DestinationSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Settings of destinations. functions/settings.toml describes them."""

    sms_countries: tuple[Annotated[str, Meta(pattern=r"^(\*|[A-Z]{2})\Z")], ...] = ()
    """Countries that SMS may go to (ISO 3166-1 alpha-2), or `*` for every country.

    None by default: whoever sends SMS anywhere pays for SMS pumping.
    """


class Destination(msgspec.Struct, frozen=True, kw_only=True):
    """Email address or phone number that a code is sent to."""

    channel: Channel
    address: str
    """Email address (NFC, lower case) or E.164. Clients see it, the record keeps it."""

    deliver_to: str
    """Address for the provider: the local part as typed and an ASCII domain, or E.164."""

    canonical: str
    """Key for limits: the same for all spellings that reach one mailbox or phone."""

    country: str | None = None
    """Country of a phone number: ISO 3166-1 alpha-2, or 001 and the like for none."""

    prefix: str | None = None
    """Block of 10,000 numbers that a phone number is in."""

    @property
    def masked(self) -> str:
        """Masked address that its owner recognises: `a**@example.com`, `+*********34`."""
        if self.channel == "email":
            return masked(self.address)
        return f"+{'*' * (len(self.address) - 3)}{self.address[-2:]}"


def read_destination(channel: Channel, to: str, country: str | None = None) -> Destination:
    """Validates and normalises a destination.

    Args:
        channel: how the code is sent.
        to: email address or phone number, as the client sent it.
        country: ISO 3166-1 alpha-2 code for a number without its country code.

    Raises:
        InvalidParameters: with a sentence on what is wrong.
    """
    return _email(to) if channel == "email" else _phone(channel, to, country)


def _email(to: str) -> Destination:
    try:
        address = EmailAddress.read(to)
    except NotValid as error:
        raise _invalid(str(error)) from None
    return Destination(
        channel="email",
        address=address.account,
        deliver_to=address.deliver_to,
        canonical=address.canonical,
    )


def _phone(channel: Channel, to: str, country: str | None) -> Destination:
    import phonenumbers as pn  # noqa: PLC0415 - only SMS pays for it

    number = _parsed(to, country)
    # The numbering plan tells the country, the dialling prefix does not: some twenty share +1.
    region = pn.region_code_for_number(number) or UNKNOWN_COUNTRY
    allowed = config.read(DestinationSettings).sms_countries
    if EVERY_COUNTRY not in allowed and region not in allowed:
        raise CountryNotAllowed(
            FieldError("/to", "is in a country that is not enabled here; use another destination")
        )
    kinds = pn.PhoneNumberType
    reached = {kinds.MOBILE, kinds.FIXED_LINE_OR_MOBILE, kinds.UNKNOWN}
    if pn.number_type(number) not in reached | (
        {kinds.FIXED_LINE} if channel == "voice" else set()
    ):
        sentence = f"is not a number that {_REACHED[channel]}; use another number"
        raise LineTypeNotSupported(FieldError("/to", sentence))
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
        # Without + and country, the number is taken to begin with its country code.
        number = pn.parse(text if international or region else f"+{text}", region)
    except pn.NumberParseException:
        raise _invalid(_NO_NUMBER) from None
    possible = pn.is_possible_number_with_reason(number) == pn.ValidationResult.IS_POSSIBLE
    # A national number without its country would be a stranger's number elsewhere.
    if not possible or not (
        international or region or (pn.is_valid_number(number) and not _is_national(text))
    ):
        raise _invalid(_NO_NUMBER)
    return number


def _region(country: str | None) -> str | None:
    """Reads a country as people write it: `de`, `UK`. Raises `InvalidParameters`."""
    import phonenumbers as pn  # noqa: PLC0415 - only SMS pays for it

    # Browsers send a language with its region (de-DE).
    code = re.split(r"[-_]", plain(country or ""))[-1].upper()
    region = _OTHER_CODES.get(code, code)
    if region and region not in pn.SUPPORTED_REGIONS:
        raise InvalidParameters(
            FieldError("/country", "must be a country code of two letters (ISO 3166-1), such as DE")
        )
    return region or None


def _is_national(digits: str) -> bool:
    """Whether a number without + may be a national number of an allowed country."""
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
