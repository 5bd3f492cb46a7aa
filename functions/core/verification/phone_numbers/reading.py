"""Phone numbers as people write them: with or without country code, pasted from anywhere."""

import re
from collections.abc import Collection
from typing import TYPE_CHECKING

from functions.core.errors import FieldError, InvalidParameters
from functions.core.parameters import NotValid
from functions.core.pasted import plain
from functions.core.verification.phone_numbers import plans

if TYPE_CHECKING:
    import phonenumbers as pn

EVERY_COUNTRY = "*"

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


def read_number(to: str, country: str | None, allowed: Collection[str]) -> "pn.PhoneNumber":
    """Reads a phone number that somebody may have.

    Args:
        to: the number, as the client sent it.
        country: ISO 3166-1 alpha-2 code for a number without its country code.
        allowed: countries that codes may go to, or `*`.

    Raises:
        InvalidParameters: with a sentence on what is wrong.
    """
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
    plans.as_dialled_now(number)
    possible = pn.is_possible_number_with_reason(number) == pn.ValidationResult.IS_POSSIBLE
    # A national number without its country would be a stranger's number elsewhere.
    if not possible or not (
        international or region or (pn.is_valid_number(number) and not _is_national(text, allowed))
    ):
        raise _invalid(_NO_NUMBER)
    try:
        plans.refuse_impossible(number)
    except NotValid as error:
        raise _invalid(str(error)) from None
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


def _is_national(digits: str, allowed: Collection[str]) -> bool:
    """Whether a number without + may be a national number of an allowed country."""
    import phonenumbers as pn  # noqa: PLC0415 - only SMS pays for it

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
