"""Destinations: email addresses and phone numbers, validated and normalised before use."""

from typing import Annotated, Literal

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

Channel = Literal["email", "sms", "whatsapp", "voice"]

_REACHED = {
    "sms": "receives SMS",
    "whatsapp": "receives WhatsApp messages",
    "voice": "can be called",
}


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

    from functions.core.verification.phone_numbers import plans, reading  # noqa: PLC0415 - as above

    allowed = config.read(DestinationSettings).sms_countries
    number = reading.read_number(to, country, allowed)
    # The numbering plan tells the country, the dialling prefix does not: some twenty share +1.
    region = pn.region_code_for_number(number)
    if reading.EVERY_COUNTRY not in allowed and region not in allowed:
        raise CountryNotAllowed(
            FieldError("/to", "is in a country that is not enabled here; use another destination")
        )
    kinds = pn.PhoneNumberType
    reached = {kinds.MOBILE, kinds.FIXED_LINE_OR_MOBILE, kinds.UNKNOWN}
    kind = pn.number_type(number)
    if kind not in reached | ({kinds.FIXED_LINE} if channel == "voice" else set()):
        sentence = f"is not a number that {_REACHED[channel]}; use another number"
        if kind == kinds.FIXED_LINE:
            sentence = plans.correction(number) or sentence
        raise LineTypeNotSupported(FieldError("/to", sentence))
    e164 = pn.format_number(number, pn.PhoneNumberFormat.E164)
    block = e164[:-4]
    return Destination(
        channel=channel, address=e164, deliver_to=e164, canonical=e164, country=region, prefix=block
    )


def _invalid(detail: str) -> InvalidParameters:
    return InvalidParameters(FieldError("/to", detail))
