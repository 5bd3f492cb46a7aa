"""Destinations: email addresses and phone numbers, checked and normalised before anything else happens to them."""

import re
from functools import cache
from typing import Literal

import msgspec

from functions.core.errors import FieldError, InvalidParameters
from functions.core.settings import read_settings

Channel = Literal["email", "sms"]

EVERY_COUNTRY = "*"

_DOTLESS_DOMAINS = frozenset({"gmail.com", "googlemail.com"})
"""Mailboxes whose provider ignores dots in the local part."""


class DestinationSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Settings of destinations; read from the environment."""

    sms_countries: tuple[str, ...] = ()
    """ISO 3166-1 alpha-2 codes of the countries that SMS may go to, or `*` for every country. None by default, because
    who sends SMS anywhere pays for SMS pumping."""


@cache
def settings() -> DestinationSettings:
    """Raises `SettingsError` with a sentence for each wrong variable."""
    return read_settings(DestinationSettings)


class Destination(msgspec.Struct, frozen=True, kw_only=True):
    """Where a code goes."""

    channel: Channel
    address: str
    """What the client is told and the record keeps: an email address (NFC, domain in lower case) or E.164."""

    deliver_to: str
    """What the provider is given: the address with an ASCII domain, or E.164."""

    canonical: str
    """Only for limits: the same for all spellings that reach one mailbox or phone."""

    @property
    def masked(self) -> str:
        """Enough to recognise one's own destination: `a**@example.com`, `+*********34`."""
        if self.channel == "email":
            local, _, domain = self.address.rpartition("@")
            return f"{local[0]}**@{domain}"
        return f"+{'*' * (len(self.address) - 3)}{self.address[-2:]}"


def read_destination(channel: Channel, to: str) -> Destination:
    """Checks what a client gave as `to`.

    Raises:
        InvalidParameters: with a sentence on what is wrong with it.
    """
    return _email(to) if channel == "email" else _phone(to)


def _email(to: str) -> Destination:
    from email_validator import EmailNotValidError, validate_email  # noqa: PLC0415 - only email pays for it

    try:
        # No DNS: it would tell a client nothing that the code does not, and fail when DNS does.
        valid = validate_email(to, check_deliverability=False, allow_smtputf8=False, strict=True)
    except EmailNotValidError:
        raise _invalid("is not a valid email address") from None
    deliver_to = valid.ascii_email or valid.normalized
    return Destination(
        channel="email", address=valid.normalized, deliver_to=deliver_to, canonical=_canonical_email(deliver_to)
    )


def _canonical_email(address: str) -> str:
    local, _, domain = address.lower().rpartition("@")
    local = local.partition("+")[0] or local
    if domain in _DOTLESS_DOMAINS:
        local, domain = local.replace(".", ""), "gmail.com"
    return f"{local}@{domain}"


def _phone(to: str) -> Destination:
    import phonenumbers as pn  # noqa: PLC0415 - only SMS pays for it

    try:
        number = pn.parse(to if to.lstrip().startswith("+") else f"+{to}")
    except pn.NumberParseException:
        raise _invalid("is not a phone number in E.164 form, such as +14155550100") from None
    if re.search(r"[^\d\s()+.\-]", to) or not pn.is_possible_number(number):
        raise _invalid("is not a phone number in E.164 form, such as +14155550100")
    allowed = settings().sms_countries
    if EVERY_COUNTRY not in allowed and pn.region_code_for_number(number) not in allowed:
        raise _invalid("is in a country to which this deployment sends no SMS")
    kinds = pn.PhoneNumberType
    if pn.number_type(number) not in {kinds.MOBILE, kinds.FIXED_LINE_OR_MOBILE, kinds.UNKNOWN}:
        raise _invalid("is not a number that receives SMS")
    e164 = pn.format_number(number, pn.PhoneNumberFormat.E164)
    return Destination(channel="sms", address=e164, deliver_to=e164, canonical=e164)


def _invalid(detail: str) -> InvalidParameters:
    return InvalidParameters(FieldError("/to", detail))
